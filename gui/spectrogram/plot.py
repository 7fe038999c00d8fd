"""One spectrogram: the scrolling image in a pyqtgraph plot with its marks and cross-hair."""

from functools import partial

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QGraphicsSimpleTextItem

from gui.spectrogram.analysis.history import History
from gui.spectrogram.analysis.stft import BIN_HZ
from gui.spectrogram.axes import FREQUENCY_WIDTH, TIME_HEIGHT, ThemedAxis, frequency_labels
from gui.spectrogram.color_maps import level_of
from gui.spectrogram.frequency_scale import EDGE_HZ, Scale
from gui.spectrogram.overlays import SpectrumOverlay, WaveformOverlay
from gui.spectrogram.scrolling_image import ScrollingImage
from gui.spectrogram.view_box import SpectrogramViewBox
from gui.widgets.text import with_minus
from gui.widgets.theme import PICTURE, Theme, base_font


class Chip(QGraphicsSimpleTextItem):
    """A short text on a dark ground, in the pixels of a plot; nothing without text."""

    def __init__(self, plot: pg.ViewBox, colour: str = "text", *, bold: bool = False) -> None:
        super().__init__(plot)
        self.setZValue(20)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)
        self.setFont(base_font(12, weight=QFont.Weight.DemiBold if bold else QFont.Weight.Normal))
        self.setBrush(PICTURE.colour(colour))

    def boundingRect(self) -> QRectF:
        """The ground, 21 pixels high."""
        text = super().boundingRect()
        return QRectF(-7, 0, round(text.width()) + 14, 21).translated(0, (text.height() - 21) // 2)

    def paint(self, painter: QPainter, *arguments: object) -> None:
        """Draw ground and text."""
        if self.text():
            painter.fillRect(self.boundingRect(), PICTURE.colour("track", 200))
            super().paint(painter, *arguments)  # type: ignore[arg-type]

    def place(self, x: float, y: float) -> None:
        """Move the upper left corner of the ground."""
        corner = self.boundingRect().topLeft()
        self.setPos(round(x) - corner.x(), round(y) - corner.y())


class SpectrogramPlot(pg.PlotItem):
    """Axes, image, marks, overlays and cross-hair of one history."""

    def __init__(
        self, title: str, history: History, theme: Theme, *, with_output: bool = False
    ) -> None:
        self.frequency_axis = ThemedAxis("left", theme)
        self.time_axis = ThemedAxis("bottom", theme)
        super().__init__(
            viewBox=SpectrogramViewBox(),
            axisItems={"left": self.frequency_axis, "bottom": self.time_axis},
            enableMenu=False,
        )
        self.layout.setContentsMargins(0, 0, 0, 0)
        self.frequency_axis.setWidth(FREQUENCY_WIDTH)
        self.time_axis.setHeight(TIME_HEIGHT)
        self.hideButtons()
        self.image = ScrollingImage(history, self.vb)
        self.spectrum = SpectrumOverlay(self, with_output=with_output)
        self.wave = WaveformOverlay(self)
        title_chip = Chip(self.vb, bold=True)
        title_chip.setText(title)
        title_chip.place(10, 8)
        self.note, self.hint = Chip(self.vb, "accent"), Chip(self.vb, "muted")
        self.legend, self._level = Chip(self.vb), Chip(self.vb)
        self._edge_line = self._line(pg.mkPen(PICTURE.colour("accent", 190), dash=[5, 4]), angle=0)
        self.band_line = self._line(PICTURE.colour("source", 220), angle=0)
        self.play_line = self._line(PICTURE.colour("text"), angle=90)
        self._cross = [self._line(PICTURE.colour("text", 130), angle=angle) for angle in (90, 0)]
        self.cursor: QPointF | None = None
        """The cross-hair: seconds and position on the frequency axis."""
        self.band_hz = EDGE_HZ
        self.set_scale(Scale.LINEAR)
        self.band_line.hide()
        self.set_cursor(None)
        self.play_line.hide()
        self.vb.sigResized.connect(self._view_changed)
        self.vb.sigRangeChanged.connect(self._view_changed)

    def _line(self, pen: object, *, angle: int) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=angle, pen=pen, movable=False)
        line.setZValue(15)
        self.addItem(line, ignoreBounds=True)
        return line

    def set_scale(self, scale: Scale) -> None:
        """Choose the frequency axis."""
        self._scale = scale
        self.frequency_axis.set_labels(partial(frequency_labels, scale))
        self.image.set_scale(scale)
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
        for line in self._cross:
            line.setVisible(cursor is not None)
        self.update_level()
        if cursor is not None:
            for line, at in zip(self._cross, (cursor.x(), cursor.y()), strict=True):
                line.setPos(at)
            at, area = self.vb.mapFromView(cursor), self.vb.rect()
            width = self._level.boundingRect().width()
            left = at.x() + 9 if at.x() + 9 + width < area.right() else at.x() - 9 - width
            self._level.place(left, at.y() - 29 if at.y() > 34 else at.y() + 8)

    def update_level(self) -> None:
        """Show the level under the cross-hair, which changes while the image scrolls."""
        level = self.level_at_cursor()
        text = "no signal" if level is None else with_minus(f"{level:.1f} dBFS")
        self._level.setText(text if self.cursor is not None else "")

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
        """Place the texts: above the line, in the middle, at the upper right."""
        area = self.vb.rect()
        y = self.vb.mapFromView(QPointF(0, self._scale.position(EDGE_HZ))).y()
        fits = self.note.boundingRect().width() < area.width() * 0.7
        self.note.setVisible(70 < y < area.height() + 6 and fits)
        self.note.place(10, y - 27)
        size = self.hint.boundingRect().size()
        self.hint.place((area.width() - size.width()) / 2, (area.height() - size.height()) / 2)
        self.legend.place(area.width() - self.legend.boundingRect().width() - 10, 8)
