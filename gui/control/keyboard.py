"""Keys that a focused widget needs itself, and keys that are held."""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
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

from gui.control.actions import ACTIONS, Actions
from gui.spectrogram.color_bar import ColourBar
from gui.widgets.ab_switch import AbSwitch

HOLD_S = 0.3
"""Releasing a key after this time undoes its action, so that holding it compares."""

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class Keyboard(QObject):
    """Decides between a shortcut and the focused widget, and reports held keys.

    Qt asks the focused widget by a ``ShortcutOverride`` event whether it wants a key. The event
    filter that answers is installed on this one widget only.

    Args:
        window: The window; passes key releases to :meth:`key_released`.
        actions: The actions with their shortcuts.
        release: Called with an action's name when its key was held and is released.
    """

    def __init__(self, window: QWidget, actions: Actions, release: Callable[[str], None]) -> None:
        super().__init__(window)
        self._release = release
        self._pressed: dict[int, tuple[str, float]] = {}
        for spec in ACTIONS:
            action = actions[spec.name]
            if spec.keys:
                # PySide6 supports the index, its stub does not know it.
                key = action.shortcut()[0].key()  # type: ignore[index]
                action.triggered.connect(
                    lambda _=False, key=key, name=spec.name: self._press(key, name)
                )
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_changed)

    def _press(self, key: Qt.Key, name: str) -> None:
        self._pressed[key] = name, time.monotonic()

    def key_released(self, event: QKeyEvent) -> None:
        """Report a key that was held."""
        if event.isAutoRepeat():
            return
        name, since = self._pressed.pop(event.key(), ("", 0.0))
        if name and time.monotonic() - since > HOLD_S:
            self._release(name)

    def _focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is not None:
            old.removeEventFilter(self)
        if new is not None:
            new.installEventFilter(self)

    def eventFilter(self, widget: QObject, event: QEvent) -> bool:
        """Leave a key to the focused widget."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and isinstance(widget, QWidget)
            and event.modifiers() in (Qt.KeyboardModifier.NoModifier,
                                      Qt.KeyboardModifier.ShiftModifier)
            and _is_wanted_by(widget, event.key())
        ):  # fmt: skip
            event.accept()
            return True
        return False


def _is_wanted_by(widget: QWidget, key: int) -> bool:
    """Whether a focused widget has its own use for a key."""
    if isinstance(widget, QLineEdit | QTextEdit | QAbstractSpinBox):
        return True
    if isinstance(widget, QComboBox):
        return not Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
    if key == Qt.Key.Key_Space:
        # After tabbing to a button, Space means the button.
        return isinstance(widget, QAbstractButton | AbSwitch | ColourBar)
    if key in _ARROWS or key == Qt.Key.Key_Home:
        return isinstance(widget, QAbstractSlider | AbSwitch | ColourBar)
    return False
