"""The colour bar: which level has which colour, with a range that can be dragged."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.spectrogram.color_maps import ColourMap, colours
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme, base_font

BOTTOM_DB = -127.5
TOP_DB = 0.0
MIN_RANGE_DB = 20.0
_MARGIN = 12
_BAR = 12


class ColourBar(QWidget):
    """Drag an end to move it, the middle to shift the range; double-click for the default."""

    changed = Signal(float, float)
    """Low and high end in dBFS."""

    def __init__(
        self, theme: Theme, *, low_db: float, high_db: float, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFixedWidth(58)
        self.setMinimumHeight(140)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.setToolTip(
            "Levels in dBFS. Drag an end of the range, or its middle; double-click resets.\n"
            "Keys: up and down shift it, page up and page down widen it."
        )
        self.theme = theme
        self._map = ColourMap.EMBER
        self._default = (low_db, high_db)
        self._range = (low_db, high_db)
        self._grip: tuple[str, float] | None = None
        self._describe()

    @property
    def range_db(self) -> tuple[float, float]:
        """Low and high end in dBFS."""
        return self._range

    def set_map(self, name: ColourMap) -> None:
        """Show another map."""
        self._map = name
        self.update()

    def set_range(self, low_db: float, high_db: float) -> None:
        """Move the range, within what can be shown, and tell."""
        low = min(max(low_db, BOTTOM_DB), TOP_DB - MIN_RANGE_DB)
        high = min(max(high_db, low + MIN_RANGE_DB), TOP_DB)
        if (low, high) != self._range:
            self._range = (low, high)
            self._describe()
            self.update()
            self.changed.emit(low, high)

    def _describe(self) -> None:
        low, high = self._range
        self.setAccessibleName(f"Colour range, {low:.0f} to {high:.0f} decibels full scale")

    def _y(self, level_db: float) -> float:
        span = self.height() - 2 * _MARGIN
        return _MARGIN + span * (TOP_DB - level_db) / (TOP_DB - BOTTOM_DB)

    def _level(self, y: float) -> float:
        span = max(self.height() - 2 * _MARGIN, 1)
        return TOP_DB - (y - _MARGIN) / span * (TOP_DB - BOTTOM_DB)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the nearer end, or the middle."""
        low, high = self._range
        y = event.position().y()
        if abs(y - self._y(high)) < 12:
            self._grip = ("high", 0.0)
        elif abs(y - self._y(low)) < 12:
            self._grip = ("low", 0.0)
        else:
            self._grip = ("both", self._level(y))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what was taken."""
        if self._grip is None:
            return
        low, high = self._range
        level = round(self._level(event.position().y()))
        which, since = self._grip
        if which == "high":
            self.set_range(low, max(level, low + MIN_RANGE_DB))
        elif which == "low":
            self.set_range(min(level, high - MIN_RANGE_DB), high)
        else:
            self._grip = ("both", level)
            self._shift(level - since)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the default."""
        self.set_range(*self._default)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Shift the range."""
        self._shift(event.angleDelta().y() / 60)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Shift and widen by keys."""
        low, high = self._range
        match event.key():
            case Qt.Key.Key_Up:
                self._shift(2)
            case Qt.Key.Key_Down:
                self._shift(-2)
            case Qt.Key.Key_PageUp:
                self.set_range(low - 5, high)
            case Qt.Key.Key_PageDown:
                self.set_range(min(low + 5, high - MIN_RANGE_DB), high)
            case Qt.Key.Key_Home:
                self.set_range(*self._default)
            case _:
                super().keyPressEvent(event)

    def _shift(self, by_db: float) -> None:
        low, high = self._range
        by_db = min(max(by_db, BOTTOM_DB - low), TOP_DB - high)
        self.set_range(low + by_db, high + by_db)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The bar, its range's ends as handles, levels beside it."""
        painter = QPainter(self)
        low, high = self._range
        steps = colours(self._map)
        top, bottom = self._y(TOP_DB), self._y(BOTTOM_DB)
        for y in range(int(top), int(bottom)):
            share = (self._level(y + 0.5) - low) / (high - low)
            index = int(min(max(share, 0), 1) * 255)
            painter.fillRect(QRectF(4, y, _BAR, 1), QColor.fromRgba(int(steps[index])))
        painter.setPen(QPen(self.theme.colour("border"), 1))
        painter.drawRect(QRectF(3.5, top - 0.5, _BAR + 1, bottom - top))
        painter.setFont(base_font(11))
        ends = {round(self._y(high)), round(self._y(low))}
        for level in range(0, int(BOTTOM_DB), -20):
            height = self._y(level)
            if all(abs(height - end) > 15 for end in ends):
                self._label(painter, height, with_minus(str(level)), "muted")
        for level_db in (high, low):
            self._label(painter, self._y(level_db), with_minus(f"{level_db:.0f}"), "text")
            self._handle(painter, self._y(level_db))
        if self.hasFocus():
            painter.setPen(QPen(self.theme.colour("source"), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()

    def _label(self, painter: QPainter, y: float, text: str, colour: str) -> None:
        painter.setPen(self.theme.colour(colour))
        box = QRectF(_BAR + 12, y - 9, self.width() - _BAR - 12, 18)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _handle(self, painter: QPainter, y: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.colour("panel"), 1))
        painter.setBrush(self.theme.colour("text"))
        painter.drawRoundedRect(QRectF(1.5, y - 2.5, _BAR + 5, 5), 2.5, 2.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(self.theme.colour("text"), 1))
        painter.drawPoint(QPointF(_BAR + 9, y))
