"""Both spectrograms with meters and colour bar: computes the columns and updates the plots."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.spectrogram.analysis import spectra, stft
from gui.spectrogram.analysis.history import History
from gui.spectrogram.axes import TIME_HEIGHT
from gui.spectrogram.color_bar import DEFAULT_RANGE_DB, ColourBar
from gui.spectrogram.color_maps import ColourMap, codes_of
from gui.spectrogram.frequency_scale import EDGE_HZ, Scale
from gui.spectrogram.linked_plots import GAP, SpectrogramPlots
from gui.spectrogram.loop import PictureLoop
from gui.spectrogram.plot import HISTORY_S
from gui.widgets.basic import label
from gui.widgets.level_meter import LevelMeter
from gui.widgets.text import DASH, with_minus
from gui.widgets.theme import Theme
from realtime.dsp.missing_band import band_edge_hz
from realtime.sample_rates import SAMPLE_RATE_IN

if TYPE_CHECKING:
    from realtime.engine.engine import Engine  # Loads PortAudio.

HOP_SAMPLES = 256
"""Samples at 22.05 kHz per pixel: 11.6 ms. Half of it where a pixel has two device pixels."""
HELD_COLUMNS = 2 * round(HISTORY_S * SAMPLE_RATE_IN / HOP_SAMPLES) + 500
ACTIVE_POWER = 10 ** (-75 / 10)
"""Columns of the input with less power are pauses: their spectrum is that of the noise."""
BAND_AVERAGING_S = 6.0
BAND_FIRST_S, BAND_EVERY_S = 0.5, 1.0
"""Sound before the first measurement of the input's band, and between two of them."""


@dataclass(frozen=True)
class ViewSettings:
    """What the user chose to see."""

    scale: Scale = Scale.LINEAR
    colour_map: ColourMap = ColourMap.INFERNO
    low_db: float = DEFAULT_RANGE_DB[0]
    high_db: float = DEFAULT_RANGE_DB[1]
    spectrum: bool = False
    long_term: bool = False
    hold: bool = False
    slope: spectra.Slope = spectra.Slope.NONE
    wave: bool = False


class Spectrograms(QWidget):
    """Reads the taps of an engine and shows them."""

    read_out = Signal(str)
    """Time, frequency and levels under the cross-hair; empty without one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        bins = stft.INPUT_FFT_SAMPLES // 2 + 1, stft.OUTPUT_FFT_SAMPLES // 2 + 1
        self._histories = History(bins[0], HELD_COLUMNS), History(bins[1], HELD_COLUMNS)
        self.plots = SpectrogramPlots(self._histories, theme)
        self.input_plot, self.output_plot = self.plots.both
        self.freeze_requested = self.plots.freeze_requested
        self.menu_requested = self.plots.menu_requested
        self.loop = PictureLoop(self.plots)
        self.input_meter, self.output_meter = (
            LevelMeter(theme, "Input"),
            LevelMeter(theme, "Output"),
        )
        self.colour_bar = ColourBar(theme)
        self.colour_bar.item.setImageItem([plot.image for plot in self.plots.both])
        self.range_changed = self.colour_bar.changed
        self.frozen = False
        """True while the plots stand still."""
        self._settings = ViewSettings()
        self._spectra = spectra.Spectra(), spectra.Spectra()
        self._band = spectra.RunningMean(BAND_AVERAGING_S)
        self.latest: tuple[stft.Columns, stft.Columns] | None = None
        """The columns of the last update, for measurements."""
        self._lay_out()
        self.follow(None)
        self.set_bypass(False)
        self.plots.pointed.connect(lambda: self.read_out.emit(self.cursor_text))
        self.set_view_settings(self._settings)

    def _lay_out(self) -> None:
        unit = label("dBFS", "caption")
        unit.setContentsMargins(8, 0, 0, 0)
        unit.setFixedHeight(TIME_HEIGHT - GAP)
        unit.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(GAP)
        for widget in (self.input_meter, self.output_meter, unit):
            column.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 10, 6, 0)
        row.setSpacing(4)
        row.addWidget(self.plots, 1)
        row.addLayout(column)
        row.addWidget(self.colour_bar)

    @property
    def cursor_text(self) -> str:
        """Values under the cross-hair; empty without one."""
        cursor = self.input_plot.cursor
        if cursor is None:
            return ""
        hz = self._settings.scale.frequency(cursor.y())
        levels = [plot.level_at_cursor() for plot in self.plots.both]
        parts = [f"{min(cursor.x(), -0.0):.2f} s"]
        parts.append(f"{hz:.0f} Hz" if hz < 1000 else f"{hz / 1000:.2f} kHz")
        for name, level in zip(("in", "out"), levels, strict=True):
            parts.append(f"{name} {DASH if level is None else f'{level:.1f} dBFS'}")
        if levels[0] is not None and levels[1] is not None:
            parts.append(f"difference {levels[1] - levels[0]:+.1f} dB")
        return with_minus("   ".join(parts))

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
        self.colour_bar.item.setColorMap(settings.colour_map.value)
        self.colour_bar.set_range(settings.low_db, settings.high_db)
        if before.scale != settings.scale:
            self.plots.set_scale(settings.scale)
        for plot in self.plots.both:
            plot.wave.setVisible(settings.wave)
            plot.show_until(plot.image.end)
        self._show_spectra()

    def set_bypass(self, bypass: bool, name: str = "") -> None:
        """Show whether the output is the original or the restored sound, or which network's."""
        text = "original, nothing restored" if bypass else "restored by the network"
        text = f"restored by {name}" if name else text
        self.output_plot.set_text(self.output_plot.note, text)

    def set_hint(self, text: str) -> None:
        """Show a text in the empty input plot."""
        self.input_plot.set_text(self.input_plot.hint, text)

    def reset_spectra(self) -> None:
        """Start the long-term spectra and their maxima anew."""
        for one in self._spectra:
            one.reset()

    def follow(self, engine: Engine | None) -> None:
        """Draw another engine, or none; the drawn columns stay."""
        self._engine = engine
        self._hop = max(1, round(HOP_SAMPLES / self.devicePixelRatioF()))
        self.hop_s = self._hop / SAMPLE_RATE_IN
        """Seconds per column."""
        self.plots.set_hop(self.hop_s)
        self._analyser: stft.Analyser | None = None
        self.latest = None
        if engine is not None:
            self._band.reset()
            self._band_next_s = BAND_FIRST_S
            self._show_band(EDGE_HZ)
            self.reset_spectra()
            self._analyser = stft.Analyser(
                engine.input_tap, engine.output_tap,
                delay_samples=engine.tap_delay_samples, hop_samples=self._hop,
            )  # fmt: skip
        self.loop.follow(engine)

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of the screen's scale: a column is a device pixel wide."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.follow(self._engine)

    def set_frozen(self, frozen: bool) -> None:
        """Freeze the plots, or continue with the newest columns; the audio continues."""
        self.frozen = frozen
        for plot, history in zip(self.plots.both, self._histories, strict=True):
            # A copy, so that the frozen minute stays complete while new columns arrive.
            plot.image.history = copy.deepcopy(history) if frozen else history
        self.loop.set_frozen(frozen)
        self.plots.set_live(not frozen)
        if not frozen:
            self._show_columns()

    def advance(self) -> None:
        """Compute and draw the new columns; called while the window is visible."""
        self.latest = None
        if self._analyser is None:
            return
        expected = self._analyser.next_column
        source, _ = self.latest = self._analyser.take(HELD_COLUMNS)
        self.loop.advance()
        if not len(source.power):
            return
        gap = source.first - expected
        for history, columns in zip(self._histories, self.latest, strict=True):
            history.append(codes_of(columns.power), columns.peaks, gap=gap)
        self.loop.append(source.sound, lost_samples=gap * self._hop)
        active = source.power.sum(axis=1) > ACTIVE_POWER
        self._band.add(source.power[active], self.hop_s)
        if self._band.mean is not None and self._band.seconds >= self._band_next_s:
            self._band_next_s = self._band.seconds + BAND_EVERY_S
            self._show_band(band_edge_hz(self._band.mean, bin_hz=stft.BIN_HZ))
        if not self.frozen:
            for one, columns in zip(self._spectra, self.latest, strict=True):
                one.add(columns.power, active, self.hop_s)
            if self._settings.spectrum:
                self._show_spectra()
            self._show_columns()

    def _show_band(self, hz: float) -> None:
        text = f"input ends at {hz / 1000:.1f} kHz" if hz < EDGE_HZ else "nothing above 11.025 kHz"
        self.input_plot.set_band(hz, text)

    def _show_spectra(self) -> None:
        settings, shown = self._settings, self._settings.spectrum
        means = [one.mean(long_term=settings.long_term) for one in self._spectra]
        maxima = [one.maximum for one in self._spectra if settings.hold]
        tilted = [
            [spectra.level_db(power, settings.slope) for power in powers if power is not None]
            for powers in (means, maxima)
        ]
        for plot in self.plots.both:
            plot.spectrum.setVisible(shown and bool(tilted[0]))
            if plot.spectrum.isVisible():
                plot.spectrum.show_levels(settings.scale, *tilted)
        parts = {
            f"mean of {spectra.LONG_TERM_S:.0f} s": settings.long_term,
            f"+{settings.slope.label}": settings.slope is not spectra.Slope.NONE,
            "maximum": settings.hold,
        }
        legend = "  ·  ".join(text for text, on in parts.items() if on and shown)
        self.input_plot.set_text(self.input_plot.legend, legend)

    def _show_columns(self) -> None:
        for plot, history in zip(self.plots.both, self._histories, strict=True):
            plot.show_until(history.end)
            plot.update_level()
        if self.input_plot.cursor is not None:
            self.read_out.emit(self.cursor_text)
