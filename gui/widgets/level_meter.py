"""A level meter: RMS bar, peak and held-peak lines, latching clip light."""

import numpy as np
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui.widgets.basic import create, fill, set_tone
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
        self.theme = theme
        self.name = name
        self.setToolTip(
            f"{name} level: the bar is RMS, the line on it the peak, the mark the held peak.\n"
            "The box at the top shows the largest peak; it turns red and says CLIP after a sample "
            "reached full scale. Click to clear it."
        )
        self.clip_light = create(QToolButton, objectName="clip")
        self.clip_light.setFixedSize(46, 28)
        self.clip_light.clicked.connect(self.clear_clip)
        fill(QVBoxLayout(self), self.clip_light, None, margins=(2, 2, 0, 0))
        self.reset()

    def set_level(self, level: Level, elapsed_s: float) -> None:
        """Show a new level."""
        self.ballistics.update(rms_db=level.rms_db, peak_db=level.peak_db, elapsed_s=elapsed_s)
        self._show_peak()

    def reset(self) -> None:
        """Reset to silence."""
        self.ballistics = MeterBallistics()
        self.clear_clip()

    def clear_clip(self) -> None:
        """Reset the clip light and the largest peak."""
        self.ballistics.clear_clip()
        self.describe()
        self._show_peak()

    def describe(self) -> None:
        """Update the accessible name; called once a second, not at every frame."""
        ballistics = self.ballistics
        self.clip_light.setAccessibleName(
            f"{self.name} level, {ballistics.rms_db:.0f} decibels full scale, "
            f"peak {ballistics.hold_db:.0f}{', clipped' if ballistics.clipped else ''}"
        )

    def _show_peak(self) -> None:
        peak, clipped = self.ballistics.max_db, self.ballistics.clipped
        text = f"{peak:.1f}" if peak > FLOOR_DB else "-∞"
        self.clip_light.setText(f"CLIP\n{peak:+.1f}" if clipped else with_minus(text))
        set_tone(self.clip_light, "bad" if clipped else "")
        # The marks are not painted again: text is slow to draw.
        self.update(0, _TOP, _BAR_END, self.height())

    def _y(self, level_db: float) -> int:
        """Height on the bar; the upper 24 dB take half of it."""
        share = np.interp(level_db, (FLOOR_DB, -24, 0), (1, 0.5, 0))
        return _TOP + round(share * (self.height() - _TOP - _BOTTOM))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar, and the marks where they have to be drawn again."""
        painter, colour = QPainter(self), self.theme.colour
        bar = QRectF(8, _TOP, 12, self.height() - _TOP - _BOTTOM)
        painter.fillRect(bar, colour("track"))
        shade = QLinearGradient(bar.topLeft(), bar.bottomLeft())
        for level_db, name in ((0.0, "bad"), (-3.0, "warn"), (-12.0, "good")):
            shade.setColorAt((self._y(level_db) - _TOP) / max(bar.height(), 1), colour(name))
        painter.fillRect(bar.adjusted(0, self._y(self.ballistics.rms_db) - _TOP, 0, 0), shade)
        for level_db, thick in ((self.ballistics.peak_db, 1), (self.ballistics.hold_db, 2)):
            if level_db > FLOOR_DB:
                painter.fillRect(QRect(8, self._y(level_db), 12, thick), colour("text"))
        painter.setFont(base_font(10))
        painter.setPen(colour("muted"))
        for mark in _MARKS_DB if event.rect().right() > _BAR_END else ():
            y, text = self._y(mark), with_minus(str(mark)) if mark else " 0"
            painter.fillRect(QRect(21, y, 3, 1), colour("faint"))
            painter.drawText(QRect(27, y - 8, 25, 16), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
