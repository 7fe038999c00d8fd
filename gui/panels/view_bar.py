"""The bar below the spectrograms: file position and view options."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from gui.control.actions import Actions
from gui.spectrogram.frequency_scale import Scale
from gui.widgets.basic import action_button, create, fill, label
from gui.widgets.text import DASH
from realtime.engine.snapshot import Snapshot

STEP_S = 5.0


class SeekBar(QSlider):
    """Position slider in units of 0.1 s; a click jumps."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump to the click and continue as a drag."""
        share = (event.position().x() - 7) / max(self.width() - 14, 1)
        self.setSliderPosition(round(min(max(share, 0), 1) * self.maximum()))
        super().mousePressEvent(event)


class ViewBar(QWidget):
    """Loop, seek, axis, overlays and freeze."""

    seek_requested = Signal(float)
    """Continue at this position in seconds."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._loop = actions["loop"]
        self.clock = label("", "muted", minimumWidth=88)
        self.seek = create(
            SeekBar, orientation=Qt.Orientation.Horizontal, singleStep=10, pageStep=50,
            tracking=False, accessibleName="Position in the file",
            toolTip="Position in the file (left and right arrow)",
        )  # fmt: skip
        self.scales = {scale: action_button(actions[scale.value]) for scale in Scale}
        self.spectrum, self.wave, self.freeze, self.loop_picture = (
            action_button(actions[name]) for name in ("spectrum", "wave", "freeze", "loop_picture")
        )
        views = [*self.scales.values(), self.spectrum, self.wave, self.freeze, self.loop_picture]
        for button in views:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        row = fill(QHBoxLayout(self), action_button(self._loop), self.clock, self.seek, *views,
                   spacing=4, margins=(14, 4, 12, 8))  # fmt: skip
        row.setStretch(2, 1)
        row.insertSpacing(row.indexOf(self.spectrum), 14)
        row.insertSpacing(row.indexOf(views[0]), 18)
        self.seek.valueChanged.connect(lambda at: self.seek_requested.emit(at / 10))
        self.seek.sliderMoved.connect(lambda at: self._show_time(at / 10, self.seek.maximum() / 10))
        self.show_position(None)

    def show_position(self, snapshot: Snapshot | None) -> None:
        """Show the position in a file; devices have none."""
        is_file = snapshot is not None and snapshot.length_s > 0
        self.seek.setEnabled(is_file)
        self._loop.setEnabled(is_file or snapshot is None)
        if self.seek.isSliderDown() and is_file:
            return
        with QSignalBlocker(self.seek):
            self.seek.setMaximum(max(1, round(snapshot.length_s * 10)) if snapshot else 1)
            self.seek.setValue(round(snapshot.position_s * 10) if snapshot else 0)
        if snapshot is not None and is_file:
            self._show_time(snapshot.position_s, snapshot.length_s)
        else:
            self.clock.setText(DASH if snapshot is None else "Live input")

    def step(self, seconds: float) -> None:
        """Move in the file."""
        if self.seek.isEnabled():
            at = self.seek.value() / 10 + seconds
            self.seek_requested.emit(min(max(at, 0.0), self.seek.maximum() / 10))

    def _show_time(self, at_s: float, of_s: float) -> None:
        self.clock.setText(f"{format_time(at_s)} / {format_time(of_s)}")


def format_time(seconds: float) -> str:
    """Like ``1:02`` or ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
