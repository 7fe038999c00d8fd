"""An image that scrolls without moving pixels: a ring of columns, drawn as two blits.

pyqtgraph's ``ImageItem`` converts and uploads the whole image at every change, which takes 9 to
16 ms for a full-HD spectrogram. Writing one column into the ring and drawing it takes 0.2 ms.
"""

import math

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from gui.spectrogram.analysis.history import History
from gui.spectrogram.analysis.running_mean import Floats
from gui.spectrogram.color_bar import DEFAULT_RANGE_DB
from gui.spectrogram.color_maps import ColourMap, Colours, code_colours
from gui.spectrogram.frequency_scale import RowMap, Scale

REDRAW_COLUMNS = 200
"""Columns per piece of a full redraw: about one millisecond without the interpreter lock."""


class RingImage:
    """The last `width` columns of an image in device pixels.

    Args:
        width: Columns.
        height: Rows.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._pixels: Colours = np.zeros((height, width), np.uint32)
        # The image shares the array's memory: writing columns into the array changes the image.
        self._image = QImage(
            self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32
        )
        self.end = 0
        """Index after the newest column, counted from the first column of the stream."""

    def write(self, columns: Colours, end: int) -> None:
        """Write the columns ``[height, n]`` before `end`; at most `width` are kept."""
        columns = columns[:, -self.width :]
        count = columns.shape[1]
        start = (end - count) % self.width
        first = min(count, self.width - start)
        self._pixels[:, start : start + first] = columns[:, :first]
        self._pixels[:, : count - first] = columns[:, first:]
        self.end = end

    def paint(self, painter: QPainter, target: QRectF) -> None:
        """Draw the image, the newest column at the right edge of `target`."""
        oldest = self.end % self.width
        scale = target.width() / self.width
        split = (self.width - oldest) * scale
        for source_x, columns, x in ((oldest, self.width - oldest, 0.0), (0, oldest, split)):
            if columns:
                painter.drawImage(
                    QRectF(target.x() + x, target.y(), columns * scale, target.height()),
                    self._image,
                    QRectF(source_x, 0, columns, self.height),
                )


class ScrollingImage(pg.GraphicsObject):
    """The spectrogram of a history inside a view box, in the view box's pixels.

    One column of the image is one column of the history, or the maximum of several when the view
    shows more columns than pixels.

    Args:
        history: Columns to draw.
        view_box: Parent, whose range is drawn: x in seconds before the end, y as position of the
            frequency axis.
    """

    def __init__(self, history: History, view_box: pg.ViewBox) -> None:
        super().__init__()
        self.setParentItem(view_box)
        self.setZValue(-10)
        self.history = history
        """The columns to draw; a copy while frozen."""
        self.end = history.end
        """Index after the column at time 0 of the view."""
        self._view_box = view_box
        self._scale = Scale.LINEAR
        self._map = pg.colormap.get(ColourMap.INFERNO.value)
        self._levels = DEFAULT_RANGE_DB
        self._colours = code_colours(self._map, *self._levels)
        self._ratio = self._hop_s = 1.0
        self.rebuild()

    def boundingRect(self) -> QRectF:
        """The whole view box."""
        return QRectF(self._view_box.rect())

    def set_scale(self, scale: Scale) -> None:
        """Choose the frequency axis."""
        self._scale = scale
        self._redraw()

    def setColorMap(self, colours: pg.ColorMap) -> None:
        """Choose the colours; called by ``ColorBarItem``."""
        self._map = colours
        self.setLevels(self._levels)

    def setLevels(self, levels: tuple[float, float]) -> None:
        """Choose the range of levels in dBFS; called by ``ColorBarItem``."""
        self._levels = levels
        colours = code_colours(self._map, *levels)
        if not np.array_equal(colours, self._colours):
            self._colours = colours
            self._redraw()

    def set_resolution(self, *, hop_s: float, ratio: float) -> None:
        """Set the seconds per column and the device pixels per pixel."""
        self._hop_s, self._ratio = hop_s, ratio
        self.rebuild()

    def rebuild(self) -> None:
        """Follow a change of the view box's size or range; drawn once before the next paint."""
        self.prepareGeometryChange()
        rect = self._view_box.rect()
        width, height = (max(1, round(s * self._ratio)) for s in (rect.width(), rect.height()))
        left_s, right_s = self._view_box.viewRange()[0]
        self._columns = max((right_s - left_s) / self._hop_s, 1.0)
        if abs(self._columns - width) < 1:
            self._columns = float(width)
        self._step = max(1, int(self._columns / width))
        self._back = max(0, round(-right_s / self._hop_s))
        # One more group than fits, because the first and the last one may be cut.
        whole = self._step == 1 and self._columns == width
        columns = width if whole else math.ceil(self._columns / self._step) + 1
        self._size = (columns, height)
        self._redraw()

    def show_until(self, end: int) -> None:
        """Scroll to the column before `end`; computes only new columns."""
        shown, self.end = self.end, end
        new = end - shown
        if new < 0 or new > REDRAW_COLUMNS:
            self._redraw()
        elif new and not self._stale:
            # The last group may have been incomplete.
            self._write((shown - self._back) // self._step, self._end_group())
            self.update()

    def code_at(self, seconds: float, hz_bin: int) -> int:
        """Level code at a time of the view and a bin; 0 where there is none."""
        column = self.end - 1 + math.ceil(seconds / self._hop_s)
        codes = self.history.codes(column, column + 1)[0]
        return int(codes[hz_bin]) if hz_bin < self.history.bins else 0

    def visible_peaks(self) -> tuple[npt.NDArray[np.float64], Floats]:
        """Time in seconds and largest absolute sample of each column of the image."""
        end = self._end_group()
        first = end - self._size[0]
        peaks = self.history.peaks(first * self._step, end * self._step)
        centres = np.arange(first, end, dtype=np.float64) * self._step + self._step / 2
        return (centres - self.end) * self._hop_s, peaks.reshape(-1, self._step).max(axis=1)

    def _end_group(self) -> int:
        return -(-(self.end - self._back) // self._step)

    def _redraw(self) -> None:
        self._stale = True
        self.update()

    def draw_stale(self) -> None:
        """Draw the whole ring if something has changed since."""
        if not self._stale:
            return
        self._stale = False
        columns, height = self._size
        low, high = self._view_box.viewRange()[1]
        self._ring = RingImage(columns, height)
        self._rows = RowMap(self._scale, rows=height, bins=self.history.bins, low=low, high=high)
        end = self._end_group()
        pieces = max(1, REDRAW_COLUMNS // self._step)
        # In pieces, so that no call holds the interpreter lock for long.
        for first in range(end - columns, end, pieces):
            self._write(first, min(first + pieces, end))

    def _write(self, first: int, end: int) -> None:
        codes = self.history.codes(first * self._step, end * self._step)
        if self._step > 1:
            codes = codes.reshape(end - first, self._step, -1).max(axis=1)
        self._ring.write(self._colours[self._rows.apply(codes)], end)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the ring; one column per device pixel unless the view is zoomed in time."""
        self.draw_stale()
        rect = self.boundingRect()
        per_column = rect.width() / self._columns
        late = self._end_group() * self._step - (self.end - self._back)
        width = self._ring.width * self._step * per_column
        right = rect.right() + late * per_column
        self._ring.paint(painter, QRectF(right - width, rect.top(), width, rect.height()))
