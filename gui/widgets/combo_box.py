"""A drop-down list with headings, and a caption above it."""

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
    """Shows choices; tells only what a user picks, not what the program sets."""

    picked = Signal(object)
    """A :class:`gui.widgets.device_choices.Choice`."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.name = name
        self.lines: list[Choice] = []
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(9)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setItemDelegate(_Lines(self))
        self.setMaxVisibleItems(24)
        self.activated.connect(self._pick)
        self._name_it()

    def set_lines(self, lines: list[Choice], chosen: str) -> None:
        """Show other choices, one of them chosen by value, key or name."""
        if lines != self.lines:
            self.lines = lines
            self._fill()
        self.choose(chosen)

    def choose(self, wanted: str) -> bool:
        """Show one as chosen; False, and the first one, if it is not there."""
        at = find(self.lines, wanted)
        first = next((i for i, line in enumerate(self.lines) if not line.heading), -1)
        self.setCurrentIndex(at if at >= 0 else first)
        self._name_it()
        return at >= 0

    @property
    def chosen(self) -> Choice | None:
        """What is chosen."""
        at = self.currentIndex()
        return self.lines[at] if 0 <= at < len(self.lines) else None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave it: a turn of the wheel on the way must not change the device."""
        event.ignore()

    def _fill(self) -> None:
        self.clear()
        model = self.model()
        for at, line in enumerate(self.lines):
            self.addItem(line.label)
            self.setItemData(at, line.label, Qt.ItemDataRole.AccessibleTextRole)
            self.setItemData(at, line.heading, _HEADING)
            if line.detail:
                self.setItemData(at, line.detail, Qt.ItemDataRole.ToolTipRole)
            if line.heading and isinstance(model, QStandardItemModel):
                model.item(at).setEnabled(False)
        view = self.view()
        view.setMinimumWidth(max(view.sizeHintForColumn(0) + 34, self.width()))

    def _pick(self, at: int) -> None:
        self._name_it()
        self.picked.emit(self.lines[at])

    def _name_it(self) -> None:
        self.setAccessibleName(f"{self.name}: {self.currentText()}")
        chosen = self.chosen
        self.setToolTip(chosen.detail or chosen.label if chosen else self.name)

    def paintEvent(self, event: QPaintEvent) -> None:
        """As usual, but a long name ends in dots, and the arrow has the theme's colour."""
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


class _Lines(QStyledItemDelegate):
    """Headings stand out from what can be chosen."""

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
        """Whether a heading stands above: it and what follows are set in."""
        rows = range(index.row())
        return any(index.model().index(row, 0).data(_HEADING) for row in rows)


class Field(QWidget):
    """A caption above something to choose."""

    def __init__(self, caption: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        line = label(caption, "caption")
        line.setBuddy(content)
        column.addWidget(line)
        column.addWidget(content)
