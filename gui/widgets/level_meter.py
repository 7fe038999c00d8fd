"""A level meter: RMS bar, peak and held-peak lines, latching clip light."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.meter_ballistics import FLOOR_DB, MeterBallistics
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme, base_font
from realtime.engine.snapshot import Level

_TOP = 38
_BOTTOM = 6
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
        self._accessible_text = ""
        self._scale_key: object = None
        self._scale_pixmap = QPixmap()
        self.setToolTip(
            f"{name} level: the bar is RMS, the line on it the peak, the mark the held peak.\n"
            "The box at the top shows the largest peak; it turns red and says CLIP after a sample "
            "reached full scale. Click to clear it."
        )
        self._describe()

    def set_level(self, level: Level, elapsed_s: float) -> None:
        """Show a new level."""
        self.ballistics.update(rms_db=level.rms_db, peak_db=level.peak_db, elapsed_s=elapsed_s)
        self.update()

    def reset(self) -> None:
        """Reset to silence."""
        self.ballistics.reset()
        self._describe()
        self.update()

    def describe(self) -> None:
        """Update the accessible name; called once a second, not at every frame."""
        self._describe()

    def _describe(self) -> None:
        ballistics = self.ballistics
        clip = ", clipped" if ballistics.clipped else ""
        text = (
            f"{self.name} level, {ballistics.rms_db:.0f} decibels full scale, "
            f"peak {ballistics.hold_db:.0f}{clip}"
        )
        if text != self._accessible_text:
            self._accessible_text = text
            self.setAccessibleName(text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Clear the clip light."""
        self.clear_clip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear the clip light."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete):
            self.clear_clip()
        else:
            super().keyPressEvent(event)

    def clear_clip(self) -> None:
        """Reset the clip light."""
        self.ballistics.clear_clip()
        self._describe()
        self.update()

    def _y(self, level_db: float) -> float:
        span = self.height() - _TOP - _BOTTOM
        # The upper 24 dB take half the height.
        share = max(level_db, FLOOR_DB)
        above = -share / 24 * 0.5 if share > -24 else 0.5 + (-24 - share) / (-24 - FLOOR_DB) * 0.5
        return _TOP + span * min(max(above, 0.0), 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw bar, marks and clip light."""
        painter = QPainter(self)
        ballistics, theme = self.ballistics, self.theme
        bar = QRectF(8, _TOP, 12, self.height() - _TOP - _BOTTOM)
        painter.fillRect(bar, theme.colour("track"))
        shade = QLinearGradient(0, bar.top(), 0, bar.bottom())
        shade.setColorAt(0, theme.colour("bad"))
        shade.setColorAt((self._y(-3) - _TOP) / max(bar.height(), 1), theme.colour("warn"))
        shade.setColorAt((self._y(-12) - _TOP) / max(bar.height(), 1), theme.colour("good"))
        shade.setColorAt(1, theme.colour("good"))
        top = self._y(ballistics.rms_db)
        if ballistics.rms_db > FLOOR_DB:
            painter.fillRect(QRectF(bar.left(), top, bar.width(), bar.bottom() - top), shade)
        for level_db, thick, colour in (
            (ballistics.peak_db, 1.0, "text"),
            (ballistics.hold_db, 2.0, "text"),
        ):
            if level_db > FLOOR_DB:
                y = round(self._y(level_db))
                painter.fillRect(QRectF(bar.left(), y, bar.width(), thick), theme.colour(colour))
        painter.drawPixmap(0, 0, self._scale())
        self._paint_box(painter)
        painter.end()

    def _scale(self) -> QPixmap:
        """Ticks and labels, drawn once per size and theme: text is slow to draw."""
        ratio = self.devicePixelRatioF()
        key = self.size(), ratio, self.theme
        if key != self._scale_key:
            self._scale_key = key
            self._scale_pixmap = QPixmap(self.size() * ratio)
            self._scale_pixmap.setDevicePixelRatio(ratio)
            self._scale_pixmap.fill(Qt.GlobalColor.transparent)
            painter, theme = QPainter(self._scale_pixmap), self.theme
            painter.setFont(base_font(10))
            for mark in _MARKS_DB:
                at = round(self._y(mark)) + 0.5
                painter.setPen(QPen(theme.colour("faint"), 1))
                painter.drawLine(QPointF(21, at), QPointF(23, at))
                painter.setPen(theme.colour("muted"))
                painter.drawText(
                    QRectF(27, at - 8, 25, 16),
                    Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                    with_minus(str(mark)) if mark else " 0",
                )
            painter.end()
        return self._scale_pixmap

    def _paint_box(self, painter: QPainter) -> None:
        """Draw the clip light with the largest peak."""
        ballistics, theme = self.ballistics, self.theme
        box = QRectF(2.5, 2.5, self.width() - 7, 27)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("source" if self.hasFocus() else "border"), 1))
        painter.setBrush(theme.colour("bad" if ballistics.clipped else "track"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if ballistics.clipped:
            text = f"CLIP\n{ballistics.max_db:+.1f}"
        else:
            text = with_minus(f"{ballistics.max_db:.1f}" if ballistics.max_db > FLOOR_DB else "-∞")
        painter.setFont(base_font(10))
        painter.setPen(theme.colour("window" if ballistics.clipped else "muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
