"""A drop-down list of choices with headings."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QStandardItem, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QStyleOptionComboBox

from gui.widgets.device_choices import Choice, find
from gui.widgets.theme import base_font

_ARROW_WIDTH = 40


class ChoiceBox(QComboBox):
    """Shows choices; `picked` reports only choices of the user."""

    picked = Signal(object)
    """A :class:`gui.widgets.device_choices.Choice`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.choices: list[Choice] = []
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(7)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaxVisibleItems(24)
        self.currentIndexChanged.connect(self._describe)
        self.activated.connect(lambda at: self.picked.emit(self.choices[at]))
        self._describe()

    def set_choices(self, choices: list[Choice], chosen: str) -> None:
        """Replace the choices and select one by value, key or name."""
        if choices != self.choices:
            self.choices = choices
            self._items.clear()
            for choice in choices:
                item = QStandardItem(choice.label)
                item.setToolTip(choice.detail)
                if choice.heading:
                    item.setEnabled(False)
                    item.setFont(base_font(11, weight=QFont.Weight.DemiBold))
                self._items.appendRow(item)
            view = self.view()
            view.setMinimumWidth(max(view.sizeHintForColumn(0) + 34, self.width()))
        self.choose(chosen)

    def choose(self, wanted: str) -> bool:
        """Select a choice; if it is missing, select the first and return False."""
        at = find(self.choices, wanted)
        self.setCurrentIndex(max(at, 0))
        return at >= 0

    @property
    def chosen(self) -> Choice | None:
        """The selected choice."""
        at = self.currentIndex()
        return self.choices[at] if at >= 0 else None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ignore the wheel: scrolling past must not change the device."""
        event.ignore()

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """Elide the text; a style sheet's combo box only cuts it off."""
        super().initStyleOption(option)
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, self.width() - _ARROW_WIDTH
        )

    def _describe(self) -> None:
        self.setAccessibleName(f"{self.name}: {self.currentText()}")
        chosen = self.chosen
        self.setToolTip(chosen.detail or chosen.label if chosen else self.name)
