"""One spectrogram: scrolling picture, marks, cross-hair and overlays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.spectrogram.color_maps import Colours, level_of
from gui.spectrogram.frequency_scale import EDGE_HZ, RowMap, Scale, frequency, position
from gui.spectrogram.history import History
from gui.spectrogram.overlays import Curve, paint_curves, waveform_columns
from gui.spectrogram.scrolling_image import RingImage
from gui.spectrogram.stft import BIN_HZ
from gui.widgets.text import with_minus
from gui.widgets.theme import PICTURE, base_font

WAVE_SHARE = 0.16
"""Height of the waveform overlay, as a share of the pane."""

REDRAW_COLUMNS = 200
"""Columns that are computed in one piece: about a millisecond."""


@dataclass(frozen=True)
class Cursor:
    """Where the cross-hair stands, common to both panes.

    Attributes:
        columns_back: Columns before the newest one.
        hz: Frequency.
        x: Distance from the left edge.
        y: Distance from the top edge.
    """

    columns_back: int
    hz: float
    x: float
    y: float


class SpectrogramPane(QWidget):
    """Shows a history; tells where the mouse is, and leaves the cross-hair to its owner."""

    pointed = Signal(object)
    """A :class:`Cursor`, or None when the mouse left."""

    def __init__(
        self, title: str, history: History, *, upper_note: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 120)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(f"Spectrogram, {title}")
        self.title = title
        self.upper_note = upper_note
        self.hint = ""
        """A line in the middle while there is nothing to see."""
        self._history = history
        self._scale = Scale.LINEAR
        self._colours: Colours = np.zeros(256, np.uint32)
        self._cursor: Cursor | None = None
        self._curves: list[Curve] = []
        self._wave = False
        self._font = base_font(12)
        self._bold = base_font(12, weight=QFont.Weight.DemiBold)
        self._metrics = {
            bold: QFontMetricsF(font) for bold, font in ((False, self._font), (True, self._bold))
        }
        self._ring = RingImage(1, 1)
        self._ring.end = history.end
        self._build()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(760, 240)

    @property
    def columns(self) -> int:
        """Columns that fit."""
        return self._ring.width

    def set_scale(self, scale: Scale) -> None:
        """Choose the frequency axis."""
        self._scale = scale
        self._build()

    def set_colours(self, colours: Colours) -> None:
        """Choose the colours of the 256 level codes."""
        if not np.array_equal(colours, self._colours):
            self._colours = colours
            self._redraw()

    def set_wave(self, shown: bool) -> None:
        """Lay the waveform over the picture, or not."""
        self._wave = shown
        self._build()

    def set_curves(self, curves: list[Curve]) -> None:
        """Lay spectra over the picture."""
        self._curves = curves

    def set_cursor(self, cursor: Cursor | None) -> None:
        """Put the cross-hair somewhere, or away."""
        if cursor != self._cursor:
            self._cursor = cursor
            self.update()

    def show_until(self, end: int) -> None:
        """Bring the picture to the column before `end`, computing only what is new."""
        new = end - self._ring.end
        if not new:
            return
        if new < 0:
            self._redraw(end)
            return
        if new > REDRAW_COLUMNS:
            self._redraw(end)
            return
        self._write(self._ring.end, end)
        self.update()

    def level_at(self, cursor: Cursor) -> float | None:
        """Level in dBFS under a cross-hair, None where there is nothing."""
        column = self._ring.end - 1 - cursor.columns_back
        bin_index = round(cursor.hz / BIN_HZ)
        if bin_index >= self._history.bins:
            return None
        code = self._history.code(column, bin_index)
        return level_of(code) if code else None

    def _build(self) -> None:
        ratio = self.devicePixelRatioF()
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        end = self._ring.end
        self._ring = RingImage(max(width, 1), max(height, 1))
        self._rows = RowMap.make(
            self._scale, rows=self._ring.height, bins=self._history.bins, bin_hz=BIN_HZ
        )
        wave_height = max(1, round(height * WAVE_SHARE))
        self._wave_ring = RingImage(max(width, 1), wave_height, alpha=True)
        self._redraw(end)

    def _redraw(self, end: int | None = None) -> None:
        end = self._ring.end if end is None else end
        # In pieces, so that no call keeps the interpreter from the audio's thread for long.
        for first in range(end - self._ring.width, end, REDRAW_COLUMNS):
            self._write(first, min(first + REDRAW_COLUMNS, end))
        self.update()

    def _write(self, first: int, end: int) -> None:
        codes, peaks = self._history.view(first, end)
        self._ring.write(self._colours[self._rows.apply(codes)], end)
        if self._wave:
            self._wave_ring.write(waveform_columns(peaks, self._wave_ring.height), end)

    def resizeEvent(self, event: object) -> None:
        """Make the picture as large as the pane."""
        self._build()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of the screen's scale."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._build()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell where the mouse is."""
        x, y = event.position().x(), event.position().y()
        height = min(max(1 - y / max(self.height(), 1), 0.0), 1.0)
        back = int((self.width() - x) * self.devicePixelRatioF())
        self.pointed.emit(Cursor(max(back, 0), frequency(self._scale, height), x, y))

    def leaveEvent(self, event: QEvent) -> None:
        """Tell that the mouse left."""
        self.pointed.emit(None)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Two blits, then what lies upon the picture."""
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        self._ring.paint(painter, QPointF(0, 0), ratio)
        if self._wave:
            top = self.height() - self._wave_ring.height / ratio
            self._wave_ring.paint(painter, QPointF(0, top), ratio)
        if self._curves:
            paint_curves(painter, self._curves, QRectF(self.rect()), self._scale)
        self._paint_edge(painter)
        self._paint_chip(painter, self.title, QPointF(10, 8), bold=True)
        if self.hint:
            painter.setFont(self._font)
            painter.setPen(PICTURE.colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.hint)
        if self._cursor is not None:
            self._paint_cursor(painter, self._cursor)
        painter.end()

    def _paint_edge(self, painter: QPainter) -> None:
        """The line at 11.025 kHz and what is (not) above it."""
        y = round(self.height() * (1 - position(self._scale, EDGE_HZ))) + 0.5
        pen = QPen(PICTURE.colour("accent", 190), 1)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
        if y > 70 and self.upper_note:
            width = self._metrics[False].horizontalAdvance(self.upper_note) + 16
            if width < self.width() * 0.7:
                self._paint_chip(painter, self.upper_note, QPointF(10, y - 27), quiet=True)

    def _paint_chip(
        self,
        painter: QPainter,
        text: str,
        at: QPointF,
        *,
        bold: bool = False,
        quiet: bool = False,
    ) -> None:
        font = self._bold if bold else self._font
        box = QRectF(at.x(), at.y(), self._metrics[bold].horizontalAdvance(text) + 14, 21)
        painter.fillRect(box, PICTURE.colour("track", 150 if quiet else 200))
        painter.setFont(font)
        painter.setPen(PICTURE.colour("accent" if quiet else "text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_cursor(self, painter: QPainter, cursor: Cursor) -> None:
        painter.setPen(QPen(PICTURE.colour("text", 130), 1))
        x = int(cursor.x) + 0.5
        y = round(self.height() * (1 - position(self._scale, cursor.hz))) + 0.5
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
        level = self.level_at(cursor)
        text = "nothing here" if level is None else with_minus(f"{level:.1f} dBFS")
        width = self._metrics[False].horizontalAdvance(text) + 14
        left = x + 9 if x + 9 + width < self.width() else x - 9 - width
        top = y - 29 if y > 34 else y + 8
        self._paint_chip(painter, text, QPointF(left, top))


def mean_power(
    average: npt.NDArray[np.float32] | None, power: npt.NDArray[np.float32], share: float
) -> npt.NDArray[np.float32]:
    """Exponential average of column powers for the spectrum overlay.

    Shape:
        - power: ``[n, F]``
        - Output: ``[F]``
    """
    if average is None:
        first: npt.NDArray[np.float32] = power.mean(axis=0)
        return first
    kept = np.float32((1 - share) ** len(power))
    moved: npt.NDArray[np.float32] = kept * average + (1 - kept) * power.mean(axis=0)
    return moved
