"""The bar below the spectrograms: file position and view options."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget

from gui.control.actions import Actions
from gui.spectrogram.frequency_scale import Scale
from gui.widgets.basic import label
from gui.widgets.text import DASH
from realtime.engine.snapshot import Snapshot

STEP_S = 5.0


class SeekBar(QSlider):
    """Position slider in units of 0.1 s; a click jumps."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSingleStep(10)
        self.setPageStep(50)
        self.setTracking(False)

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
        self.loop = self._button(actions["loop"])
        self.clock = label("", "muted")
        self.clock.setMinimumWidth(84)
        self.seek = SeekBar()
        self.seek.setAccessibleName("Position in the file")
        self.seek.setToolTip("Position in the file (left and right arrow)")
        self.scales = {scale: self._button(actions[scale.value]) for scale in Scale}
        self.spectrum = self._button(actions["spectrum"])
        self.wave = self._button(actions["wave"])
        self.freeze = self._button(actions["freeze"])
        self.loop_picture = self._button(actions["loop_picture"])
        self._loop = actions["loop"]
        self._lay_out()
        self.seek.valueChanged.connect(self._seek)
        self.seek.sliderMoved.connect(lambda at: self._show_time(at / 10, self.seek.maximum() / 10))
        self.show_position(None)

    @staticmethod
    def _button(action: QAction) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setAccessibleName(action.text())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setIconSize(QSize(16, 16))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setObjectName("plain")
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 12, 8)
        row.setSpacing(4)
        self.loop.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        row.addWidget(self.loop)
        row.addSpacing(4)
        row.addWidget(self.clock)
        row.addWidget(self.seek, 1)
        row.addSpacing(18)
        for button in self.scales.values():
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            row.addWidget(button)
        row.addSpacing(14)
        for button in (self.spectrum, self.wave, self.freeze, self.loop_picture):
            row.addWidget(button)

    def show_position(self, snapshot: Snapshot | None) -> None:
        """Show the position in a file; devices have none."""
        is_file = snapshot is not None and snapshot.length_s > 0
        self.seek.setEnabled(is_file)
        self._loop.setEnabled(is_file or snapshot is None)
        if not is_file or snapshot is None:
            self.seek.blockSignals(True)
            self.seek.setValue(0)
            self.seek.blockSignals(False)
            _set_text(self.clock, "Live input" if snapshot is not None else DASH)
            return
        if self.seek.isSliderDown():
            return
        self.seek.blockSignals(True)
        self.seek.setMaximum(max(1, round(snapshot.length_s * 10)))
        self.seek.setValue(round(snapshot.position_s * 10))
        self.seek.blockSignals(False)
        self._show_time(snapshot.position_s, snapshot.length_s)

    def step(self, seconds: float) -> None:
        """Move in the file."""
        if self.seek.isEnabled():
            at = self.seek.value() / 10 + seconds
            self.seek_requested.emit(min(max(at, 0.0), self.seek.maximum() / 10))

    def _seek(self, at: int) -> None:
        self.seek_requested.emit(at / 10)

    def _show_time(self, at_s: float, of_s: float) -> None:
        _set_text(self.clock, f"{format_time(at_s)} / {format_time(of_s)}")


def format_time(seconds: float) -> str:
    """Like ``1:02`` or ``1:02:03``."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _set_text(place: object, text: str) -> None:
    if place.text() != text:  # type: ignore[attr-defined]
        place.setText(text)  # type: ignore[attr-defined]
