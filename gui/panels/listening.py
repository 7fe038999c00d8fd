"""The listening panel: A/B switch, loudness match, mix and gains."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QToolButton

from gui.control.actions import Actions
from gui.widgets.ab_switch import AbSwitch
from gui.widgets.basic import LabelledSlider, Section, label
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme
from realtime.dsp.parameters import MAX_MIX, Parameters

GAIN_LIMIT_DB = 18.0
"""Half of the engine's limit, which leaves room for the loudness match."""


class Listening(Section):
    """Converts the controls into :class:`Parameters`."""

    changed = Signal()
    """A control was moved; read :meth:`parameters`."""

    def __init__(self, theme: Theme, actions: Actions) -> None:
        super().__init__("Listen")
        self.ab = AbSwitch(theme)
        self.blind = QToolButton()
        self.blind.setObjectName("link")
        self.blind.setText("Blind test…")
        self.blind.setToolTip(actions["blind"].toolTip())
        self.match = QCheckBox("Match loudness")
        self.match.setToolTip(
            "Set B to the loudness of A, measured by ITU-R BS.1770 while B plays.\n"
            "Louder sounds better, so a fair comparison needs equal loudness. (M)"
        )
        self.match_db = label("off", "muted")
        self.mix = LabelledSlider(
            "Octave", low=0, high=100 * MAX_MIX, default=100, steps_per_unit=1,
            text_format="{:.0f} %",
        )  # fmt: skip
        self.mix.slider.setObjectName("mix")
        self.mix.slider.setToolTip(
            "How much of the restored octave is added; above 100 % is more than the network\n"
            "estimates. Double-click for 100 %. (Up, Down)"
        )
        self.input_gain = self._gain("Input gain")
        self.output_gain = self._gain("Output gain")
        self._match_gain_db = 0.0
        self._lay_out()
        self.ab.chosen.connect(self._choose)
        self.blind.clicked.connect(actions["blind"].trigger)
        self.match.toggled.connect(actions["match"].setChecked)
        actions["match"].toggled.connect(self.match.setChecked)
        self.match.toggled.connect(self._update_match_text)
        self.match.toggled.connect(self.changed)
        for slider in (self.mix, self.input_gain, self.output_gain):
            slider.moved.connect(lambda _: self.changed.emit())

    def _gain(self, name: str) -> LabelledSlider:
        return LabelledSlider(
            name, low=-GAIN_LIMIT_DB, high=GAIN_LIMIT_DB, default=0, steps_per_unit=2,
            text_format="{:+.1f} dB",
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
        """The current parameters."""
        bypass = self.ab.bypass
        matched = 0.0 if bypass or not self.match.isChecked() else self._match_gain_db
        return Parameters(
            bypass=bypass,
            mix=self.mix.value / 100,
            input_gain_db=self.input_gain.value,
            output_gain_db=self.output_gain.value + matched,
        )

    def restore(self, parameters: Parameters, *, match: bool) -> None:
        """Restore saved values; the switch starts at B, the restored sound."""
        self.mix.set_value(100 * parameters.mix)
        self.input_gain.set_value(parameters.input_gain_db)
        self.output_gain.set_value(parameters.output_gain_db)
        self.match.setChecked(match)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.ab.theme = theme
        self.ab.update()

    def set_bypass(self, bypass: bool) -> None:
        """Choose A or B and emit `changed`."""
        if bypass != self.ab.bypass:
            self.ab.set_bypass(bypass)
            self._update_match_text()
            self.changed.emit()

    def set_match_gain(self, gain_db: float) -> None:
        """Set the gain of the loudness match; changes below 0.1 dB are ignored."""
        if abs(gain_db - self._match_gain_db) >= 0.1:
            self._match_gain_db = round(gain_db, 1)
            self._update_match_text()
            if self.match.isChecked() and not self.ab.bypass:
                self.changed.emit()

    def set_blind(self, blind: bool) -> None:
        """Disable the controls during a blind test."""
        for part in (self.ab, self.mix, self.input_gain, self.output_gain, self.match):
            part.setEnabled(not blind)
        self.ab.update()
        self._update_match_text()

    def _choose(self, bypass: bool) -> None:
        self.set_bypass(bypass)

    def _update_match_text(self, *_: object) -> None:
        gain = f"B {self._match_gain_db:+.1f} dB"
        self.match_db.setText(with_minus(gain) if self.match.isChecked() else "off")
