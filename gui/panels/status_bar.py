"""The status bar: state, signal path with its rates, recording and cross-hair."""

from PySide6.QtWidgets import QFrame, QHBoxLayout

from gui.widgets.basic import label
from gui.widgets.theme import Theme
from realtime.engine.snapshot import Snapshot
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

_SIGNS = {
    "Running": ("●", "good"),
    "Loading": ("◌", "warn"),
    "Stopped": ("■", "muted"),
    "Finished": ("■", "muted"),
    "Failed": ("✕", "bad"),
}


class StatusBar(QFrame):
    """Shows the state in words, with a sign and a colour."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("statusLine")
        self.setFixedHeight(30)
        self.theme = theme
        self.state = label("")
        self.route = label("", "muted")
        self.recording = label("")
        self.read_out = label("", "muted")
        self.read_out.setAccessibleName("Cross-hair")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(18)
        row.addWidget(self.state)
        row.addWidget(self.route)
        row.addWidget(self.recording)
        row.addStretch(1)
        row.addWidget(self.read_out)
        self._word = "Stopped"
        self.show_state("Stopped")

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.theme = theme
        self.show_state(self._word)

    def show_state(self, word: str, detail: str = "") -> None:
        """Show the state.

        Args:
            word: Running, Loading, Stopped, Finished or Failed.
            detail: Text after it.
        """
        self._word = word
        sign, colour = _SIGNS[word]
        text = f"{word}: {detail}" if detail else word
        tint = getattr(self.theme, colour)
        self.state.setText(f"<span style='color:{tint}'>{sign}</span>&nbsp; {text}")
        self.state.setAccessibleName(text)

    def show_route(self, snapshot: Snapshot, *, source: str, destination: str) -> None:
        """Show the signal path and its sample rates.

        Args:
            snapshot: Rates and model.
            source: Name of the input.
            destination: Name of the output.
        """
        out = (
            ""
            if snapshot.output_rate_hz == SAMPLE_RATE_OUT
            else f" → {_rate(snapshot.output_rate_hz)}"
        )
        begin = (
            ""
            if snapshot.input_rate_hz == SAMPLE_RATE_IN
            else f"{_rate(snapshot.input_rate_hz)} → "
        )
        text = f"{source}  ·  {begin}22.05 kHz → {snapshot.model} → 44.1 kHz{out}  ·  {destination}"
        if self.route.text() != text:
            self.route.setText(text)

    def show_recording(self, text: str) -> None:
        """Show the time of the recording."""
        shown = f"<span style='color:{self.theme.bad}'>●</span>&nbsp; {text}" if text else ""
        if self.recording.text() != shown:
            self.recording.setText(shown)


def _rate(hz: int) -> str:
    return f"{hz / 1000:g} kHz"
