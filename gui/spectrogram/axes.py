"""The axes of the plots in the theme's font and colours: frequency, time and level."""

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from gui.spectrogram.frequency_scale import EDGE_HZ, Scale, ticks
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme, base_font

FREQUENCY_WIDTH = 50
TIME_HEIGHT = 24
_TIME_STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_EDGE_LABEL = f"{EDGE_HZ / 1000:g}"

TickLevels = list[tuple[float, list[float]]]
Labels = dict[float, str]
FindLabels = Callable[[float, float, float], Labels]
"""Texts of the ticks between two values, on a length in pixels."""


class ThemedAxis(pg.AxisItem):
    """An axis without a line, with small ticks, whose labels never leave the axis.

    The picture of ticks and labels is cached by ``AxisItem`` until range, size or theme change.
    """

    def __init__(self, orientation: str, theme: Theme, labels: FindLabels = lambda *_: {}) -> None:
        super().__init__(orientation, showValues=True)
        self.setStyle(tickLength=4, tickTextOffset=4, tickFont=base_font(11))
        self.setStyle(hideOverlappingLabels=False, autoExpandTextSpace=False)
        self.enableAutoSIPrefix(False)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)
        self.set_labels(labels)
        self.set_theme(theme)

    def set_labels(self, labels: FindLabels) -> None:
        """Change the ticks."""
        self._find_labels = labels
        self.picture = None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._edge_colour = theme.colour("accent")
        self.setPen(None)
        self.setTickPen(theme.colour("faint"))
        self.setTextPen(theme.colour("muted"))

    def tickValues(self, minVal: float, maxVal: float, size: float) -> TickLevels:  # noqa: N803
        """All ticks, on one level."""
        self._labels = self._find_labels(minVal, maxVal, size)
        return [(1.0, list(self._labels))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """The texts of the ticks."""
        return [self._labels[value] for value in values]

    def drawPicture(self, p: QPainter, axis: Any, tick_specs: Any, text_specs: Any) -> None:
        """Draw ticks and labels; labels at the ends are moved inside."""
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        p.setPen(self.tickPen())
        # The centre of a pixel, where a line of one pixel is sharp.
        for _, *ends in tick_specs:
            p.drawLine(*(QPointF(round(at.x()) + 0.5, round(at.y()) + 0.5) for at in ends))
        p.setFont(self.style["tickFont"])
        bounds = self.mapRectFromParent(self.geometry())
        for place, flags, text in text_specs:
            rect = QRectF(place)
            rect.moveLeft(min(max(rect.left(), bounds.left()), bounds.right() - rect.width()))
            rect.moveTop(min(max(rect.top(), bounds.top()), bounds.bottom() - rect.height()))
            p.setPen(self._edge_colour if text == _EDGE_LABEL else self.textPen())
            p.drawText(rect, int(flags), text)


def frequency_labels(scale: Scale, low: float, high: float, size: float) -> Labels:
    """Round frequencies in kHz and the upper end of the input, between two positions."""
    low, high = max(low, 0.0), min(high, 1.0)
    edge, spacing = scale.position(EDGE_HZ), 12 / max(size, 1) * (high - low)
    labels = {scale.position(hz): f"{hz / 1000:g}" for hz in ticks(scale, size, low=low, high=high)}
    apart = {at: text for at, text in labels.items() if abs(at - edge) > spacing}
    return {**apart, edge: _EDGE_LABEL}


def time_labels(now: str, low: float, high: float, size: float) -> Labels:
    """Round times at least 60 pixels apart, like ``−2 s``; `now` stands at 0 s."""
    per_s = size / max(high - low, 1e-9)
    step = next((step for step in _TIME_STEPS_S if step * per_s >= 60), 60)
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    # A label at the left end would not fit.
    times = [n * step for n in range(int((low + 24 / per_s) // step) + 1, int(high // step) + 1)]
    return {at: with_minus(f"{at:.{digits}f} s") if at else now for at in times}


def level_labels(low: float, high: float, size: float) -> Labels:
    """Both ends, and multiples of 10 dB in between."""
    step = next((s for s in (10, 20, 40) if s / max(high - low, 1) * size >= 40), 40)
    room = (high - low) * 18 / max(size, 1)
    inner = [float(n) for n in range(int(low // step) * step, 1, step)]
    levels = [low, *(level for level in inner if low + room < level < high - room), high]
    return {level: with_minus(f"{level:.0f}") for level in levels}
