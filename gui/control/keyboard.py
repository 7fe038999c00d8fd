"""Which keys a focused widget needs itself, so that they are no shortcuts of the window."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QWidget

from gui.spectrogram.color_bar import ColourBar
from gui.widgets.ab_switch import AbSwitch

_MODIFIERS = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
_MOVES = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home)


def is_wanted_by(widget: QWidget | None, event: QKeyEvent) -> bool:
    """Whether a focused widget has its own use for a key.

    Qt asks for it with a ``ShortcutOverride`` event, which the window gets after the widget.
    """
    key = event.key()
    if event.modifiers() not in _MODIFIERS:
        return False
    if isinstance(widget, QComboBox):
        return not Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
    if key == Qt.Key.Key_Space:
        # After tabbing to a button, Space means the button.
        return isinstance(widget, QAbstractButton | AbSwitch | ColourBar)
    return key in _MOVES and isinstance(widget, QAbstractSlider | AbSwitch | ColourBar)
