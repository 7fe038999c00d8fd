"""Both spectrograms with meters and colour bar: computes the columns and updates the plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.spectrogram.analysis.band_edge import BandEdge
from gui.spectrogram.analysis.history import History
from gui.spectrogram.analysis.stft import (
    INPUT_FFT_SAMPLES,
    OUTPUT_FFT_SAMPLES,
    Columns,
    PairAnalyser,
)
from gui.spectrogram.axes import TIME_HEIGHT
from gui.spectrogram.color_bar import ColourBar
from gui.spectrogram.color_maps import ColourMap, codes_of
from gui.spectrogram.frequency_scale import EDGE_HZ, Scale, format_hz
from gui.spectrogram.linked_plots import GAP, SpectrogramPlots
from gui.spectrogram.plot import Cursor
from gui.spectrogram.view_box import HISTORY_S
from gui.widgets.basic import label
from gui.widgets.level_meter import LevelMeter
from gui.widgets.text import DASH, with_minus
from gui.widgets.theme import Theme
from realtime.sample_rates import SAMPLE_RATE_IN

if TYPE_CHECKING:
    from realtime.engine.engine import Engine  # Loads PortAudio.

HOP_SAMPLES = 256
"""Samples at 22.05 kHz per pixel: 11.6 ms. Half of it where a pixel has two device pixels."""
HELD_COLUMNS = 2 * round(HISTORY_S * SAMPLE_RATE_IN / HOP_SAMPLES) + 500
DEFAULT_RANGE_DB = (-110.0, -20.0)
RESTORED, ORIGINAL = "restored by the network", "original, nothing restored"
SPECTRUM_SHARE = 0.06
"""Weight of a new column in the spectra: a time constant of about 0.2 s."""
BAND_COLUMNS = 86
"""Columns between two measurements of the input's band: about one second."""


@dataclass(frozen=True)
class ViewSettings:
    """What the user chose to see."""

    scale: Scale = Scale.LINEAR
    colour_map: ColourMap = ColourMap.INFERNO
    low_db: float = DEFAULT_RANGE_DB[0]
    high_db: float = DEFAULT_RANGE_DB[1]
    spectrum: bool = False
    wave: bool = False


class Spectrograms(QWidget):
    """Reads the taps of an engine and shows them."""

    read_out = Signal(str)
    """Time, frequency and levels under the cross-hair; empty without one."""
    range_changed = Signal(float, float)
    """Low and high end of the colours in dBFS."""
    freeze_requested = Signal(bool)
    menu_requested = Signal(QPoint)
    """Right click on a plot, at this point of the screen."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._input_history = History(INPUT_FFT_SAMPLES // 2 + 1, HELD_COLUMNS)
        self._output_history = History(OUTPUT_FFT_SAMPLES // 2 + 1, HELD_COLUMNS)
        self.plots = SpectrogramPlots(self._input_history, self._output_history, theme)
        self.input_plot, self.output_plot = self.plots.both
        self.input_meter = LevelMeter(theme, "Input")
        self.output_meter = LevelMeter(theme, "Output")
        self.colour_bar = ColourBar(theme, low_db=DEFAULT_RANGE_DB[0], high_db=DEFAULT_RANGE_DB[1])
        self.colour_bar.set_images(plot.image for plot in self.plots.both)
        self._settings = ViewSettings()
        self._engine: Engine | None = None
        self._analyser: PairAnalyser | None = None
        self._hop = HOP_SAMPLES
        self._frozen = False
        self._cursor: Cursor | None = None
        self._averages: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None
        self._band = BandEdge()
        self._band_measured_at = 0
        self.latest: tuple[Columns, Columns] | None = None
        """The columns of the last update, for measurements."""
        self._lay_out()
        self.output_plot.note.set_text(RESTORED)
        self._show_band(None)
        self.plots.pointed.connect(self._point)
        self.plots.freeze_requested.connect(self.freeze_requested)
        self.plots.menu_requested.connect(lambda at: self.menu_requested.emit(at.toPoint()))
        self.colour_bar.changed.connect(self.range_changed)
        self.set_view_settings(self._settings)

    @property
    def hop_s(self) -> float:
        """Seconds per column."""
        return self._hop / SAMPLE_RATE_IN

    @property
    def frozen(self) -> bool:
        """True while the plots stand still."""
        return self._frozen

    @property
    def cursor_text(self) -> str:
        """Values under the cross-hair; empty without one."""
        return "" if self._cursor is None else self._describe(self._cursor)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 10, 6, 0)
        row.setSpacing(4)
        meters = QVBoxLayout()
        meters.setSpacing(GAP)
        meters.addWidget(self.input_meter)
        meters.addWidget(self.output_meter)
        unit = label("dBFS", "caption")
        unit.setContentsMargins(8, 0, 0, 0)
        unit.setFixedHeight(TIME_HEIGHT - GAP)
        unit.setAlignment(Qt.AlignmentFlag.AlignTop)
        meters.addWidget(unit)
        row.addWidget(self.plots, 1)
        row.addLayout(meters)
        row.addWidget(self.colour_bar)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.plots.set_theme(theme)
        self.colour_bar.set_theme(theme)
        for meter in (self.input_meter, self.output_meter):
            meter.theme = theme
            meter.update()

    def set_view_settings(self, settings: ViewSettings) -> None:
        """Show as chosen."""
        before, self._settings = self._settings, settings
        self.colour_bar.set_map(settings.colour_map)
        self.colour_bar.set_range(settings.low_db, settings.high_db)
        if before.scale != settings.scale:
            self.plots.set_scale(settings.scale)
        for plot in self.plots.both:
            plot.set_wave(shown=settings.wave)
        self._show_spectra()

    def set_bypass(self, bypass: bool, name: str = "") -> None:
        """Show whether the output is the original or the restored sound, or which network's."""
        text = ORIGINAL if bypass else RESTORED
        self.output_plot.note.set_text(f"restored by {name}" if name else text)

    def set_hint(self, text: str) -> None:
        """Show a text in the empty input plot."""
        self.input_plot.set_hint(text)

    def follow(self, engine: Engine | None) -> None:
        """Draw another engine, or none; the drawn columns stay."""
        self._engine = engine
        self._hop = max(1, round(HOP_SAMPLES / self.devicePixelRatioF()))
        self.plots.set_hop(self.hop_s)
        self._analyser = None
        self.latest = None
        if engine is not None:
            self._band.reset()
            self._show_band(None)
            self._analyser = PairAnalyser(
                engine.input_tap,
                engine.output_tap,
                delay_samples=engine.tap_delay_samples,
                hop_samples=self._hop,
            )

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of the screen's scale: a column is a device pixel wide."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.follow(self._engine)

    def set_frozen(self, frozen: bool) -> None:
        """Freeze the plots, or continue with the newest columns; the audio continues."""
        self._frozen = frozen
        for plot, history in zip(
            self.plots.both, (self._input_history, self._output_history), strict=True
        ):
            # A copy, so that the frozen minute stays complete while new columns arrive.
            plot.image.history = history.copy() if frozen else history
        self.plots.set_live(not frozen)
        if not frozen:
            self._show_columns()

    def advance(self) -> None:
        """Compute and draw the new columns; called while the window is visible."""
        self.latest = None
        if self._analyser is None:
            return
        expected = self._analyser.input.next_column
        input_columns, output_columns = self._analyser.take(HELD_COLUMNS)
        self.latest = input_columns, output_columns
        if not len(input_columns.power):
            return
        for history, columns in (
            (self._input_history, input_columns),
            (self._output_history, output_columns),
        ):
            if columns.first > expected:
                history.append_gap(columns.first - expected)
            history.append(codes_of(columns.power), columns.peaks)
        self._measure_band(input_columns)
        if not self._frozen:
            if self._settings.spectrum:
                old = self._averages or (None, None)
                self._averages = (
                    _averaged(old[0], input_columns.power),
                    _averaged(old[1], output_columns.power),
                )
                self._show_spectra()
            self._show_columns()
            if self._cursor is not None:
                for plot in self.plots.both:
                    plot.update_level()
                self.read_out.emit(self.cursor_text)

    def _measure_band(self, columns: Columns) -> None:
        self._band.update(columns.power)
        if columns.end - self._band_measured_at >= BAND_COLUMNS or columns.end < BAND_COLUMNS:
            self._band_measured_at = columns.end
            self._show_band(self._band.hz())

    def _show_band(self, hz: float | None) -> None:
        plot = self.input_plot
        if hz is None or hz >= EDGE_HZ:
            plot.note.set_text("nothing above 11.025 kHz")
            plot.set_band(EDGE_HZ, shown=False)
        else:
            plot.note.set_text(f"input ends at {hz / 1000:.1f} kHz")
            plot.set_band(hz, shown=True)

    def _show_columns(self) -> None:
        self.input_plot.show_until(self._input_history.end)
        self.output_plot.show_until(self._output_history.end)

    def _show_spectra(self) -> None:
        shown = self._settings.spectrum and self._averages is not None
        for plot in self.plots.both:
            plot.spectrum.set_visible(visible=shown)
        if shown and self._averages is not None:
            spectra = [10 * np.log10(np.maximum(power, 1e-13)) for power in self._averages]
            for plot in self.plots.both:
                plot.spectrum.update(spectra[0], spectra[1])

    def _point(self, cursor: Cursor | None) -> None:
        self._cursor = cursor
        self.read_out.emit(self.cursor_text)

    def _describe(self, cursor: Cursor) -> str:
        source, restored = (plot.level_at(cursor) for plot in self.plots.both)
        parts = [
            f"{min(cursor.seconds, -0.0):.2f} s",
            format_hz(cursor.hz),
            "in " + (DASH if source is None else f"{source:.1f} dBFS"),
            "out " + (DASH if restored is None else f"{restored:.1f} dBFS"),
        ]
        if source is not None and restored is not None:
            parts.append(f"difference {restored - source:+.1f} dB")
        return with_minus("   ".join(parts))


def _averaged(
    average: npt.NDArray[np.float32] | None, power: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Exponential average of column powers, ``[n, F]`` to ``[F]``."""
    mean: npt.NDArray[np.float32] = power.mean(axis=0)
    if average is None:
        return mean
    kept = np.float32((1 - SPECTRUM_SHARE) ** len(power))
    moved: npt.NDArray[np.float32] = kept * average + (1 - kept) * mean
    return moved
