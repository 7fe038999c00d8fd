"""Small widgets that all panels share."""

from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.text import with_minus

Kind = TypeVar("Kind", bound=QWidget)


def create(kind: type[Kind], **properties: Any) -> Kind:
    """A widget with these Qt properties; PySide's type hints lack the inherited ones."""
    return kind(**properties)


def label(text: str, role: str = "", **properties: Any) -> QLabel:
    """A label with a role of the style sheet, such as muted, and more Qt properties."""
    widget = QLabel(text, **properties)
    widget.setProperty("role", role)
    return widget


def action_button(action: QAction, *, style: str = "plain", text: str = "") -> QToolButton:
    """A button of an action, in a style of the style sheet; `text` replaces the action's."""
    if text:
        action.setIconText(text)
    button = create(QToolButton, objectName=style, accessibleName=action.text())
    button.setDefaultAction(action)
    button.setIconSize(QSize(16, 16))
    return button


def fill(
    layout: QBoxLayout,
    *parts: QWidget | QBoxLayout | None,
    spacing: int = 0,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> QBoxLayout:
    """Add widgets and layouts to a layout; None is a stretch."""
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    return layout


def set_tone(widget: QWidget, tone: str) -> None:
    """Colour a widget by the style sheet's rule for a tone, such as good or bad."""
    if widget.property("tone") != tone:
        widget.setProperty("tone", tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Section(QFrame):
    """A panel with a heading and a widget at the right of it; add to ``body``."""

    def __init__(self, heading: str, right: QWidget) -> None:
        super().__init__()
        self.setObjectName("section")
        self.body = fill(QVBoxLayout(self), spacing=8, margins=(14, 11, 14, 13))
        self.add_row(label(heading, "heading"), None, right)

    def add_row(self, *parts: QWidget | QBoxLayout | None, spacing: int = 6) -> QBoxLayout:
        """Add a row of widgets and layouts; None is a stretch."""
        row = fill(QHBoxLayout(), *parts, spacing=spacing)
        self.body.addLayout(row)
        return row


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

    def __init__(
        self, name: str, low: float, high: float, default: float, *, step: float, text: str
    ) -> None:
        super().__init__()
        self.name, self._default, self._step, self._text = name, default, step, text
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(low / step), round(high / step))
        self.slider.setToolTip(f"{name}: double-click for {text.format(default)}")
        self.slider.installEventFilter(self)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        self._number = label("", alignment=right, minimumWidth=58)
        caption = label(name, "muted", minimumWidth=82)
        fill(QHBoxLayout(self), caption, self.slider, self._number, spacing=8).setStretch(1, 1)
        self.set_value(default)
        self._changed()
        self.slider.valueChanged.connect(self._changed)

    @property
    def value(self) -> float:
        """Current value."""
        return self.slider.value() * self._step

    def set_value(self, value: float) -> None:
        """Move the slider."""
        self.slider.setValue(round(value / self._step))

    def _changed(self) -> None:
        text = with_minus(self._text.format(self.value))
        self._number.setText(text)
        self.slider.setAccessibleName(f"{self.name}, {text}")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Reset the slider by a double-click."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.set_value(self._default)
            return True
        return False
