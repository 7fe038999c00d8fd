"""An image that scrolls without moving pixels: a ring of columns, drawn as two blits."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

Pixels = npt.NDArray[np.uint32]


class RingImage:
    """The last `width` columns of an image in device pixels.

    Args:
        width: Columns.
        height: Rows.
        alpha: True for an image with transparency.
    """

    def __init__(self, width: int, height: int, *, alpha: bool = False) -> None:
        self._pixels: Pixels = np.zeros((height, width), np.uint32)
        form = QImage.Format.Format_ARGB32_Premultiplied if alpha else QImage.Format.Format_RGB32
        # The image shares the array's memory: writing columns into the array changes the image.
        self._image = QImage(self._pixels.data, width, height, 4 * width, form)
        self.end = 0
        """Index after the newest column, counted from the first column of the stream."""

    @property
    def width(self) -> int:
        """Columns."""
        return int(self._pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self._pixels.shape[0])

    def write(self, columns: Pixels, end: int) -> None:
        """Write the columns before `end`; at most `width` are kept.

        Shape:
            - columns: ``[height, n]``
        """
        columns = columns[:, -self.width :]
        count = columns.shape[1]
        start = (end - count) % self.width
        first = min(count, self.width - start)
        self._pixels[:, start : start + first] = columns[:, :first]
        self._pixels[:, : count - first] = columns[:, first:]
        self.end = end

    def paint(self, painter: QPainter, at: QPointF, ratio: float) -> None:
        """Draw the image 1:1 on the device, the newest column at the right.

        Args:
            painter: Painter whose unit is `ratio` device pixels.
            at: Upper left corner.
            ratio: Device pixels per unit.
        """
        oldest = self.end % self.width
        left = self.width - oldest
        parts = [(oldest, left, 0), (0, oldest, left)]
        for source_x, width, x in parts:
            if width:
                target = QRectF(at.x() + x / ratio, at.y(), width / ratio, self.height / ratio)
                painter.drawImage(target, self._image, QRectF(source_x, 0, width, self.height))
