"""A drop-down list with headings, and a captioned field."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QStandardItemModel,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.basic import label
from gui.widgets.device_choices import Choice, find
from gui.widgets.theme import Theme, base_font

_HEADING = Qt.ItemDataRole.UserRole + 1


class ChoiceBox(QComboBox):
    """Shows choices; `picked` reports only choices of the user."""

    picked = Signal(object)
    """A :class:`gui.widgets.device_choices.Choice`."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self.name = name
        self.choices: list[Choice] = []
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(9)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setItemDelegate(_ChoiceDelegate(self))
        self.setMaxVisibleItems(24)
        self.activated.connect(self._pick)
        self._update_accessible_name()

    def set_choices(self, choices: list[Choice], chosen: str) -> None:
        """Replace the choices and select one by value, key or name."""
        if choices != self.choices:
            self.choices = choices
            self._fill()
        self.choose(chosen)

    def choose(self, wanted: str) -> bool:
        """Select a choice; if it is missing, select the first and return False."""
        at = find(self.choices, wanted)
        first = next((i for i, choice in enumerate(self.choices) if not choice.heading), -1)
        self.setCurrentIndex(at if at >= 0 else first)
        self._update_accessible_name()
        return at >= 0

    @property
    def chosen(self) -> Choice | None:
        """The selected choice."""
        at = self.currentIndex()
        return self.choices[at] if 0 <= at < len(self.choices) else None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ignore the wheel: scrolling past must not change the device."""
        event.ignore()

    def _fill(self) -> None:
        self.clear()
        model = self.model()
        for at, choice in enumerate(self.choices):
            self.addItem(choice.label)
            self.setItemData(at, choice.label, Qt.ItemDataRole.AccessibleTextRole)
            self.setItemData(at, choice.heading, _HEADING)
            if choice.detail:
                self.setItemData(at, choice.detail, Qt.ItemDataRole.ToolTipRole)
            if choice.heading and isinstance(model, QStandardItemModel):
                model.item(at).setEnabled(False)
        view = self.view()
        view.setMinimumWidth(max(view.sizeHintForColumn(0) + 34, self.width()))

    def _pick(self, at: int) -> None:
        self._update_accessible_name()
        self.picked.emit(self.choices[at])

    def _update_accessible_name(self) -> None:
        self.setAccessibleName(f"{self.name}: {self.currentText()}")
        chosen = self.chosen
        self.setToolTip(chosen.detail or chosen.label if chosen else self.name)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box with an elided name and an arrow in the theme's colour."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, self.width() - 36
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self.theme.colour("muted" if self.isEnabled() else "faint"), 1.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        box = QRectF(self.width() - 20, self.height() / 2 - 2.5, 8, 5)
        tip = box.center()
        tip.setY(box.bottom() - 0.5)
        painter.drawPolyline(QPolygonF([box.topLeft(), tip, box.topRight()]))
        painter.end()


class _ChoiceDelegate(QStyledItemDelegate):
    """Draws headings in bold and indents grouped choices."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        if index.data(_HEADING):
            option.font = base_font(11, weight=QFont.Weight.DemiBold)
        elif self._grouped(index):
            option.text = f"    {option.text}"

    @staticmethod
    def _grouped(index: QModelIndex | QPersistentModelIndex) -> bool:
        """Whether a heading precedes the row."""
        rows = range(index.row())
        return any(index.model().index(row, 0).data(_HEADING) for row in rows)


class Field(QWidget):
    """A widget with a caption above it."""

    def __init__(self, caption: str, content: QWidget) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        choice = label(caption, "caption")
        choice.setBuddy(content)
        column.addWidget(choice)
        column.addWidget(content)
