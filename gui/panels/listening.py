"""The listening panel: A/B switch, loudness match, mix and gains."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox

from gui.control.actions import Actions
from gui.widgets.ab_switch import AbSwitch
from gui.widgets.basic import LabelledSlider, Section, action_button, label
from gui.widgets.text import with_minus
from realtime.dsp.parameters import MAX_MIX, Parameters

GAIN_LIMIT_DB = 18.0
"""Half of the engine's limit, which leaves room for the loudness match."""


class Listening(Section):
    """Converts the controls into :class:`Parameters`."""

    changed = Signal()
    """A control was moved; read :meth:`parameters`."""

    def __init__(self, actions: Actions) -> None:
        super().__init__(
            "Listen", action_button(actions["blind"], style="link", text="Blind test…")
        )
        self.ab = AbSwitch()
        self.match = QCheckBox("Match loudness")
        self.match.setToolTip(
            "Set what a network plays to the loudness of the input, measured by ITU-R BS.1770.\n"
            "Louder sounds better, so a fair comparison needs equal loudness. (M)"
        )
        self.match_db = label("off", "muted")
        self.mix = LabelledSlider("Octave", 0, 100 * MAX_MIX, 100, step=1, text="{:.0f} %")
        self.mix.slider.setObjectName("mix")
        self.mix.slider.setToolTip(
            "How much of the restored octave is added; above 100 % is more than the network\n"
            "estimates. Double-click for 100 %. (Up, Down)"
        )
        gains = {"low": -GAIN_LIMIT_DB, "high": GAIN_LIMIT_DB, "default": 0.0, "step": 0.5}
        self.input_gain = LabelledSlider("Input gain", **gains, text="{:+.1f} dB")
        self.output_gain = LabelledSlider("Output gain", **gains, text="{:+.1f} dB")
        self._sliders = self.mix, self.input_gain, self.output_gain
        self._two_networks = False
        self._match_gains_db = {True: 0.0, False: 0.0}
        """By bypass: of A, which is changed only if it is a network, and of B."""
        self.body.addWidget(self.ab)
        self.add_row(self.match, None, self.match_db)
        for slider in self._sliders:
            self.body.addWidget(slider)
            slider.slider.valueChanged.connect(self.changed)
        self.ab.chosen.connect(self.set_bypass)
        actions["match"].toggled.connect(self.match.setChecked)
        self.match.toggled.connect(actions["match"].setChecked)
        self.match.toggled.connect(self._update_match_text)
        self.match.toggled.connect(self.changed)

    @property
    def parameters(self) -> Parameters:
        """The current parameters."""
        bypass = self.ab.bypass
        matched = self._match_gains_db[bypass] if self.match.isChecked() else 0.0
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

    def set_names(self, a: str, b: str) -> None:
        """Name two networks; an empty `a` names the original and the restored sound."""
        self._two_networks = bool(a)
        self._match_gains_db = {True: 0.0, False: 0.0}
        self.ab.set_names(a, b)
        self._update_match_text()

    def set_bypass(self, bypass: bool) -> None:
        """Choose A or B and emit `changed`."""
        if bypass != self.ab.bypass:
            self.ab.set_bypass(bypass)
            self.changed.emit()

    def set_match_gain(self, gain_db: float) -> None:
        """Set the gain of the loudness match for what plays; ignores changes below 0.1 dB."""
        bypass = self.ab.bypass
        if abs(gain_db - self._match_gains_db[bypass]) >= 0.1:
            self._match_gains_db[bypass] = round(gain_db, 1)
            self._update_match_text()
            if self.match.isChecked():
                self.changed.emit()

    def set_blind(self, blind: bool) -> None:
        """Disable the controls during a blind test."""
        for part in (self.ab, self.match, *self._sliders):
            part.setEnabled(not blind)

    def _update_match_text(self) -> None:
        a, b = self._match_gains_db[True], self._match_gains_db[False]
        text = f"A {a:+.1f}, B {b:+.1f} dB" if self._two_networks else f"B {b:+.1f} dB"
        self.match_db.setText(with_minus(text) if self.match.isChecked() else "off")
