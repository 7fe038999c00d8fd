"""The status bar: state, signal path with its rates, recording and cross-hair."""

from PySide6.QtWidgets import QStatusBar

from gui.widgets.basic import label, set_tone
from realtime.engine.snapshot import Snapshot
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

_SIGNS = {"Running": ("●", "good"), "Loading": ("◌", "warn"), "Failed": ("✕", "bad")}


class StatusBar(QStatusBar):
    """Shows the state in words, with a sign and a colour."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(30)
        self.setContentsMargins(12, 0, 14, 0)
        self.setSizeGripEnabled(False)
        self._sign, self.state, self.route = label("", "sign"), label(""), label("", "muted")
        self._recording_sign, self.recording = label("●", "sign"), label("")
        self.read_out = label("", "muted", accessibleName="Cross-hair")
        for part in (self._sign, self.state, self.route, self._recording_sign, self.recording):
            self.addWidget(part)
        self.addPermanentWidget(self.read_out)
        set_tone(self._recording_sign, "bad")
        self.show_recording("")

    def show_state(self, word: str, detail: str = "") -> None:
        """Show the state.

        Args:
            word: Running, Loading, Stopped, Finished or Failed.
            detail: Text after it.
        """
        sign, tone = _SIGNS.get(word, ("■", ""))
        self._sign.setText(sign)
        set_tone(self._sign, tone)
        self.state.setText(f"{word}: {detail}" if detail else word)

    def show_route(self, snapshot: Snapshot, *, source: str, destination: str) -> None:
        """Show the signal path, with the rates and models of a snapshot.

        Args:
            snapshot: Of the running engine.
            source: Name of the input.
            destination: Name of the output.
        """
        before = _rates(snapshot.input_rate_hz, SAMPLE_RATE_IN)
        after = _rates(SAMPLE_RATE_OUT, snapshot.output_rate_hz)
        model = snapshot.model
        if snapshot.model_b:
            model = f"A {snapshot.model_b} | B {model}"
        self.route.setText(f"{source}  ·  {before} → {model} → {after}  ·  {destination}")

    def show_recording(self, text: str) -> None:
        """Show the time of the recording."""
        self._recording_sign.setVisible(bool(text))
        self.recording.setText(text)


def _rates(*rates_hz: int) -> str:
    return " → ".join(f"{rate_hz / 1000:g} kHz" for rate_hz in dict.fromkeys(rates_hz))
