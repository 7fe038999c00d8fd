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
from gui.spectrogram.analysis.stft import Floats
from gui.spectrogram.color_bar import DEFAULT_RANGE_DB
from gui.spectrogram.color_maps import ColourMap, code_colours
from gui.spectrogram.frequency_scale import RowMap, Scale

REDRAW_COLUMNS = 200
"""Columns per piece of a full redraw: about one millisecond without the interpreter lock."""


class ScrollingImage(pg.GraphicsObject):
    """The spectrogram of a history inside a view box, in the view box's pixels.

    One column of the image is one column of the history, or the maximum of a group of several when
    the view shows more columns than pixels. The view box's x is in seconds before the end, its y a
    position on the frequency axis.
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
        self.frequency_scale = Scale.LINEAR
        self._map = pg.colormap.get(ColourMap.INFERNO.value)
        self._levels = DEFAULT_RANGE_DB
        self._colours = code_colours(self._map, *self._levels)
        self.ratio = self.hop_s = 1.0
        """Device pixels per pixel, seconds per column; call :meth:`rebuild` after a change."""
        self.rebuild()

    def boundingRect(self) -> QRectF:
        """The whole view box."""
        return QRectF(self._view_box.rect())

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

    def rebuild(self) -> None:
        """Follow a change of the view box's size or range; drawn once before the next paint."""
        self.prepareGeometryChange()
        rect = self._view_box.rect()
        width, self._height = (
            max(1, round(length * self.ratio)) for length in (rect.width(), rect.height())
        )
        left_s, right_s = self._view_box.viewRange()[0]
        self._shown = max((right_s - left_s) / self.hop_s, 1.0)
        if abs(self._shown - width) < 1:
            self._shown = float(width)
        self._step: int = max(1, int(self._shown / width))
        self._back: int = max(0, round(-right_s / self.hop_s))
        # One more group than fits, because the first and the last one may be cut.
        whole = self._step == 1 and self._shown == width
        self._width = width if whole else math.ceil(self._shown / self._step) + 1
        self._redraw()

    def _redraw(self) -> None:
        self._stale = True
        self.update()

    def show_until(self, end: int) -> None:
        """Scroll to the column before `end`; computes only new columns."""
        new, self.end = end - self.end, end
        if new < 0 or new > REDRAW_COLUMNS:
            self._redraw()
        elif new and not self._stale:
            # The last group may have been incomplete.
            self._write((end - new - self._back) // self._step, self._end_group())
            self.update()

    def code_at(self, seconds: float, hz_bin: int) -> int:
        """Level code at a time of the view and a bin; 0 where there is none."""
        column = self.end - 1 + math.ceil(seconds / self.hop_s)
        codes = self.history.codes(column, column + 1)[0]
        return int(codes[hz_bin]) if hz_bin < len(codes) else 0

    def visible_peaks(self) -> tuple[npt.NDArray[np.float64], Floats]:
        """Time in seconds and largest absolute sample of each column of the image."""
        end = self._end_group()
        first = end - self._width
        peaks = self.history.peaks(first * self._step, end * self._step)
        centres = np.arange(first, end, dtype=np.float64) * self._step + self._step / 2
        return (centres - self.end) * self.hop_s, peaks.reshape(-1, self._step).max(axis=1)

    def _end_group(self) -> int:
        return math.ceil((self.end - self._back) / self._step)

    def draw_stale(self) -> None:
        """Draw the whole ring if something has changed since."""
        if not self._stale:
            return
        self._stale = False
        width, height = self._width, self._height
        self._pixels = np.zeros((height, width), np.uint32)
        # The image shares the array's memory: writing columns into the array changes the image.
        form = QImage.Format.Format_RGB32
        self._image = QImage(self._pixels.data, width, height, 4 * width, form)
        low, high = self._view_box.viewRange()[1]
        self._rows = RowMap(
            self.frequency_scale, rows=height, bins=self.history.bins, low=low, high=high
        )
        end = self._end_group()
        pieces = max(1, REDRAW_COLUMNS // self._step)
        # In pieces, so that no call holds the interpreter lock for long.
        for first in range(end - width, end, pieces):
            self._write(first, min(first + pieces, end))

    def _write(self, first: int, end: int) -> None:
        """Write groups of columns into the ring."""
        first = max(first, end - self._width)
        codes = self.history.codes(first * self._step, end * self._step)
        if self._step > 1:
            codes = codes.reshape(end - first, self._step, -1).max(axis=1)
        columns = self._colours[self._rows.apply(codes)]
        start = first % self._width
        fitting = min(end - first, self._width - start)
        self._pixels[:, start : start + fitting] = columns[:, :fitting]
        self._pixels[:, : end - first - fitting] = columns[:, fitting:]

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the ring; one column per device pixel unless the view is zoomed in time."""
        self.draw_stale()
        rect, end = self.boundingRect(), self._end_group()
        late = end * self._step - (self.end - self._back)
        per_column = rect.width() / self._shown
        per_group = self._step * per_column
        left = rect.right() + late * per_column - self._width * per_group
        oldest = end % self._width
        split = self._width - oldest
        for source_x, groups, x in ((oldest, split, left), (0, oldest, left + split * per_group)):
            if groups:
                painter.drawImage(
                    QRectF(x, rect.top(), groups * per_group, rect.height()),
                    self._image,
                    QRectF(source_x, 0, groups, self._height),
                )
