"""The area of a spectrogram plot and how the mouse moves it."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal

HISTORY_S = 60.0
"""Length of the past that can be looked at while frozen."""
MIN_TIME_S = 0.1
MIN_HEIGHT = 0.01
"""Smallest part of the frequency axis that can be shown, about 220 Hz."""


class SpectrogramViewBox(pg.ViewBox):
    """x is time in seconds before the newest column, y the position on the frequency axis.

    The wheel zooms, with Shift the frequency only, with Control the time only. Dragging moves,
    dragging with the right button zooms, a double-click shows everything again.
    """

    pointed = Signal(object)
    """Position of the mouse as ``QPointF`` in the view's units; None after it left."""
    live_requested = Signal()
    """The user double-clicked."""
    menu_requested = Signal(object)
    """The user clicked with the right button at this ``QPointF`` of the screen."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self.setLimits(
            xMin=-HISTORY_S,
            xMax=0,
            yMin=0,
            yMax=1,
            minXRange=MIN_TIME_S,
            minYRange=MIN_HEIGHT,
            maxYRange=1,
        )
        self.disableAutoRange()
        self.setYRange(0, 1, padding=0)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def hoverEvent(self, event: Any) -> None:
        """Report the position of the mouse."""
        self.pointed.emit(None if event.isExit() else QPointF(self.mapToView(event.pos())))

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

    def mouseClickEvent(self, event: Any) -> None:
        """Return to live on a double-click, open the menu on a right click."""
        if event.double():
            self.live_requested.emit()
            event.accept()
        elif event.button() == Qt.MouseButton.RightButton:
            self.menu_requested.emit(event.screenPos())
            event.accept()
