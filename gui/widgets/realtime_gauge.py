"""The gauge of the real-time ratio and the load bar."""

import math
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.text import DASH, TIMES
from gui.widgets.theme import Theme, base_font

MIN_RATIO, MAX_RATIO = 0.5, 32.0
TIGHT, TOO_SLOW = 2.0, 1.0
_MARKS = (0.5, 1, 2, 4, 8, 16, 32)


class Health(Enum):
    """Rating of a real-time ratio as a word and a colour."""

    IDLE = ("not running", "faint")
    GOOD = ("keeps up", "good")
    TIGHT = ("tight", "warn")
    TOO_SLOW = ("too slow", "bad")

    @property
    def word(self) -> str:
        """Displayed text."""
        return self.value[0]

    @property
    def colour(self) -> str:
        """Name of the colour in the theme."""
        return self.value[1]


def health(ratio: float) -> Health:
    """Rate a real-time ratio."""
    if not ratio > 0:
        return Health.IDLE
    if ratio < TOO_SLOW:
        return Health.TOO_SLOW
    return Health.TIGHT if ratio < TIGHT else Health.GOOD


def share_of_scale(ratio: float) -> float:
    """Position of a ratio on the logarithmic scale, 0..1."""
    ratio = min(max(ratio, MIN_RATIO), MAX_RATIO)
    return math.log(ratio / MIN_RATIO) / math.log(MAX_RATIO / MIN_RATIO)


def format_ratio(ratio: float) -> str:
    """Like ``12.4×``."""
    if not ratio > 0 or not math.isfinite(ratio):
        return DASH
    digits = 2 if ratio < 2 else 1 if ratio < 100 else 0
    return f"{ratio:.{digits}f}{TIMES}"


class RatioGauge(QWidget):
    """Median as a bar, slowest block as a mark, on a logarithmic scale."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(96)
        self.setToolTip(
            "Real-time ratio: seconds of audio per second of computing, over the last three "
            "seconds.\nAbove 1 the computer keeps up; below 2 other programs may disturb it."
        )
        self._median = 0.0
        self._worst = 0.0
        self.show_ratio(0.0, 0.0)

    def sizeHint(self) -> QSize:
        """The width of the panel."""
        return QSize(240, 96)

    @property
    def health(self) -> Health:
        """Rating of the median."""
        return health(self._median)

    @property
    def late(self) -> bool:
        """True if the slowest block took longer than it plays; the prefill may have covered it."""
        return self._median > 0 and health(self._worst) is Health.TOO_SLOW

    def show_ratio(self, median: float, worst: float) -> None:
        """Show the ratios of the last seconds; 0 if nothing runs."""
        self._median, self._worst = median, worst
        text = f"Real-time ratio {format_ratio(median)}, worst {format_ratio(worst)}, "
        text += self.health.word
        if text != self.accessibleName():
            self.setAccessibleName(text)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw number, rating and scale."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, state = self.theme, self.health
        left, right = 1.0, self.width() - 1.0
        colour = theme.colour(state.colour)
        painter.setFont(base_font(30, weight=QFont.Weight.DemiBold))
        painter.setPen(colour if state is not Health.GOOD else theme.colour("text"))
        number = format_ratio(self._median)
        painter.drawText(QRectF(left, 0, 150, 38), Qt.AlignmentFlag.AlignLeft, number)
        painter.setFont(base_font(12, weight=QFont.Weight.DemiBold))
        painter.setPen(colour)
        side = Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(right - 120, 4, 120, 16), side, state.word)
        painter.setFont(base_font(11))
        painter.setPen(theme.colour("muted"))
        worst = f"worst {format_ratio(self._worst)}" if self._median > 0 else "real-time ratio"
        if self.late:
            worst = f"▲ {worst}"
            painter.setPen(theme.colour("warn"))
        painter.drawText(QRectF(right - 120, 21, 120, 16), side, worst)
        self._paint_scale(painter, QRectF(left, 50, right - left, 8))
        painter.end()

    def _paint_scale(self, painter: QPainter, bar: QRectF) -> None:
        theme = self.theme
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("track"))
        painter.drawRoundedRect(bar, 4, 4)
        if self._median > 0:
            painter.setBrush(theme.colour(self.health.colour))
            width = max(bar.width() * share_of_scale(self._median), 8)
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), width, bar.height()), 4, 4)
            x = bar.left() + bar.width() * share_of_scale(self._worst)
            painter.setBrush(theme.colour("text"))
            painter.drawRoundedRect(QRectF(x - 1.5, bar.top() - 3, 3, bar.height() + 6), 1.5, 1.5)
        painter.setFont(base_font(10))
        for mark in _MARKS:
            x = bar.left() + bar.width() * share_of_scale(mark)
            x = min(max(x, bar.left() + 0.5), bar.right() - 0.5)
            strong = mark == 1
            painter.setPen(QPen(theme.colour("text" if strong else "faint"), 1.5 if strong else 1))
            painter.drawLine(QPointF(x, bar.bottom() + 4), QPointF(x, bar.bottom() + 9))
            painter.setPen(theme.colour("text" if strong else "muted"))
            box = QRectF(x - 16, bar.bottom() + 11, 32, 14)
            side = Qt.AlignmentFlag.AlignHCenter
            if mark == _MARKS[0]:
                box, side = QRectF(bar.left(), box.top(), 32, 14), Qt.AlignmentFlag.AlignLeft
            elif mark == _MARKS[-1]:
                box = QRectF(bar.right() - 32, box.top(), 32, 14)
                side = Qt.AlignmentFlag.AlignRight
            painter.drawText(box, side, f"{mark:g}{TIMES}")


class LoadBar(QWidget):
    """Share of time spent computing."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setFixedHeight(6)
        self.setMinimumWidth(80)
        self._percent = 0.0
        self.show_load(0.0)

    def show_load(self, percent: float) -> None:
        """Show the load in percent of real time."""
        self._percent = percent
        self.setAccessibleName(f"Load {percent:.0f} percent")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("track"))
        bar = QRectF(self.rect())
        painter.drawRoundedRect(bar, 3, 3)
        if self._percent > 0:
            state = health(100 / self._percent)
            painter.setBrush(self.theme.colour(state.colour))
            bar.setWidth(max(6.0, bar.width() * min(self._percent, 100) / 100))
            painter.drawRoundedRect(bar, 3, 3)
        painter.end()
