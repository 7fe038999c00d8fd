"""Small widgets that all panels share."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.text import with_minus


class Section(QFrame):
    """A panel with a heading; add to ``body``."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self.setObjectName("section")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(14, 11, 14, 13)
        self.body.setSpacing(8)
        self.head = self.add_row(label(heading, "heading"), None)

    def add_row(self, *parts: QWidget | None) -> QHBoxLayout:
        """Add a row of widgets; None is a stretch."""
        row = QHBoxLayout()
        row.setSpacing(6)
        for part in parts:
            row.addStretch(1) if part is None else row.addWidget(part)
        self.body.addLayout(row)
        return row


def label(text: str, role: str = "") -> QLabel:
    """A label with a role of the style sheet: heading, muted, caption, big."""
    widget = QLabel(text)
    widget.setProperty("role", role)
    return widget


def set_tone(widget: QWidget, tone: str) -> None:
    """Colour a widget by the style sheet's rule for a tone: good, warn, bad; empty for none."""
    if widget.property("tone") != tone:
        widget.setProperty("tone", tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def action_button(action: QAction, *, style: str = "plain", text: str = "") -> QToolButton:
    """A button of an action, in a style of the style sheet; `text` replaces the action's."""
    button = QToolButton()
    if text:
        action.setIconText(text)
    button.setDefaultAction(action)
    button.setObjectName(style)
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setIconSize(QSize(16, 16))
    return button


class LabelledSlider(QWidget):
    """A slider with its name and value; a double-click returns to the default.

    Args:
        name: Displayed name.
        low: Smallest value.
        high: Largest value.
        default: First value.
        step: Difference between two positions.
        text: Format of the displayed value.
    """

    moved = Signal(float)
    """The new value."""

    def __init__(
        self, name: str, low: float, high: float, default: float, *, step: float, text: str
    ) -> None:
        super().__init__()
        self.name, self._default, self._step, self._text = name, default, step, text
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(low / step), round(high / step))
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setToolTip(f"{name}: double-click for {text.format(default)}")
        self.slider.installEventFilter(self)
        self._number = label("")
        self._number.setFixedWidth(58)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        caption = label(name, "muted")
        caption.setFixedWidth(82)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(caption)
        row.addWidget(self.slider, 1)
        row.addWidget(self._number)
        self.set_value(default)
        self._changed()
        self.slider.valueChanged.connect(self._changed)

    @property
    def value(self) -> float:
        """Current value."""
        return self.slider.value() * self._step

    def set_value(self, value: float) -> None:
        """Move the slider; emits `moved`."""
        self.slider.setValue(round(value / self._step))

    def _changed(self) -> None:
        text = with_minus(self._text.format(self.value))
        self._number.setText(text)
        self.slider.setAccessibleName(f"{self.name}, {text}")
        self.moved.emit(self.value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Reset the slider by a double-click."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.set_value(self._default)
            return True
        return False
