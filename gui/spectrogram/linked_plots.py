"""Both spectrogram plots in one graphics view: linked ranges, zoom and cross-hair."""

from functools import partial
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QRegion, QResizeEvent
from PySide6.QtWidgets import QGraphicsView

from gui.spectrogram.analysis.history import History
from gui.spectrogram.axes import FREQUENCY_WIDTH, TIME_HEIGHT, time_labels
from gui.spectrogram.frequency_scale import Scale
from gui.spectrogram.plot import HISTORY_S, MIN_TIME_S, SpectrogramPlot
from gui.widgets.theme import Theme

GAP = 8
"""Pixels between the plots."""


class SpectrogramPlots(pg.GraphicsLayoutWidget):
    """Input above output on one time axis and equal frequency axes."""

    pointed = Signal()
    """The cross-hair has moved."""
    freeze_requested = Signal(bool)
    """The user moved back in time (True), or double-clicked to return to live (False)."""
    menu_requested = Signal(QPoint)
    """Right click on a plot, at this point of the screen."""

    def __init__(self, histories: tuple[History, History], theme: Theme) -> None:
        super().__init__()
        self.setMinimumSize(290, 270)
        # Only the plots change 30 times a second; their bounding rectangle leaves out the axes.
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.BoundingRectViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        for widget in (self, self.viewport()):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Spectrograms of input and output")
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.ci.layout.setVerticalSpacing(GAP)
        self.both = self.input, self.output = (
            SpectrogramPlot("Input  ·  22.05 kHz", histories[0], theme, with_output=False),
            SpectrogramPlot("Output  ·  44.1 kHz", histories[1], theme, with_output=True),
        )
        self.unit = pg.LabelItem("kHz", size="11px")
        # Its text must not widen the axis of one plot.
        self.unit.setMinimumWidth(0)
        self.unit.setMaximumWidth(FREQUENCY_WIDTH)
        self.output.layout.addItem(self.unit, 3, 0)
        self.output.layout.setRowFixedHeight(3, TIME_HEIGHT)
        self.input.hideAxis("bottom")
        self._hop_s = 1.0
        self._zoomed = False
        for row, plot in enumerate(self.both):
            self.ci.addItem(plot, row, 0)
            plot.vb.sigRangeChangedManually.connect(self._moved)
        self.output.setXLink(self.input)
        self.output.setYLink(self.input)
        self.scene().sigMouseMoved.connect(self._point)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.set_live(True)
        self.set_theme(theme)

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """Fill only what the images do not cover."""
        outside = QRegion(QRectF(rect).toAlignedRect())
        for plot in self.both:
            # Smaller by a pixel, so that no row stays unpainted.
            outside -= plot.vb.sceneBoundingRect().toAlignedRect().adjusted(1, 1, -1, -1)
        painter.save()
        painter.setClipRegion(outside, Qt.ClipOperation.IntersectClip)
        painter.fillRect(rect, self.backgroundBrush())
        painter.restore()

    @property
    def time_range(self) -> tuple[float, float]:
        """Start and end of the visible time in seconds before the newest column, negative."""
        left, right = self.input.vb.viewRange()[0]
        return left, right

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.setBackground(theme.colour("window"))
        self.unit.setText("kHz", color=theme.muted)
        for plot in self.both:
            plot.frequency_axis.set_theme(theme)
            plot.time_axis.set_theme(theme)

    def set_scale(self, scale: Scale) -> None:
        """Choose the frequency axis and show all of it."""
        for plot in self.both:
            plot.set_scale(scale)
        self.input.setYRange(0, 1, padding=0)

    def set_hop(self, hop_s: float) -> None:
        """Set the seconds per column; one column is one device pixel unless zoomed."""
        self._hop_s = hop_s
        for plot in self.both:
            plot.image.hop_s, plot.image.ratio = hop_s, self.devicePixelRatioF()
            plot.image.rebuild()
        self._show_live_range()

    def set_live(self, live: bool) -> None:
        """Follow the newest column, or stay."""
        self.output.time_axis.set_labels(partial(time_labels, "now" if live else "0 s"))
        left, right = self.time_range
        if live and right < 0:
            self.input.setXRange(left - right, 0, padding=0)
            self._show_live_range()

    def show_all(self) -> None:
        """Undo all zooming."""
        self._zoomed = False
        self.input.setYRange(0, 1, padding=0)
        self._show_live_range()

    def zoom_time(self, factor: float) -> None:
        """Show `factor` times as much time; a live view keeps its right end."""
        self._zoomed = True
        self.input.vb.scaleBy(x=factor)

    def _show_live_range(self) -> None:
        if not self._zoomed:
            width = round(self.input.vb.width() * self.devicePixelRatioF()) * self._hop_s
            self.input.setXRange(-min(max(width, MIN_TIME_S), HISTORY_S), 0, padding=0)

    def _moved(self, *_: object) -> None:
        self._zoomed = True
        # A double-click without zoom is the way back; a view of the past stands still.
        if self.time_range[1] < -self._hop_s:
            self.freeze_requested.emit(True)

    def _plot_at(self, at: QPointF) -> SpectrogramPlot | None:
        return next((p for p in self.both if p.vb.sceneBoundingRect().contains(at)), None)

    def _clicked(self, event: Any) -> None:
        if self._plot_at(event.scenePos()) is None:
            return
        if event.double():
            self.show_all()
            self.freeze_requested.emit(False)
        elif event.button() == Qt.MouseButton.RightButton:
            self.menu_requested.emit(event.screenPos().toPoint())

    def _point(self, at: QPointF) -> None:
        plot = self._plot_at(at)
        for other in self.both:
            other.set_cursor(None if plot is None else plot.vb.mapSceneToView(at))
        self.pointed.emit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Give both plots the same height."""
        super().resizeEvent(event)
        # `GraphicsView` calls this while it is being constructed.
        if hasattr(self, "both"):
            height = (self.height() - TIME_HEIGHT - GAP) // 2
            self.ci.layout.setRowFixedHeight(0, height)
            self.ci.layout.setRowFixedHeight(1, self.height() - GAP - height)
            self.ci.layout.activate()
            self._show_live_range()

    def leaveEvent(self, event: Any) -> None:
        """Hide the cross-hair."""
        super().leaveEvent(event)
        self._point(QPointF(-1, -1))
