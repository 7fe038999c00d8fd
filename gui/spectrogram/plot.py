"""One spectrogram: the scrolling image in a pyqtgraph plot with its marks and cross-hair."""

from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from gui.spectrogram.analysis.history import History
from gui.spectrogram.analysis.stft import BIN_HZ
from gui.spectrogram.axes import FrequencyAxis, TimeAxis
from gui.spectrogram.color_maps import level_of
from gui.spectrogram.frequency_scale import EDGE_HZ, Scale, frequency, position
from gui.spectrogram.overlays import SpectrumOverlay, WaveformOverlay
from gui.spectrogram.scrolling_image import ScrollingImage
from gui.spectrogram.view_box import SpectrogramViewBox
from gui.widgets.text import with_minus
from gui.widgets.theme import PICTURE, Theme, base_font


@dataclass(frozen=True)
class Cursor:
    """Position of the cross-hair in both plots.

    Attributes:
        seconds: Time before the newest column, negative.
        height: Position on the frequency axis.
        hz: Frequency.
    """

    seconds: float
    height: float
    hz: float


class Chip(pg.GraphicsObject):
    """A short text on a dark ground, in the pixels of its parent."""

    def __init__(self, parent: pg.ViewBox, *, bold: bool = False, colour: str = "text") -> None:
        super().__init__()
        self.setParentItem(parent)
        self.setZValue(20)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)
        weight = QFont.Weight.DemiBold if bold else QFont.Weight.Normal
        self._font = base_font(12, weight=weight)
        self._colour = PICTURE.colour(colour)
        self._ground: QColor = PICTURE.colour("track", 200)
        self._text = ""
        self._rect = QRectF()

    def boundingRect(self) -> QRectF:
        """The dark ground."""
        return self._rect

    @property
    def text(self) -> str:
        """The text."""
        return self._text

    def set_text(self, text: str) -> None:
        """Change the text; empty hides the chip."""
        if text != self._text:
            self._text = text
            self.prepareGeometryChange()
            width = QFontMetricsF(self._font).horizontalAdvance(text) + 14 if text else 0.0
            self._rect = QRectF(0, 0, round(width), 21)
            self.update()

    def place_near(self, at: QPointF, area: QRectF) -> None:
        """Move beside a point, inside an area."""
        width = self._rect.width()
        left = at.x() + 9 if at.x() + 9 + width < area.right() else at.x() - 9 - width
        self.setPos(round(left), round(at.y() - 29 if at.y() > 34 else at.y() + 8))

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw ground and text."""
        if self._text:
            painter.fillRect(self._rect, self._ground)
            painter.setFont(self._font)
            painter.setPen(self._colour)
            painter.drawText(self._rect, Qt.AlignmentFlag.AlignCenter, self._text)


class SpectrogramPlot(pg.PlotItem):
    """Axes, image, marks, overlays and cross-hair of one history."""

    def __init__(
        self, title: str, history: History, theme: Theme, *, with_output: bool = False
    ) -> None:
        self.frequency_axis = FrequencyAxis(theme)
        self.time_axis = TimeAxis(theme)
        super().__init__(
            viewBox=SpectrogramViewBox(),
            axisItems={"left": self.frequency_axis, "bottom": self.time_axis},
            enableMenu=False,
        )
        self.layout.setContentsMargins(0, 0, 0, 0)
        self.hideButtons()
        self._scale = Scale.LINEAR
        self._cursor: Cursor | None = None
        self.image = ScrollingImage(history, self.vb)
        self.image.setZValue(-10)
        self.spectrum = SpectrumOverlay(self, with_output=with_output)
        self.wave = WaveformOverlay(self)
        self.title_chip = Chip(self.vb, bold=True)
        self.title_chip.set_text(title)
        self.title_chip.setPos(10, 8)
        self.note = Chip(self.vb, colour="accent")
        self.hint = Chip(self.vb, colour="muted")
        self._level = Chip(self.vb)
        dashes = pg.mkPen(PICTURE.colour("accent", 190), width=1, dash=[5, 4])
        self.edge_line = self._line(dashes, angle=0)
        self.edge_line.setPos(position(self._scale, EDGE_HZ))
        self.band_line = self._line(pg.mkPen(PICTURE.colour("source", 220), width=1), angle=0)
        self.band_line.hide()
        self.band_hz = EDGE_HZ
        cross = pg.mkPen(PICTURE.colour("text", 130), width=1)
        self._cross = self._line(cross, angle=90), self._line(cross, angle=0)
        for line in self._cross:
            line.hide()
        self.vb.sigResized.connect(self._resized)
        self.vb.sigRangeChanged.connect(self._range_changed)

    def _line(self, pen: object, *, angle: int) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=angle, pen=pen, movable=False)
        line.setZValue(15)
        self.addItem(line, ignoreBounds=True)
        return line

    def set_theme(self, theme: Theme) -> None:
        """Change the colours of the axes."""
        self.frequency_axis.set_theme(theme)
        self.time_axis.set_theme(theme)

    def set_scale(self, scale: Scale) -> None:
        """Choose the frequency axis."""
        self._scale = scale
        self.frequency_axis.set_scale(scale)
        self.image.set_scale(scale)
        self.spectrum.set_scale(scale)
        self.edge_line.setPos(position(scale, EDGE_HZ))
        self.band_line.setPos(position(scale, self.band_hz))
        self._place_note()

    def set_band(self, hz: float, *, shown: bool) -> None:
        """Draw a line at the measured upper end of the input."""
        self.band_hz = hz
        self.band_line.setPos(position(self._scale, hz))
        self.band_line.setVisible(shown)

    def set_hint(self, text: str) -> None:
        """Show a text in the middle; empty removes it."""
        self.hint.set_text(text)
        self._place_hint()

    def show_until(self, end: int) -> None:
        """Scroll to the column before `end`."""
        self.image.show_until(end)
        if self.wave_shown:
            self.wave.update(*self.image.visible_peaks())

    @property
    def wave_shown(self) -> bool:
        """Whether the waveform is drawn."""
        return self._wave_shown

    _wave_shown = False

    def set_wave(self, *, shown: bool) -> None:
        """Show or hide the waveform."""
        self._wave_shown = shown
        self.wave.set_visible(visible=shown)
        if shown:
            self.wave.update(*self.image.visible_peaks())

    def cursor_at(self, at: QPointF) -> Cursor:
        """The cross-hair at a point of the view."""
        height = min(max(at.y(), 0.0), 1.0)
        return Cursor(min(at.x(), 0.0), height, frequency(self._scale, height))

    def set_cursor(self, cursor: Cursor | None) -> None:
        """Move or hide the cross-hair."""
        self._cursor = cursor
        vertical, horizontal = self._cross
        for line in self._cross:
            line.setVisible(cursor is not None)
        if cursor is None:
            self._level.set_text("")
            return
        vertical.setPos(cursor.seconds)
        horizontal.setPos(cursor.height)
        self.update_level()
        at = self.vb.mapFromView(QPointF(cursor.seconds, cursor.height))
        self._level.place_near(at, self.vb.rect())

    def update_level(self) -> None:
        """Show the level under the cross-hair, which changes while the image scrolls."""
        if self._cursor is not None:
            level = self.level_at(self._cursor)
            text = "no signal" if level is None else with_minus(f"{level:.1f} dBFS")
            self._level.set_text(text)

    def level_at(self, cursor: Cursor) -> float | None:
        """Level in dBFS under a cross-hair; None outside the history and the band."""
        column = self.image.column_at(cursor.seconds)
        bin_index = round(cursor.hz / BIN_HZ)
        if bin_index >= self.image.history.bins:
            return None
        code = self.image.history.code(column, bin_index)
        return level_of(code) if code else None

    def _resized(self, *_: object) -> None:
        self.spectrum.place()
        self.wave.place()
        self.image.rebuild()
        self._place_note()
        self._place_hint()

    def _range_changed(self, *_: object) -> None:
        self.image.rebuild()
        self._place_note()
        if self.wave_shown:
            self.wave.update(*self.image.visible_peaks())

    def _place_note(self) -> None:
        y = self.vb.mapFromView(QPointF(0, position(self._scale, EDGE_HZ))).y()
        fits = self.note.boundingRect().width() < self.vb.width() * 0.7
        self.note.setVisible(70 < y < self.vb.height() + 6 and fits)
        self.note.setPos(10, round(y - 27))

    def _place_hint(self) -> None:
        size = self.hint.boundingRect().size()
        rect = self.vb.rect()
        self.hint.setPos(
            round((rect.width() - size.width()) / 2), round((rect.height() - size.height()) / 2)
        )
