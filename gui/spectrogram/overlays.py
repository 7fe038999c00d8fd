"""What can be laid over a spectrogram: the waveform, and spectra along the frequency axis."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen, QPolygonF

from gui.spectrogram.frequency_scale import Scale, frequency
from gui.spectrogram.scrolling_image import Pixels
from gui.spectrogram.stft import BIN_HZ
from gui.widgets.theme import PICTURE

SPECTRUM_LOW_DB = -110.0
SPECTRUM_HIGH_DB = -10.0
POINTS = 160
"""Points of a curve: enough for a pane's height, few enough to draw 30 times a second."""


@dataclass(frozen=True)
class Curve:
    """A spectrum to draw.

    Shape:
        - level_db: ``[F]``, bins from 0 Hz, dBFS
    """

    level_db: npt.NDArray[np.float32]
    colour: str
    """Name in the theme."""
    fill_from: npt.NDArray[np.float32] | None = None
    """Fill the space down to this spectrum where the curve is above it."""


def waveform_columns(peaks: npt.NDArray[np.float32], height: int) -> Pixels:
    """Bars as high as the peaks, half transparent, on nothing.

    Shape:
        - peaks: ``[n]``, 0..1
        - Output: ``[height, n]``, premultiplied ARGB
    """
    middle = (height - 1) / 2
    distance = np.abs(np.arange(height) - middle)[:, None]
    # At least half a pixel, so that silence is a line.
    bar = distance <= np.maximum(np.minimum(peaks, 1) * middle, 0.5)
    columns: Pixels = np.where(bar, np.uint32(0xA0909299), np.uint32(0x50000000))
    return columns


def paint_curves(painter: QPainter, curves: list[Curve], box: QRectF, scale: Scale) -> None:
    """Draw spectra at the right: frequency as in the picture, level growing to the left."""
    width = min(260.0, box.width() * 0.34)
    left = box.right() - width
    veil = QLinearGradient(left, 0, box.right(), 0)
    veil.setColorAt(0, QColor(14, 16, 20, 0))
    veil.setColorAt(0.25, QColor(14, 16, 20, 150))
    veil.setColorAt(1, QColor(14, 16, 20, 215))
    painter.fillRect(QRectF(left, box.top(), width, box.height()), veil)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for curve in curves:
        points = _points(curve.level_db, box, width, scale)
        if curve.fill_from is not None:
            floor = _points(curve.fill_from, box, width, scale, whole=True)
            shape = [
                QPointF(min(point.x(), ground.x()), point.y())
                for point, ground in zip(points, floor, strict=True)
            ]
            painter.setPen(QPen(QColor(0, 0, 0, 0)))
            painter.setBrush(PICTURE.colour(curve.colour, 70))
            painter.drawPolygon(QPolygonF(shape + floor[::-1]))
            painter.setBrush(QColor(0, 0, 0, 0))
        # One wide: Qt draws wider lines with another engine, ten times as slowly.
        painter.setPen(QPen(PICTURE.colour(curve.colour), 1))
        painter.drawPolyline(QPolygonF(points))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _points(
    level_db: npt.NDArray[np.float32],
    box: QRectF,
    width: float,
    scale: Scale,
    *,
    whole: bool = False,
) -> list[QPointF]:
    heights, hz = _axis(scale)
    bins = hz / BIN_HZ
    inside = bins <= len(level_db) - 1
    level = np.full(POINTS, SPECTRUM_LOW_DB)
    level[inside] = np.interp(bins[inside], np.arange(len(level_db)), level_db)
    share = np.clip((level - SPECTRUM_LOW_DB) / (SPECTRUM_HIGH_DB - SPECTRUM_LOW_DB), 0, 1)
    xs = box.right() - 2 - share * (width - 8)
    ys = box.bottom() - heights * box.height()
    if not whole:
        xs, ys = xs[inside], ys[inside]
    return [QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]


@lru_cache(maxsize=len(Scale))
def _axis(scale: Scale) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Heights of the points, 0..1, and their frequencies; the same for every curve."""
    heights = np.linspace(0, 1, POINTS)
    return heights, np.array([frequency(scale, height) for height in heights])
