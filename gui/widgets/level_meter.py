"""A level meter: RMS bar, peak and held-peak lines, latching clip light."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QLinearGradient, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.meter_ballistics import FLOOR_DB, MeterBallistics
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme, base_font
from realtime.engine.snapshot import Level

_TOP, _BOTTOM = 38, 6
_BAR_END = 20
_MARKS_DB = (0, -6, -12, -24, -36, -48, -60)


class LevelMeter(QWidget):
    """A vertical meter in dBFS."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.setFixedWidth(52)
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.theme = theme
        self.name = name
        self.ballistics = MeterBallistics()
        self.setToolTip(
            f"{name} level: the bar is RMS, the line on it the peak, the mark the held peak.\n"
            "The box at the top shows the largest peak; it turns red and says CLIP after a sample "
            "reached full scale. Click to clear it."
        )
        self.describe()

    def set_level(self, level: Level, elapsed_s: float) -> None:
        """Show a new level."""
        before = self._box_text()
        self.ballistics.update(rms_db=level.rms_db, peak_db=level.peak_db, elapsed_s=elapsed_s)
        # The marks are not painted again: text is slow to draw.
        self.update(0, _TOP, _BAR_END, self.height())
        if self._box_text() != before:
            self.update(0, 0, self.width(), _TOP - 8)

    def reset(self) -> None:
        """Reset to silence."""
        self.ballistics.reset()
        self.clear_clip()

    def clear_clip(self) -> None:
        """Reset the clip light and the largest peak."""
        self.ballistics.clear_clip()
        self.describe()
        self.update()

    def describe(self) -> None:
        """Update the accessible name; called once a second, not at every frame."""
        ballistics = self.ballistics
        self.setAccessibleName(
            f"{self.name} level, {ballistics.rms_db:.0f} decibels full scale, "
            f"peak {ballistics.hold_db:.0f}{', clipped' if ballistics.clipped else ''}"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Clear the clip light."""
        self.clear_clip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear the clip light."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete):
            self.clear_clip()
        else:
            super().keyPressEvent(event)

    def _box_text(self) -> str:
        """The largest peak."""
        peak = self.ballistics.max_db
        if self.ballistics.clipped:
            return f"CLIP\n{peak:+.1f}"
        return with_minus(f"{peak:.1f}" if peak > FLOOR_DB else "-∞")

    @staticmethod
    def _share(level_db: float) -> float:
        """Position on the bar, 0 at the top; the upper 24 dB take half the height."""
        if level_db > -24:
            return max(level_db / -48, 0.0)
        return min(0.5 + (-24 - level_db) / (-24 - FLOOR_DB) / 2, 1.0)

    def _y(self, level_db: float) -> int:
        return _TOP + round((self.height() - _TOP - _BOTTOM) * self._share(level_db))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar, and marks and clip light where they have to be drawn again."""
        painter = QPainter(self)
        painter.setFont(base_font(10))
        self._paint_bar(painter)
        if event.rect().right() > _BAR_END:
            self._paint_marks(painter)
            self._paint_box(painter)
        painter.end()

    def _paint_bar(self, painter: QPainter) -> None:
        ballistics, colour = self.ballistics, self.theme.colour
        bar = QRectF(8, _TOP, 12, self.height() - _TOP - _BOTTOM)
        painter.fillRect(bar, colour("track"))
        shade = QLinearGradient(bar.topLeft(), bar.bottomLeft())
        for level_db, name in ((0.0, "bad"), (-3.0, "warn"), (-12.0, "good")):
            shade.setColorAt(self._share(level_db), colour(name))
        painter.fillRect(bar.adjusted(0, self._y(ballistics.rms_db) - _TOP, 0, 0), shade)
        for level_db, thick in ((ballistics.peak_db, 1), (ballistics.hold_db, 2)):
            if level_db > FLOOR_DB:
                painter.fillRect(QRect(8, self._y(level_db), 12, thick), colour("text"))

    def _paint_marks(self, painter: QPainter) -> None:
        for mark in _MARKS_DB:
            y = self._y(mark)
            painter.fillRect(QRect(21, y, 3, 1), self.theme.colour("faint"))
            painter.setPen(self.theme.colour("muted"))
            text = with_minus(str(mark)) if mark else " 0"
            painter.drawText(QRect(27, y - 8, 25, 16), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_box(self, painter: QPainter) -> None:
        """Draw the clip light with the largest peak."""
        clipped, colour = self.ballistics.clipped, self.theme.colour
        box = QRectF(2.5, 2.5, self.width() - 7, 27)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colour("source" if self.hasFocus() else "border"))
        painter.setBrush(colour("bad" if clipped else "track"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(colour("window" if clipped else "muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._box_text())
