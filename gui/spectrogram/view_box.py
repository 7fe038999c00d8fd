"""The area of a spectrogram plot and how the wheel zooms it."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt

HISTORY_S = 60.0
"""Length of the past that can be looked at while frozen."""
MIN_TIME_S = 0.1
MIN_HEIGHT = 0.01
"""Smallest part of the frequency axis that can be shown, about 220 Hz."""


class SpectrogramViewBox(pg.ViewBox):
    """x is time in seconds before the newest column, y the position on the frequency axis.

    The wheel zooms, with Shift the frequency only, with Control the time only. Dragging moves,
    dragging with the right button zooms.
    """

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self.setLimits(
            xMin=-HISTORY_S, xMax=0, minXRange=MIN_TIME_S,
            yMin=0, yMax=1, minYRange=MIN_HEIGHT, maxYRange=1,
        )  # fmt: skip
        self.disableAutoRange()
        self.setYRange(0, 1, padding=0)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        """Zoom around the mouse; a view that ends at the newest column keeps its right end."""
        if axis is None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            axis = pg.ViewBox.YAxis
        elif axis is None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            axis = pg.ViewBox.XAxis
        factor = 1.02 ** (event.delta() * self.state["wheelScaleFactor"])
        centre = self.mapToView(event.pos())
        right = self.viewRange()[0][1]
        if right > -1e-6:
            centre.setX(right)
        self.scaleBy(
            x=None if axis == pg.ViewBox.YAxis else factor,
            y=None if axis == pg.ViewBox.XAxis else factor,
            center=centre,
        )
        self.sigRangeChangedManually.emit(self.state["mouseEnabled"])
        event.accept()
