"""The real-time ratio: figure, rating, and a curve of the last minutes with its faults."""

import math
from enum import Enum

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.spectrogram.axes import ThemedAxis
from gui.widgets.basic import fill, label, set_tone
from gui.widgets.text import DASH, TIMES
from gui.widgets.theme import Theme
from realtime.engine.snapshot import Faults

_LOW, _HIGH = -1.0, 6.0
"""Ends of the curve's axis: ratios of 0.5 and 64."""
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
        self._history: list[tuple[float, float]] = []
        self._marked: list[tuple[float, str]] = []
        self._seconds = 0.0
        self._faults = Faults()
        self._number, self._word = label("", "ratio"), label("", "strong")
        self._detail = label("", "caption")
        # The y axis is the binary logarithm of the ratio.
        self._axis = ThemedAxis("left", theme)
        self._axis.setWidth(34)
        self._axis.setTicks([_TICKS])
        self._plot = pg.PlotWidget(axisItems={"left": self._axis}, enableMenu=False)
        self._plot.setFixedHeight(68)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.hideButtons()
        self._plot.hideAxis("bottom")
        self._plot.getPlotItem().layout.setContentsMargins(0, 0, 0, 0)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setRange(xRange=(-HISTORY_S, 0), yRange=(_LOW, _HIGH), padding=0)
        self._one = self._plot.addLine(y=0.0)
        self._curve = self._plot.plot(antialias=True, fillLevel=_LOW)
        self._marks = pg.ScatterPlotItem(symbol="t1", size=7, pen=None)
        self._plot.addItem(self._marks)
        words = fill(QVBoxLayout(), self._word, self._detail)
        for line in (self._word, self._detail):
            words.setAlignment(line, Qt.AlignmentFlag.AlignRight)
        fill(QVBoxLayout(self), fill(QHBoxLayout(), self._number, None, words), self._plot)
        self.set_theme(theme)
        self.show_ratio(0.0, 0.0)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self._axis.set_theme(theme)
        self._plot.setBackground(theme.colour("panel"))
        self._plot.getViewBox().setBackgroundColor(theme.colour("track"))
        self._one.setPen(pg.mkPen(theme.colour("bad", 170), width=1, dash=[4, 3]))
        self._draw()

    def show_ratio(self, median: float, worst: float) -> None:
        """Show the ratios of the last seconds; 0 if nothing runs."""
        self.health = health(median)
        self.late = median > 0 and health(worst) is Health.TOO_SLOW
        number, least = format_ratio(median), f"worst {format_ratio(worst)}"
        detail = least if median > 0 else "real-time ratio"
        for shown, text, tone in (
            (self._number, number, "" if self.health is Health.GOOD else self.health.colour),
            (self._word, self.health.word, self.health.colour),
            (self._detail, f"▲ {detail}" if self.late else detail, "warn" if self.late else ""),
        ):
            shown.setText(text)
            set_tone(shown, tone)
        self.setAccessibleName(f"Real-time ratio {number}, {least}, {self.health.word}")

    def add(self, seconds: float, median: float, faults: Faults) -> None:
        """Append to the curve.

        Args:
            seconds: Time since the engine started; a smaller one than before starts a new curve.
            median: Real-time ratio of the last seconds.
            faults: Counters so far; an increase is marked.
        """
        before = self._faults
        if seconds < self._seconds or not self._history:
            self._history, self._marked, before = [], [], faults
        self._seconds, self._faults = seconds, faults
        if faults.total > before.total:
            self._marked.append((seconds, "bad"))
        elif faults.late_blocks > before.late_blocks:
            self._marked.append((seconds, "warn"))
        if not self._history or seconds >= self._history[-1][0] + STEP_S:
            self._history.append((seconds, min(max(math.log2(max(median, 1e-9)), _LOW), _HIGH)))
            oldest = seconds - HISTORY_S
            self._history = [point for point in self._history if point[0] >= oldest]
            self._marked = [mark for mark in self._marked if mark[0] >= oldest]
            self._draw()

    def _draw(self) -> None:
        points = np.array(self._history).reshape(-1, 2)
        colour = self._theme.colour
        self._curve.setPen(pg.mkPen(colour(self.health.colour), width=1))
        self._curve.setBrush(pg.mkBrush(colour(self.health.colour, 50)))
        self._curve.setData(points[:, 0] - self._seconds, points[:, 1])
        self._marks.setData(
            x=[at - self._seconds for at, _ in self._marked],
            y=[_LOW + 0.5] * len(self._marked),
            brush=[pg.mkBrush(colour(tone)) for _, tone in self._marked],
        )
