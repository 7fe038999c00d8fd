"""All keys of the window, in one table that the help page shows too."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTextEdit,
    QWidget,
)

HOLD_S = 0.3
"""A key that is held longer compares: letting it go takes back what pressing it did."""


@dataclass(frozen=True)
class Key:
    """One key of the window."""

    action: str
    """Name under which the window does it."""
    key: Qt.Key
    label: str
    help: str
    control: bool = False
    shift: bool = False


KEYS = (
    Key("start", Qt.Key.Key_Space, "Space", "Start and stop"),
    Key("bypass", Qt.Key.Key_B, "B", "A or B: tap to change over, hold to compare"),
    Key("listen_a", Qt.Key.Key_A, "A", "Listen to A"),
    Key("match", Qt.Key.Key_M, "M", "Match loudness of A and B"),
    Key("blind", Qt.Key.Key_X, "X", "Blind test (ABX)"),
    Key("answer_a", Qt.Key.Key_A, "Shift+A", "Blind test: X is A", shift=True),
    Key("answer_b", Qt.Key.Key_B, "Shift+B", "Blind test: X is B", shift=True),
    Key("record", Qt.Key.Key_R, "R", "Record input and output"),
    Key("freeze", Qt.Key.Key_F, "F", "Freeze the pictures; the audio goes on"),
    Key("linear", Qt.Key.Key_1, "1", "Linear frequency axis"),
    Key("mel", Qt.Key.Key_2, "2", "Mel frequency axis"),
    Key("log", Qt.Key.Key_3, "3", "Logarithmic frequency axis"),
    Key("spectrum", Qt.Key.Key_S, "S", "Spectra of input, output and their difference"),
    Key("wave", Qt.Key.Key_W, "W", "Waveforms"),
    Key("loop", Qt.Key.Key_L, "L", "Play a file over and over"),
    Key("back", Qt.Key.Key_Left, "Left", "Five seconds back in a file"),
    Key("forward", Qt.Key.Key_Right, "Right", "Five seconds forward in a file"),
    Key("more", Qt.Key.Key_Up, "Up", "More of the restored octave"),
    Key("less", Qt.Key.Key_Down, "Down", "Less of the restored octave"),
    Key("reset", Qt.Key.Key_0, "0", "Reset fault counters and clip lights"),
    Key("open", Qt.Key.Key_O, "Ctrl+O", "Open a file as input", control=True),
    Key("refresh", Qt.Key.Key_F5, "F5", "Look for sound devices again"),
    Key("dismiss", Qt.Key.Key_Escape, "Esc", "Dismiss a message, leave the blind test"),
    Key("help", Qt.Key.Key_F1, "F1", "Help"),
    Key("menu", Qt.Key.Key_F10, "F10", "Menu"),
    Key("quit", Qt.Key.Key_Q, "Ctrl+Q", "Quit", control=True),
)


class Keyboard(QObject):
    """Sees the keys of one window before its widgets do.

    Args:
        window: Whose keys they are.
        act: Called with an action's name.
        release: Called with an action's name when its key was held and is let go.
    """

    def __init__(
        self, window: QWidget, act: Callable[[str], None], release: Callable[[str], None]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._act, self._release = act, release
        self._down: dict[int, float] = {}
        self._keys = {(int(key.key), key.control, key.shift): key for key in KEYS}
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that are ours."""
        kind = event.type()
        if kind not in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            return False
        if not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget):
            return False
        if watched.window() is not self._window or QApplication.activePopupWidget() is not None:
            return False
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        others = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        key = self._keys.get((event.key(), control, shift))
        if key is None or event.modifiers() & others or _is_wanted_by(watched, key.key):
            return False
        if event.isAutoRepeat() and key.action not in ("back", "forward", "more", "less"):
            return True
        if kind == QEvent.Type.KeyPress:
            self._down[event.key()] = time.monotonic()
            self._act(key.action)
        else:
            since = self._down.pop(event.key(), None)
            if since is not None and time.monotonic() - since > HOLD_S:
                self._release(key.action)
        return True


def _is_wanted_by(widget: QWidget, key: Qt.Key) -> bool:
    """Whether a focused widget has a use of its own for a key."""
    if isinstance(widget, QLineEdit | QTextEdit | QAbstractSpinBox):
        return True
    arrows = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
    if key == Qt.Key.Key_Space:
        # Who walked there with the tab key means the button under the focus.
        return isinstance(widget, QAbstractButton | QComboBox) or _takes_keys(widget)
    if key in arrows:
        return isinstance(widget, QComboBox) or _takes_keys(widget) or _is_slider(widget)
    return isinstance(widget, QComboBox) and key not in (Qt.Key.Key_F1, Qt.Key.Key_F5)


def _takes_keys(widget: QWidget) -> bool:
    return (
        widget.hasFocus()
        and type(widget).keyPressEvent is not QWidget.keyPressEvent
        and (type(widget).__name__ in ("AbButton", "ColourBar"))
    )


def _is_slider(widget: QWidget) -> bool:
    return widget.inherits("QAbstractSlider") and widget.hasFocus()
