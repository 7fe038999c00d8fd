"""A level meter: RMS as a bar, peak and held peak as lines, a clip light that stays on."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QLinearGradient, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.meter_ballistics import FLOOR_DB, Needle
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme, base_font
from realtime.engine.snapshot import Level

_TOP = 38
_BOTTOM = 6
_MARKS_DB = (0, -6, -12, -24, -36, -48, -60)


class LevelMeter(QWidget):
    """A standing meter in dBFS."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(52)
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.theme = theme
        self.name = name
        self.needle = Needle()
        self._said = ""
        self.setToolTip(
            f"{name} level: the bar is RMS, the line on it the peak, the mark the held peak.\n"
            "The box on top shows the largest peak and turns red, with the word CLIP, once a "
            "sample reached full scale; click it to clear it."
        )
        self._describe()

    def move_needle(self, level: Level, elapsed_s: float) -> None:
        """Take a new level."""
        self.needle.move(rms_db=level.rms_db, peak_db=level.peak_db, elapsed_s=elapsed_s)
        self.update()

    def reset(self) -> None:
        """Back to silence."""
        self.needle.reset()
        self._describe()
        self.update()

    def describe(self) -> None:
        """Bring the spoken name up to date; called once a second, not at every frame."""
        self._describe()

    def _describe(self) -> None:
        needle = self.needle
        clip = ", clipped" if needle.clipped else ""
        said = (
            f"{self.name} level, {needle.rms_db:.0f} decibels full scale, "
            f"peak {needle.hold_db:.0f}{clip}"
        )
        if said != self._said:
            self._said = said
            self.setAccessibleName(said)

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
        """Turn the clip light off."""
        self.needle.clear_clip()
        self._describe()
        self.update()

    def _y(self, level_db: float) -> float:
        span = self.height() - _TOP - _BOTTOM
        # Half the height for the upper 24 dB, where levels matter.
        share = max(level_db, FLOOR_DB)
        above = -share / 24 * 0.5 if share > -24 else 0.5 + (-24 - share) / (-24 - FLOOR_DB) * 0.5
        return _TOP + span * min(max(above, 0.0), 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it all."""
        painter = QPainter(self)
        needle, theme = self.needle, self.theme
        bar = QRectF(8, _TOP, 12, self.height() - _TOP - _BOTTOM)
        painter.fillRect(bar, theme.colour("track"))
        shade = QLinearGradient(0, bar.top(), 0, bar.bottom())
        shade.setColorAt(0, theme.colour("bad"))
        shade.setColorAt((self._y(-3) - _TOP) / max(bar.height(), 1), theme.colour("warn"))
        shade.setColorAt((self._y(-12) - _TOP) / max(bar.height(), 1), theme.colour("good"))
        shade.setColorAt(1, theme.colour("good"))
        top = self._y(needle.rms_db)
        if needle.rms_db > FLOOR_DB:
            painter.fillRect(QRectF(bar.left(), top, bar.width(), bar.bottom() - top), shade)
        for level_db, thick, colour in (
            (needle.peak_db, 1.0, "text"),
            (needle.hold_db, 2.0, "text"),
        ):
            if level_db > FLOOR_DB:
                y = round(self._y(level_db))
                painter.fillRect(QRectF(bar.left(), y, bar.width(), thick), theme.colour(colour))
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
        self._paint_box(painter)
        painter.end()

    def _paint_box(self, painter: QPainter) -> None:
        """The clip light with the largest peak."""
        needle, theme = self.needle, self.theme
        box = QRectF(2.5, 2.5, self.width() - 7, 27)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("source" if self.hasFocus() else "border"), 1))
        painter.setBrush(theme.colour("bad" if needle.clipped else "track"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if needle.clipped:
            text = f"CLIP\n{needle.max_db:+.1f}"
        else:
            text = with_minus(f"{needle.max_db:.1f}" if needle.max_db > FLOOR_DB else "-∞")
        painter.setFont(base_font(10))
        painter.setPen(theme.colour("window" if needle.clipped else "muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
