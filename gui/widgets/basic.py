"""Small widgets that all panels share."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from gui.widgets.text import with_minus


class Section(QFrame):
    """A panel with a heading; add to ``body``."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self.setObjectName("section")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(14, 11, 14, 13)
        self.body.setSpacing(8)
        self.head = QHBoxLayout()
        self.head.setSpacing(6)
        self.head.addWidget(label(heading, "heading"))
        self.head.addStretch(1)
        self.body.addLayout(self.head)


def label(text: str, role: str = "") -> QLabel:
    """A label with a role of the style sheet: heading, muted, caption, big."""
    widget = QLabel(text)
    if role:
        widget.setProperty("role", role)
    return widget


class Slider(QSlider):
    """A slider that a double-click resets to its default."""

    def __init__(self, low: int, high: int, default: int) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(low, high)
        self.setValue(default)
        self.default = default
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Reset to the default."""
        self.setValue(self.default)


class LabelledSlider(QWidget):
    """A slider with its name and value."""

    moved = Signal(float)
    """The new value."""

    def __init__(
        self,
        name: str,
        *,
        low: float,
        high: float,
        default: float,
        steps_per_unit: int,
        text_format: str,
    ) -> None:
        super().__init__()
        self.name = name
        self._per_unit = steps_per_unit
        self._text_format = text_format
        self.slider = Slider(
            round(low * steps_per_unit), round(high * steps_per_unit),
            round(default * steps_per_unit),
        )  # fmt: skip
        self.slider.setToolTip(f"{name}: double-click for {text_format.format(default)}")
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
        self.slider.valueChanged.connect(self._changed)
        self._update_text()

    @property
    def value(self) -> float:
        """Current value."""
        return self.slider.value() / self._per_unit

    def set_value(self, value: float) -> None:
        """Move the slider; emits `moved`."""
        self.slider.setValue(round(value * self._per_unit))

    def _changed(self) -> None:
        self._update_text()
        self.moved.emit(self.value)

    def _update_text(self) -> None:
        text = with_minus(self._text_format.format(self.value))
        self._number.setText(text)
        self.slider.setAccessibleName(f"{self.name}, {text}")
