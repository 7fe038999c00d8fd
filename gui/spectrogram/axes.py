"""The axes of the plots in the theme's font and colours: frequency, time and level."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from gui.spectrogram.frequency_scale import EDGE_HZ, Scale, frequency, position, ticks
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme, base_font

FREQUENCY_WIDTH = 50
TIME_HEIGHT = 24
_TIME_STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_EDGE_LABEL = f"{EDGE_HZ / 1000:g}"

TickLevels = list[tuple[float, list[float]]]


class ThemedAxis(pg.AxisItem):
    """An axis without a line, with small ticks, whose labels never leave the axis.

    The picture of ticks and labels is cached by ``AxisItem`` until range, size or theme change.
    """

    def __init__(self, orientation: str, theme: Theme) -> None:
        super().__init__(orientation, showValues=True)
        self.setStyle(
            tickLength=4,
            tickTextOffset=4,
            hideOverlappingLabels=False,
            autoExpandTextSpace=False,
            tickFont=base_font(11),
        )
        self.enableAutoSIPrefix(False)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.setPen(None)
        self.setTickPen(theme.colour("faint"))
        self.setTextPen(theme.colour("muted"))

    def redraw(self) -> None:
        """Discard the cached picture."""
        self.picture = None
        self.update()

    def drawPicture(self, p: QPainter, axis: Any, tick_specs: Any, text_specs: Any) -> None:
        """Draw ticks and labels; labels at the ends are moved inside."""
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for _, start, end in tick_specs:
            p.setPen(self.tickPen())
            p.drawLine(_pixel(start), _pixel(end))
        p.setFont(self.style["tickFont"])
        bounds = self.mapRectFromParent(self.geometry())
        for rect, flags, text in text_specs:
            p.setPen(self._text_colour(text))
            p.drawText(_moved_inside(rect, bounds), int(flags), text)

    def _text_colour(self, text: str) -> Any:
        return self.textPen()


class FrequencyAxis(ThemedAxis):
    """Frequency in kHz on a linear, mel or logarithmic scale.

    The linked view's y is the position on the scale, 0 at the bottom and 1 at 22.05 kHz.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__("left", theme)
        self._scale = Scale.LINEAR
        self.setWidth(FREQUENCY_WIDTH)

    def set_scale(self, scale: Scale) -> None:
        """Choose the scale."""
        self._scale = scale
        self.redraw()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> TickLevels:  # noqa: N803
        """Positions of round frequencies and of the upper end of the input."""
        low, high = max(minVal, 0.0), min(maxVal, 1.0)
        edge = position(self._scale, EDGE_HZ)
        spacing = 12 / max(size, 1) * (high - low)
        places = [
            position(self._scale, tick.hz)
            for tick in ticks(self._scale, size, low=low, high=high)
            if abs(position(self._scale, tick.hz) - edge) > spacing
        ]
        return [(1.0, [*places, edge])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Frequencies in kHz."""
        return [f"{round(frequency(self._scale, value), 1) / 1000:g}" for value in values]

    def _text_colour(self, text: str) -> Any:
        return self._theme.colour("accent" if text == _EDGE_LABEL else "muted")


class TimeAxis(ThemedAxis):
    """Seconds before the newest column."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("bottom", theme)
        self._live = True
        self.setHeight(TIME_HEIGHT)

    def set_live(self, live: bool) -> None:
        """Call the right end "now", or 0 s in a frozen picture."""
        self._live = live
        self.redraw()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> TickLevels:  # noqa: N803
        """Round times at least 60 pixels apart."""
        per_s = size / max(maxVal - minVal, 1e-9)
        step = next((s for s in _TIME_STEPS_S if s * per_s >= 60), 60)
        # A label at the left end would not fit.
        first, last = int((minVal + 24 / per_s) // step) + 1, int(maxVal // step)
        return [(step, [n * step for n in range(first, last + 1)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Like ``−2 s`` or ``now``."""
        digits = 0 if spacing >= 1 else 1 if spacing >= 0.1 else 2
        zero = "now" if self._live else "0 s"
        return [
            zero if abs(value) < spacing / 2 else with_minus(f"{value:.{digits}f} s")
            for value in values
        ]


def _pixel(point: QPointF) -> QPointF:
    """The centre of a pixel, where a line of one pixel is sharp."""
    return QPointF(round(point.x()) + 0.5, round(point.y()) + 0.5)


def _moved_inside(rect: QRectF, bounds: QRectF) -> QRectF:
    moved = QRectF(rect)
    moved.moveLeft(min(max(rect.left(), bounds.left()), bounds.right() - rect.width()))
    moved.moveTop(min(max(rect.top(), bounds.top()), bounds.bottom() - rect.height()))
    return moved
