"""The panel to listen with: A/B, loudness match, mix and gains."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QToolButton, QWidget

from gui.widgets.ab_switch import AbButton
from gui.widgets.basic import Knob, Section, label
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme
from realtime.dsp.parameters import MAX_MIX, Parameters

GAIN_LIMIT_DB = 18.0
"""Half of what the engine takes is enough for a slider, and leaves room for the match."""


class Listening(Section):
    """Turns what the listener does into parameters; keeps none of the engine's."""

    changed = Signal()
    """Something was moved: ask :meth:`parameters`."""
    blind_asked = Signal()
    """The listener wants the blind test."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Listen", parent)
        self.ab = AbButton(theme)
        self.blind = QToolButton()
        self.blind.setObjectName("link")
        self.blind.setText("Blind test…")
        self.blind.setToolTip("Can you tell A from B without seeing which is which? (X)")
        self.match = QCheckBox("Match loudness")
        self.match.setToolTip(
            "Turn B to the loudness of A (ITU-R BS.1770 weighting, learned while B plays),\n"
            "so that it does not win by being louder. (M)"
        )
        self.match_db = label("off", "muted")
        self.mix = Knob(
            "Octave", low=0, high=100 * MAX_MIX, default=100, steps_per_unit=1,
            form="{:.0f} %",
        )  # fmt: skip
        self.mix.slider.setObjectName("mix")
        self.mix.slider.setToolTip(
            "How much of the restored octave is added; above 100 % is more than the network\n"
            "thinks right. Double-click for 100 %. (Up, Down)"
        )
        self.input_gain = self._gain("Input gain")
        self.output_gain = self._gain("Output gain")
        self._match_gain_db = 0.0
        self._lay_out()
        self.ab.chosen.connect(self._choose)
        self.blind.clicked.connect(self.blind_asked)
        self.match.toggled.connect(self._say_match)
        self.match.toggled.connect(self.changed)
        for knob in (self.mix, self.input_gain, self.output_gain):
            knob.moved.connect(lambda _: self.changed.emit())

    def _gain(self, name: str) -> Knob:
        return Knob(
            name, low=-GAIN_LIMIT_DB, high=GAIN_LIMIT_DB, default=0, steps_per_unit=2,
            form="{:+.1f} dB",
        )  # fmt: skip

    def _lay_out(self) -> None:
        self.head.addWidget(self.blind)
        self.body.addWidget(self.ab)
        row = QHBoxLayout()
        row.addWidget(self.match)
        row.addStretch(1)
        row.addWidget(self.match_db)
        self.body.addLayout(row)
        self.body.addWidget(self.mix)
        self.body.addWidget(self.input_gain)
        self.body.addWidget(self.output_gain)

    @property
    def parameters(self) -> Parameters:
        """What the panel stands at."""
        bypass = self.ab.bypass
        matched = 0.0 if bypass or not self.match.isChecked() else self._match_gain_db
        return Parameters(
            bypass=bypass,
            mix=self.mix.value / 100,
            input_gain_db=self.input_gain.value,
            output_gain_db=self.output_gain.value + matched,
        )

    def restore(self, parameters: Parameters, *, match: bool) -> None:
        """Stand as remembered; A/B starts at B, so that there is something to hear."""
        self.mix.set_value(100 * parameters.mix)
        self.input_gain.set_value(parameters.input_gain_db)
        self.output_gain.set_value(parameters.output_gain_db)
        self.match.setChecked(match)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.ab.theme = theme
        self.ab.update()

    def set_bypass(self, bypass: bool) -> None:
        """Choose A or B, and tell."""
        if bypass != self.ab.bypass:
            self.ab.set_bypass(bypass)
            self._say_match()
            self.changed.emit()

    def set_match_gain(self, gain_db: float) -> None:
        """Take what the match has learned; steps below a tenth of a dB are not worth a ramp."""
        if abs(gain_db - self._match_gain_db) >= 0.1:
            self._match_gain_db = round(gain_db, 1)
            self._say_match()
            if self.match.isChecked() and not self.ab.bypass:
                self.changed.emit()

    def set_blind(self, blind: bool) -> None:
        """Give nothing away while a blind test runs."""
        for part in (self.ab, self.mix, self.input_gain, self.output_gain, self.match):
            part.setEnabled(not blind)
        self.ab.update()
        self._say_match()

    def _choose(self, bypass: bool) -> None:
        self.set_bypass(bypass)

    def _say_match(self, *_: object) -> None:
        gain = f"B {self._match_gain_db:+.1f} dB"
        self.match_db.setText(with_minus(gain) if self.match.isChecked() else "off")
