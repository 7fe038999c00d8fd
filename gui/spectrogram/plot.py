"""One spectrogram: the scrolling image in a pyqtgraph plot with its marks and cross-hair."""

from functools import partial
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QGraphicsSimpleTextItem

from gui.spectrogram.analysis.history import History
from gui.spectrogram.analysis.stft import BIN_HZ
from gui.spectrogram.axes import FREQUENCY_WIDTH, TIME_HEIGHT, ThemedAxis, frequency_labels
from gui.spectrogram.color_maps import level_of
from gui.spectrogram.frequency_scale import EDGE_HZ, Scale
from gui.spectrogram.overlays import SpectrumOverlay, WaveformOverlay
from gui.spectrogram.scrolling_image import ScrollingImage
from gui.widgets.text import with_minus
from gui.widgets.theme import PICTURE, Theme, base_font

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
        self.setLimits(xMin=-HISTORY_S, xMax=0, minXRange=MIN_TIME_S)
        self.setLimits(yMin=0, yMax=1, minYRange=MIN_HEIGHT, maxYRange=1)
        self.disableAutoRange()
        self.setYRange(0, 1, padding=0)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        """Zoom around the mouse."""
        axes = {
            Qt.KeyboardModifier.ShiftModifier: self.YAxis,
            Qt.KeyboardModifier.ControlModifier: self.XAxis,
        }
        super().wheelEvent(event, axes.get(event.modifiers()) if axis is None else axis)

    def scaleBy(self, s: Any = None, center: Any = None, x: Any = None, y: Any = None) -> None:
        """Zoom; a view that ends at the newest column keeps its right end."""
        centre = pg.Point(self.viewRect().center() if center is None else center)
        if self.viewRange()[0][1] > -1e-6:
            centre.setX(0.0)
        super().scaleBy(s, centre, x, y)


class Chip(QGraphicsSimpleTextItem):
    """A short text on a dark ground, in the pixels of a plot; nothing without text."""

    def __init__(self, plot: pg.ViewBox, colour: str = "text", *, bold: bool = False) -> None:
        super().__init__(plot)
        self.setZValue(20)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)
        self.setFont(base_font(12, weight=QFont.Weight.DemiBold if bold else QFont.Weight.Normal))
        self.setBrush(PICTURE.colour(colour))
        self.setText("")

    def setText(self, text: str) -> None:
        """Change the text."""
        super().setText(text)
        self.setVisible(bool(text))
        size = super().boundingRect()
        self._ground = QRectF(-7, (size.height() - 21) // 2, round(size.width()) + 14, 21)

    def boundingRect(self) -> QRectF:
        """The ground, 21 pixels high."""
        return self._ground

    def paint(self, painter: QPainter, *arguments: Any) -> None:
        """Draw ground and text."""
        painter.fillRect(self._ground, PICTURE.colour("track", 200))
        super().paint(painter, *arguments)

    def place(self, x: float, y: float) -> None:
        """Move the upper left corner of the ground."""
        self.setPos(round(x) - self._ground.x(), round(y) - self._ground.y())


class SpectrogramPlot(pg.PlotItem):
    """Axes, image, marks, overlays and cross-hair of one history."""

    def __init__(self, title: str, history: History, theme: Theme, *, with_output: bool) -> None:
        self.frequency_axis, self.time_axis = (
            ThemedAxis(side, theme) for side in ("left", "bottom")
        )
        axes = {"left": self.frequency_axis, "bottom": self.time_axis}
        super().__init__(viewBox=SpectrogramViewBox(), axisItems=axes, enableMenu=False)
        self.layout.setContentsMargins(0, 0, 0, 0)
        self.frequency_axis.setWidth(FREQUENCY_WIDTH)
        self.time_axis.setHeight(TIME_HEIGHT)
        self.hideButtons()
        self.image = ScrollingImage(history, self.vb)
        self.spectrum = SpectrumOverlay(self, with_output=with_output)
        self.wave = WaveformOverlay(self)
        self._title, self.legend = Chip(self.vb, bold=True), Chip(self.vb)
        self.note, self.hint = Chip(self.vb, "accent"), Chip(self.vb, "muted")
        self._level = Chip(self.vb)
        self._edge_line = self._line(pg.mkPen(PICTURE.colour("accent", 190), dash=[5, 4]), angle=0)
        self.band_line = self._line(PICTURE.colour("source", 220), angle=0)
        self.play_line = self._line(PICTURE.colour("good"), angle=90)
        self._cross = [self._line(PICTURE.colour("text", 130), angle=angle) for angle in (90, 0)]
        self.cursor: QPointF | None = None
        """The cross-hair: seconds and position on the frequency axis."""
        self.band_hz = EDGE_HZ
        self.set_scale(Scale.LINEAR)
        self.set_text(self._title, title)
        for line in (self.band_line, self.play_line, *self._cross):
            line.hide()
        self.vb.sigResized.connect(self._view_changed)
        self.vb.sigRangeChanged.connect(self._view_changed)

    def _line(self, pen: object, *, angle: int) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=angle, pen=pen)
        line.setZValue(15)
        self.addItem(line, ignoreBounds=True)
        return line

    def set_scale(self, scale: Scale) -> None:
        """Choose the frequency axis."""
        self._scale = scale
        self.frequency_axis.set_labels(partial(frequency_labels, scale))
        self.image.frequency_scale = scale
        self.image.rebuild()
        self._edge_line.setPos(scale.position(EDGE_HZ))
        self.band_line.setPos(scale.position(self.band_hz))
        self._place_chips()

    def set_band(self, hz: float, text: str) -> None:
        """Draw a line at the measured upper end of the input, unless it is 11.025 kHz."""
        self.band_hz = hz
        self.band_line.setPos(self._scale.position(hz))
        self.band_line.setVisible(hz < EDGE_HZ)
        self.set_text(self.note, text)

    def set_text(self, chip: Chip, text: str) -> None:
        """Change the text of `hint`, `legend` or `note`; empty hides it."""
        if text != chip.text():
            chip.setText(text)
            self._place_chips()

    def show_until(self, end: int) -> None:
        """Scroll to the column before `end`."""
        self.image.show_until(end)
        if self.wave.isVisible():
            self.wave.show_peaks(*self.image.visible_peaks())

    def set_cursor(self, cursor: QPointF | None) -> None:
        """Move or hide the cross-hair."""
        self.cursor = cursor
        self.update_level()
        for line in self._cross:
            line.setVisible(cursor is not None)
            line.setPos(cursor or QPointF())
        if cursor is not None:
            at, area = self.vb.mapFromView(cursor), self.vb.rect()
            width = self._level.boundingRect().width()
            left = at.x() + 9 if at.x() + 9 + width < area.right() else at.x() - 9 - width
            self._level.place(left, at.y() - 29 if at.y() > 34 else at.y() + 8)

    def update_level(self) -> None:
        """Show the level under the cross-hair, which changes while the image scrolls."""
        level, text = self.level_at_cursor(), ""
        if self.cursor is not None:
            text = "no signal" if level is None else with_minus(f"{level:.1f} dBFS")
        if text != self._level.text():
            self._level.setText(text)

    def level_at_cursor(self) -> float | None:
        """Level in dBFS under the cross-hair; None outside the history and the band."""
        if self.cursor is None:
            return None
        hz_bin = round(self._scale.frequency(self.cursor.y()) / BIN_HZ)
        code = self.image.code_at(self.cursor.x(), hz_bin)
        return level_of(code) if code else None

    def _view_changed(self, *_: object) -> None:
        self.image.rebuild()
        self.show_until(self.image.end)
        for overlay in (self.spectrum, self.wave):
            overlay.place(self.vb.rect())
        self._place_chips()

    def _place_chips(self) -> None:
        """Place the texts: in the upper corners, above the line at 11.025 kHz, in the middle."""
        area = self.vb.rect()
        self._title.place(10, 8)
        self.legend.place(area.width() - self.legend.boundingRect().width() - 10, 8)
        y = self.vb.mapFromView(QPointF(0, self._scale.position(EDGE_HZ))).y()
        fits = self.note.boundingRect().width() < area.width() * 0.7
        self.note.setVisible(70 < y < area.height() + 6 and fits)
        self.note.place(10, y - 27)
        size = self.hint.boundingRect()
        self.hint.place((area.width() - size.width()) / 2, (area.height() - size.height()) / 2)
