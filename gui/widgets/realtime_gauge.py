"""The real-time ratio: figure, rating, and a curve of the last minutes with its faults."""

import math
from collections import deque
from enum import Enum

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.spectrogram.axes import ThemedAxis, TickLevels
from gui.widgets.basic import label
from gui.widgets.text import DASH, TIMES
from gui.widgets.theme import Theme
from realtime.engine.snapshot import Faults

MIN_RATIO, MAX_RATIO = 0.5, 64.0
TIGHT, TOO_SLOW = 2.0, 1.0
HISTORY_S = 180.0
STEP_S = 1.0
"""Seconds between two points of the curve."""
_MARKS = (0.5, 1, 2, 4, 8, 16, 32, 64)


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


def format_ratio(ratio: float) -> str:
    """Like ``12.4×``."""
    if not ratio > 0 or not math.isfinite(ratio):
        return DASH
    digits = 2 if ratio < 2 else 1 if ratio < 100 else 0
    return f"{ratio:.{digits}f}{TIMES}"


class _RatioAxis(ThemedAxis):
    """Powers of two; the view's y is the binary logarithm of the ratio."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> TickLevels:  # noqa: N803
        """As many powers of two as fit."""
        step = 1 if size > 14 * len(_MARKS) else 2
        marks = [math.log2(mark) for mark in _MARKS]
        return [(1.0, [mark for mark in marks if minVal <= mark <= maxVal and mark % step == 0])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Like ``8×``."""
        return [f"{2**value:g}{TIMES}" for value in values]


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
        self.number = label("", "ratio")
        self.word = label("")
        self.detail = label("", "caption")
        self.plot = pg.PlotWidget(axisItems={"left": _RatioAxis("left", theme)}, enableMenu=False)
        self.plot.setFixedHeight(68)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.hideAxis("bottom")
        item.layout.setContentsMargins(0, 0, 0, 0)
        item.getAxis("left").setWidth(34)
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
        self._median = self._worst = 0.0
        self.set_theme(theme)

    @property
    def health(self) -> Health:
        """Rating of the median."""
        return health(self._median)

    @property
    def late(self) -> bool:
        """True if the slowest block took longer than it plays; the prefill may have covered it."""
        return self._median > 0 and health(self._worst) is Health.TOO_SLOW

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.plot.setBackground(theme.colour("panel"))
        item = self.plot.getPlotItem()
        item.vb.setBackgroundColor(theme.colour("track"))
        item.getAxis("left").set_theme(theme)
        self._one.setPen(pg.mkPen(theme.colour("bad", 170), width=1, dash=[4, 3]))
        self._draw()
        self.show_ratio(self._median, self._worst)

    def clear(self) -> None:
        """Start a new curve."""
        self._history.clear()
        self._faults.clear()
        self._counted = None

    def show_ratio(self, median: float, worst: float) -> None:
        """Show the ratios of the last seconds; 0 if nothing runs."""
        self._median, self._worst = median, worst
        text = f"Real-time ratio {format_ratio(median)}, worst {format_ratio(worst)}, "
        text += self.health.word
        self.setAccessibleName(text)
        good = self.health is Health.GOOD
        colour = getattr(self._theme, self.health.colour)
        self.number.setText(format_ratio(median))
        self.number.setStyleSheet(f"color: {self._theme.text if good else colour}")
        self.word.setText(self.health.word)
        self.word.setStyleSheet(f"color: {colour}; font-weight: 600")
        self.detail.setText(
            ("▲ " if self.late else "") + f"worst {format_ratio(worst)}"
            if median > 0 else "real-time ratio"
        )  # fmt: skip
        self.detail.setStyleSheet(f"color: {self._theme.warn}" if self.late else "")

    def add(self, seconds: float, median: float, faults: Faults) -> None:
        """Append to the curve.

        Args:
            seconds: Time since the engine started; a smaller one than before starts a new curve.
            median: Real-time ratio of the last seconds.
            faults: Counters so far; an increase is marked.
        """
        if seconds < self._seconds:
            self.clear()
        self._seconds = seconds
        before, self._counted = self._counted, faults
        if before is not None:
            if faults.total > before.total:
                self._faults.append((seconds, "bad"))
            elif faults.late_blocks > before.late_blocks:
                self._faults.append((seconds, "warn"))
        if self._history and seconds < self._history[-1][0] + STEP_S:
            return
        self._history.append((seconds, min(max(median, MIN_RATIO), MAX_RATIO)))
        for kept in (self._history, self._faults):
            while kept and kept[0][0] < seconds - HISTORY_S:
                kept.popleft()
        self._draw()

    def _draw(self) -> None:
        times = np.array([at for at, _ in self._history])
        ratios = np.array([ratio for _, ratio in self._history])
        colour = self._theme.colour(self.health.colour)
        self._curve.setPen(pg.mkPen(colour, width=1))
        self._curve.setBrush(pg.mkBrush(self._theme.colour(self.health.colour, 50)))
        self._curve.setData(times - self._seconds, np.log2(ratios))
        self._marks.setData(
            x=[at - self._seconds for at, _ in self._faults],
            y=[math.log2(MIN_RATIO) + 0.5] * len(self._faults),
            brush=[pg.mkBrush(self._theme.colour(name)) for _, name in self._faults],
        )
