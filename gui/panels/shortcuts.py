"""All keys of the window, in one table that the help page shows too."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTextEdit,
    QWidget,
)

from gui.spectrogram.color_bar import ColourBar
from gui.widgets.ab_switch import AbSwitch

HOLD_S = 0.3
"""A key that is held longer compares: letting it go takes back what pressing it did."""

REPEATED = frozenset({"back", "forward", "more", "less"})
"""Actions that a held key does over and over."""


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
    Key("refresh", Qt.Key.Key_F5, "F5", "Rescan the sound devices"),
    Key("dismiss", Qt.Key.Key_Escape, "Esc", "Dismiss a message, leave the blind test"),
    Key("help", Qt.Key.Key_F1, "F1", "Help"),
    Key("menu", Qt.Key.Key_F10, "F10", "Menu"),
    Key("quit", Qt.Key.Key_Q, "Ctrl+Q", "Quit", control=True),
)


class Keyboard(QObject):
    """The shortcuts of one window, and keys that are held.

    A shortcut takes its key before the focused widget sees it. While a widget that has a use of its
    own for a key has the focus, the shortcut is off.

    Args:
        window: Whose keys they are; it passes the keys that are let go to :meth:`key_released`.
        act: Called with an action's name.
        release: Called with an action's name when its key was held and is let go.
    """

    def __init__(
        self, window: QWidget, act: Callable[[str], None], release: Callable[[str], None]
    ) -> None:
        super().__init__(window)
        self._act, self._release = act, release
        self._down: dict[int, tuple[Key, float]] = {}
        self._shortcuts = {key: self._shortcut(key, window) for key in KEYS}
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_changed)

    def _shortcut(self, key: Key, window: QWidget) -> QShortcut:
        modifiers = Qt.KeyboardModifier.NoModifier
        if key.control:
            modifiers |= Qt.KeyboardModifier.ControlModifier
        if key.shift:
            modifiers |= Qt.KeyboardModifier.ShiftModifier
        shortcut = QShortcut(QKeySequence(QKeyCombination(modifiers, key.key)), window)
        shortcut.setAutoRepeat(key.action in REPEATED)
        shortcut.activated.connect(lambda: self._pressed(key))
        return shortcut

    def _pressed(self, key: Key) -> None:
        self._down[key.key] = key, time.monotonic()
        self._act(key.action)

    def key_released(self, event: QKeyEvent) -> None:
        """Take back what pressing the key did if it was held."""
        if event.isAutoRepeat():
            return
        key, since = self._down.pop(event.key(), (None, 0.0))
        if key is not None and time.monotonic() - since > HOLD_S:
            self._release(key.action)

    def _focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        for key, shortcut in self._shortcuts.items():
            shortcut.setEnabled(now is None or not _is_wanted_by(now, key.key))


def _is_wanted_by(widget: QWidget, key: Qt.Key) -> bool:
    """Whether a focused widget has a use of its own for a key."""
    if isinstance(widget, QLineEdit | QTextEdit | QAbstractSpinBox):
        return True
    if isinstance(widget, QComboBox):
        return key not in (Qt.Key.Key_F1, Qt.Key.Key_F5)
    if key == Qt.Key.Key_Space:
        # Who walked there with the tab key means the button under the focus.
        return isinstance(widget, QAbstractButton | AbSwitch | ColourBar)
    if key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
        return isinstance(widget, QAbstractSlider | AbSwitch | ColourBar)
    return False
