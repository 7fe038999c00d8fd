"""The real-time ratio: figure, rating, and a curve of the last minutes with its faults."""

import math
from collections import deque
from enum import Enum

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.spectrogram.axes import ThemedAxis
from gui.widgets.basic import label, set_tone
from gui.widgets.text import DASH, TIMES
from gui.widgets.theme import Theme
from realtime.engine.snapshot import Faults

MIN_RATIO, MAX_RATIO = 0.5, 64.0
TIGHT, TOO_SLOW = 2.0, 1.0
HISTORY_S = 180.0
STEP_S = 1.0
"""Seconds between two points of the curve."""
_TICKS = [(float(power), f"{2**power}{TIMES}") for power in (0, 2, 4, 6)]


class Health(Enum):
    """Rating of a real-time ratio as a word and a colour."""

    IDLE = ("not running", "faint")
    GOOD = ("keeps up", "good")
    TIGHT = ("tight", "warn")
    TOO_SLOW = ("too slow", "bad")

    def __init__(self, word: str, colour: str) -> None:
        self.word = word
        self.colour = colour


def health(ratio: float) -> Health:
    """Rate a real-time ratio."""
    if not ratio > 0:
        return Health.IDLE
    if ratio < TOO_SLOW:
        return Health.TOO_SLOW
    return Health.TIGHT if ratio < TIGHT else Health.GOOD


def format_ratio(ratio: float) -> str:
    """Like ``12.4×``."""
    if not ratio > 0 or not math.isfinite(ratio):
        return DASH
    digits = 2 if ratio < 2 else 1 if ratio < 100 else 0
    return f"{ratio:.{digits}f}{TIMES}"


class RealtimeGauge(QWidget):
    """Median ratio of the last seconds, its rating, and the curve of the last minutes."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setToolTip(
            "Real-time ratio: seconds of audio per second of computing, over the last three "
            "seconds.\nAbove 1 the computer keeps up; below 2 other programs may disturb it.\n"
            "The curve shows the last three minutes, with marks where sound was lost (red) "
            "or a block was late (yellow)."
        )
        self.health = Health.IDLE
        self.late = False
        """True if the slowest block took longer than it plays; the prefill may have covered it."""
        self.number = label("", "ratio")
        self.word = label("", "strong")
        self.detail = label("", "caption")
        # The y axis is the binary logarithm of the ratio.
        self.plot = pg.PlotWidget(axisItems={"left": ThemedAxis("left", theme)}, enableMenu=False)
        self.plot.setFixedHeight(68)
        for part in (self.plot, self.plot.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.hideAxis("bottom")
        item.layout.setContentsMargins(0, 0, 0, 0)
        item.getAxis("left").setWidth(34)
        item.getAxis("left").setTicks([_TICKS])
        item.vb.setMouseEnabled(x=False, y=False)
        item.setXRange(-HISTORY_S, 0, padding=0)
        item.setYRange(math.log2(MIN_RATIO), math.log2(MAX_RATIO), padding=0)
        self._one = pg.InfiniteLine(pos=0.0, angle=0)
        self._curve = pg.PlotCurveItem(antialias=True, fillLevel=math.log2(MIN_RATIO))
        self._marks = pg.ScatterPlotItem(symbol="t1", size=7, pen=pg.mkPen(None))
        for part in (self._one, self._curve, self._marks):
            item.addItem(part)
        self._history: deque[tuple[float, float]] = deque()
        self._faults: deque[tuple[float, str]] = deque()
        self._seconds = 0.0
        self._counted: Faults | None = None
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.number, 0, 0, 2, 1)
        grid.addWidget(self.word, 0, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        grid.addWidget(self.detail, 1, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.plot, 2, 0, 1, 2)
        self.set_theme(theme)
        self.show_ratio(0.0, 0.0)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.plot.setBackground(theme.colour("panel"))
        item = self.plot.getPlotItem()
        item.vb.setBackgroundColor(theme.colour("track"))
        item.getAxis("left").set_theme(theme)
        self._one.setPen(pg.mkPen(theme.colour("bad", 170), width=1, dash=[4, 3]))
        self._draw()

    def show_ratio(self, median: float, worst: float) -> None:
        """Show the ratios of the last seconds; 0 if nothing runs."""
        self.health = health(median)
        self.late = median > 0 and health(worst) is Health.TOO_SLOW
        self.number.setText(format_ratio(median))
        set_tone(self.number, "" if self.health is Health.GOOD else self.health.colour)
        self.word.setText(self.health.word)
        set_tone(self.word, self.health.colour)
        detail = f"worst {format_ratio(worst)}" if median > 0 else "real-time ratio"
        self.detail.setText(f"▲ {detail}" if self.late else detail)
        set_tone(self.detail, "warn" if self.late else "")
        self.setAccessibleName(
            f"Real-time ratio {format_ratio(median)}, worst {format_ratio(worst)}, "
            f"{self.health.word}"
        )

    def add(self, seconds: float, median: float, faults: Faults) -> None:
        """Append to the curve.

        Args:
            seconds: Time since the engine started; a smaller one than before starts a new curve.
            median: Real-time ratio of the last seconds.
            faults: Counters so far; an increase is marked.
        """
        before = self._counted
        if seconds < self._seconds:
            self._history.clear()
            self._faults.clear()
            before = None
        self._seconds, self._counted = seconds, faults
        if before is not None and faults.total > before.total:
            self._faults.append((seconds, "bad"))
        elif before is not None and faults.late_blocks > before.late_blocks:
            self._faults.append((seconds, "warn"))
        if self._history and seconds < self._history[-1][0] + STEP_S:
            return
        self._history.append((seconds, math.log2(min(max(median, MIN_RATIO), MAX_RATIO))))
        for kept in (self._history, self._faults):
            while kept and kept[0][0] < seconds - HISTORY_S:
                kept.popleft()
        self._draw()

    def _draw(self) -> None:
        points = np.array(self._history).reshape(-1, 2)
        colour = self._theme.colour
        self._curve.setPen(pg.mkPen(colour(self.health.colour), width=1))
        self._curve.setBrush(pg.mkBrush(colour(self.health.colour, 50)))
        self._curve.setData(points[:, 0] - self._seconds, points[:, 1])
        self._marks.setData(
            x=[at - self._seconds for at, _ in self._faults],
            y=[math.log2(MIN_RATIO) + 0.5] * len(self._faults),
            brush=[pg.mkBrush(colour(name)) for _, name in self._faults],
        )
