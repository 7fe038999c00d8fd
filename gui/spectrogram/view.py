"""Both spectrograms with their axes, meters and colour bar, in step with each other."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.engine_interface import Tapped
from gui.spectrogram.axes import FrequencyRuler, TimeRuler
from gui.spectrogram.color_bar import ColourBar
from gui.spectrogram.color_maps import ColourMap, code_colours, codes_of
from gui.spectrogram.frequency_scale import Scale, format_hz
from gui.spectrogram.history import History
from gui.spectrogram.overlays import Curve
from gui.spectrogram.plot import Cursor, SpectrogramPane, mean_power
from gui.spectrogram.stft import INPUT_FFT_SAMPLES, OUTPUT_FFT_SAMPLES, Columns, PairAnalyser
from gui.widgets.basic import label
from gui.widgets.level_meter import LevelMeter
from gui.widgets.text import DASH, with_minus
from gui.widgets.theme import Theme
from realtime.sample_rates import SAMPLE_RATE_IN

HELD_COLUMNS = 6000
"""More than the widest screen has, and the past that a frozen picture can be asked for."""
HOP_SAMPLES = 256
"""Samples at 22.05 kHz per unit of width: 11.6 ms."""
DEFAULT_RANGE_DB = (-110.0, -20.0)
RESTORED, ORIGINAL = "restored by the network", "original, nothing restored"
SPECTRUM_SHARE = 0.06
"""Share of a new column in the spectrum overlay: a time constant of about 0.2 s."""


@dataclass(frozen=True)
class ViewSettings:
    """What the listener chose to see."""

    scale: Scale = Scale.LINEAR
    colour_map: ColourMap = ColourMap.EMBER
    low_db: float = DEFAULT_RANGE_DB[0]
    high_db: float = DEFAULT_RANGE_DB[1]
    spectrum: bool = False
    wave: bool = False


class Spectrograms(QWidget):
    """Input above output on one time axis and equal frequency axes."""

    read_out = Signal(str)
    """Time, frequency and levels under the cross-hair; empty without one."""
    range_changed = Signal(float, float)
    """The colour bar was dragged: low and high end in dBFS."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._input_history = History(INPUT_FFT_SAMPLES // 2 + 1, HELD_COLUMNS)
        self._output_history = History(OUTPUT_FFT_SAMPLES // 2 + 1, HELD_COLUMNS)
        self.input_pane = SpectrogramPane(
            "Input  ·  22.05 kHz", self._input_history, upper_note="nothing above 11.025 kHz"
        )
        self.output_pane = SpectrogramPane(
            "Output  ·  44.1 kHz", self._output_history, upper_note=RESTORED
        )
        self.input_meter = LevelMeter(theme, "Input")
        self.output_meter = LevelMeter(theme, "Output")
        self.colour_bar = ColourBar(theme, low_db=DEFAULT_RANGE_DB[0], high_db=DEFAULT_RANGE_DB[1])
        self._rulers = (FrequencyRuler(theme), FrequencyRuler(theme))
        self._time = TimeRuler(theme)
        self._settings = ViewSettings()
        self._followed: Tapped | None = None
        self._analyser: PairAnalyser | None = None
        self._hop = HOP_SAMPLES
        self._frozen = False
        self._cursor: Cursor | None = None
        self._averages: tuple[np.ndarray, np.ndarray] | None = None
        self.latest: tuple[Columns, Columns] | None = None
        """The columns of the last update, for whoever measures."""
        self._lay_out()
        for pane in self._panes:
            pane.pointed.connect(self._point)
        self.colour_bar.changed.connect(self._range)
        self.set_view_settings(self._settings)

    @property
    def _panes(self) -> tuple[SpectrogramPane, SpectrogramPane]:
        return self.input_pane, self.output_pane

    @property
    def hop_s(self) -> float:
        """Seconds per column."""
        return self._hop / SAMPLE_RATE_IN

    @property
    def frozen(self) -> bool:
        """True while the pictures stand still."""
        return self._frozen

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 10, 6, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(8)
        meters = (self.input_meter, self.output_meter)
        for row, (ruler, pane, meter) in enumerate(
            zip(self._rulers, self._panes, meters, strict=True)
        ):
            grid.addWidget(ruler, row, 0)
            grid.addWidget(pane, row, 1)
            grid.addWidget(meter, row, 2)
            grid.setRowStretch(row, 1)
        grid.addWidget(self.colour_bar, 0, 3, 2, 1)
        grid.addWidget(self._time, 2, 1)
        for column, unit in ((0, "kHz"), (2, "dBFS"), (3, "dBFS")):
            line = label(unit, "caption")
            line.setAlignment(
                Qt.AlignmentFlag.AlignRight if column == 0 else Qt.AlignmentFlag.AlignLeft
            )
            line.setContentsMargins(0 if column == 0 else 8, 3, 10 if column == 0 else 0, 0)
            grid.addWidget(line, 2, column)
        grid.setColumnStretch(1, 1)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        for part in (
            self.input_meter, self.output_meter, self.colour_bar, self._time, *self._rulers
        ):  # fmt: skip
            part.theme = theme
            part.update()

    def set_view_settings(self, settings: ViewSettings) -> None:
        """Show as chosen."""
        before, self._settings = self._settings, settings
        self.colour_bar.set_map(settings.colour_map)
        self.colour_bar.set_range(settings.low_db, settings.high_db)
        colours = code_colours(settings.colour_map, *self.colour_bar.range_db)
        for ruler in self._rulers:
            ruler.set_scale(settings.scale)
        for pane in self._panes:
            pane.set_colours(colours)
            if before.scale != settings.scale:
                pane.set_scale(settings.scale)
            if before.wave != settings.wave:
                pane.set_wave(settings.wave)
        self._show_curves()

    def set_bypass(self, bypass: bool) -> None:
        """Show in the output whether the original or the restored sound plays."""
        self.output_pane.upper_note = ORIGINAL if bypass else RESTORED
        self.output_pane.update()

    def set_hint(self, text: str) -> None:
        """Say something in the empty pictures."""
        for pane in self._panes:
            pane.hint = text if pane is self.input_pane else ""
            pane.update()

    def follow(self, engine: Tapped | None) -> None:
        """Draw another engine, or none; the drawn columns stay."""
        self._followed = engine
        self._hop = max(1, round(HOP_SAMPLES / self.devicePixelRatioF()))
        self._time.set_pixels_per_s(1 / self.hop_s / self.devicePixelRatioF())
        self._analyser = None
        self.latest = None
        if engine is not None:
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
            self.follow(self._followed)

    def set_frozen(self, frozen: bool) -> None:
        """Let the pictures stand still, or catch up; the audio goes on either way."""
        self._frozen = frozen
        if not frozen:
            self._show()

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
        if self._settings.spectrum and not self._frozen:
            old = self._averages or (None, None)
            self._averages = (
                mean_power(old[0], input_columns.power, SPECTRUM_SHARE),
                mean_power(old[1], output_columns.power, SPECTRUM_SHARE),
            )
            self._show_curves()
        if not self._frozen:
            self._show()
            if self._cursor is not None:
                self.read_out.emit(self._describe(self._cursor))

    def _show(self) -> None:
        for pane, history in zip(
            self._panes, (self._input_history, self._output_history), strict=True
        ):
            pane.show_until(history.end)

    def _show_curves(self) -> None:
        if not self._settings.spectrum or self._averages is None:
            for pane in self._panes:
                pane.set_curves([])
                pane.update()
            return
        given, made = (10 * np.log10(np.maximum(p, 1e-13)) for p in self._averages)
        floor = np.full_like(made, -130.0)
        floor[: len(given)] = given
        source = Curve(given, "source")
        self.input_pane.set_curves([source])
        self.output_pane.set_curves([source, Curve(made, "accent", fill_from=floor)])

    def _range(self, low_db: float, high_db: float) -> None:
        colours = code_colours(self._settings.colour_map, low_db, high_db)
        for pane in self._panes:
            pane.set_colours(colours)
        self.range_changed.emit(low_db, high_db)

    def _point(self, cursor: Cursor | None) -> None:
        self._cursor = cursor
        for pane in self._panes:
            pane.set_cursor(cursor)
        self.read_out.emit("" if cursor is None else self._describe(cursor))

    def _describe(self, cursor: Cursor) -> str:
        given, made = (pane.level_at(cursor) for pane in self._panes)
        parts = [
            f"-{cursor.columns_back * self.hop_s:.2f} s",
            format_hz(cursor.hz),
            "in " + (DASH if given is None else f"{given:.1f} dBFS"),
            "out " + (DASH if made is None else f"{made:.1f} dBFS"),
        ]
        if given is not None and made is not None:
            parts.append(f"difference {made - given:+.1f} dB")
        return with_minus("   ".join(parts))
