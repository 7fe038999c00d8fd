"""The axes beside the pictures: frequency at the left, time at the bottom."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.spectrogram.frequency_scale import EDGE_HZ, Scale, position, ticks
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme, base_font

FREQUENCY_WIDTH = 50
TIME_HEIGHT = 24


class FrequencyRuler(QWidget):
    """Frequencies, in kHz, of the pane at its right."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(FREQUENCY_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Frequency axis, hertz")
        self.theme = theme
        self._scale = Scale.LINEAR

    def set_scale(self, scale: Scale) -> None:
        """Choose the axis."""
        self._scale = scale
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ticks and labels; the edge of the input stands out."""
        painter = QPainter(self)
        font = base_font(11)
        painter.setFont(font)
        high = QFontMetricsF(font).height()
        edge = self._y(EDGE_HZ)
        for tick in ticks(self._scale, self.height()):
            y = self._y(tick.hz)
            if abs(y - edge) < high and tick.hz != EDGE_HZ:
                continue
            self._mark(painter, y, tick.label, "muted", high)
        self._mark(painter, edge, "11.025", "accent", high)
        painter.end()

    def _mark(self, painter: QPainter, y: float, label: str, colour: str, high: float) -> None:
        painter.setPen(QPen(self.theme.colour("accent" if colour == "accent" else "faint"), 1))
        painter.drawLine(QPointF(self.width() - 5, y), QPointF(self.width() - 1, y))
        top = min(max(y - high / 2, 0.0), self.height() - high)
        painter.setPen(self.theme.colour(colour))
        painter.drawText(
            QRectF(0, top, self.width() - 8, high),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            label,
        )

    def _y(self, hz: float) -> float:
        y = round(self.height() * (1 - position(self._scale, hz))) + 0.5
        return min(max(y, 0.5), self.height() - 0.5)


class TimeRuler(QWidget):
    """Seconds before now, newest at the right."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(TIME_HEIGHT)
        self.setAccessibleName("Time axis, seconds before now")
        self.theme = theme
        self._pixels_per_s = 86.0

    def set_pixels_per_s(self, pixels: float) -> None:
        """Choose how fast the pictures scroll."""
        self._pixels_per_s = pixels
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A tick per second or more, labels at least 60 pixels apart."""
        painter = QPainter(self)
        painter.setFont(base_font(11))
        step = next(s for s in (1, 2, 5, 10, 30, 60) if s * self._pixels_per_s >= 60 or s == 60)
        right = self.width() - 0.5
        for second in range(0, int(self.width() / self._pixels_per_s) + 1, step):
            x = round(right - second * self._pixels_per_s) + 0.5
            label = "now" if second == 0 else with_minus(f"-{second} s")
            box = QRectF(x - 40, 6, 80, 17)
            side = Qt.AlignmentFlag.AlignHCenter
            if box.right() > self.width():
                box, side = QRectF(self.width() - 80, 6, 80, 17), Qt.AlignmentFlag.AlignRight
            elif x < 24:
                continue
            painter.setPen(QPen(self.theme.colour("faint"), 1))
            painter.drawLine(QPointF(min(x, right), 1), QPointF(min(x, right), 5))
            painter.setPen(self.theme.colour("muted"))
            painter.drawText(box, side, label)
        painter.end()
