"""Curves over a spectrogram: spectra along the frequency axis, and the waveform."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QBrush, QColor, QLinearGradient
from PySide6.QtWidgets import QGraphicsRectItem

from gui.spectrogram.analysis.stft import BIN_HZ
from gui.spectrogram.frequency_scale import Scale, frequencies
from gui.widgets.theme import PICTURE

MIN_LEVEL_DB = -110.0
MAX_LEVEL_DB = -10.0
POINTS = 160
"""Points of a curve: enough for the height of a plot, few enough for 30 updates a second."""
WAVE_SHARE = 0.16
"""Height of the waveform as a share of the plot."""
MAX_SPECTRUM_WIDTH = 260.0


def _box() -> pg.ViewBox:
    box = pg.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0)
    box.disableAutoRange()
    # The mouse belongs to the spectrogram below.
    box.setAcceptHoverEvents(False)
    return box


class SpectrumOverlay:
    """Spectra at the right of a plot, level growing to the left.

    Args:
        plot: Plot whose frequency axis the curves follow.
        with_output: True to draw the output and what it adds to the input.
    """

    def __init__(self, plot: pg.PlotItem, *, with_output: bool) -> None:
        self._parent = plot.vb
        self._scale = Scale.LINEAR
        self._veil = QGraphicsRectItem(plot.vb)
        self._veil.setPen(pg.mkPen(None))
        self._veil.setZValue(10)
        self._box = _box()
        self._box.setParentItem(plot.vb)
        self._box.setZValue(11)
        self._box.setXRange(MIN_LEVEL_DB, MAX_LEVEL_DB, padding=0)
        self._box.invertX(True)
        self._box.setYLink(plot.vb)
        self._input = self._curve("source")
        self._output = self._curve("accent") if with_output else None
        # The fill lies between the input and the larger of both, so that it shows only gains.
        self._lower, self._upper = pg.PlotCurveItem(), pg.PlotCurveItem()
        if with_output:
            fill = pg.FillBetweenItem(self._lower, self._upper, PICTURE.colour("accent", 70))
            self._box.addItem(fill, ignoreBounds=True)
        self.set_visible(visible=False)

    def _curve(self, colour: str) -> pg.PlotCurveItem:
        # One pixel wide: Qt draws wider antialiased lines ten times as slowly.
        curve = pg.PlotCurveItem(pen=pg.mkPen(PICTURE.colour(colour), width=1), antialias=True)
        self._box.addItem(curve, ignoreBounds=True)
        return curve

    def set_visible(self, *, visible: bool) -> None:
        """Show or hide the spectra."""
        self._veil.setVisible(visible)
        self._box.setVisible(visible)

    def set_scale(self, scale: Scale) -> None:
        """Choose the frequency axis; the next update draws on it."""
        self._scale = scale

    def place(self) -> None:
        """Follow the size of the plot."""
        rect = self._parent.rect()
        width = min(MAX_SPECTRUM_WIDTH, rect.width() * 0.34)
        place = QRectF(rect.right() - width, rect.top(), width, rect.height())
        self._box.setGeometry(place)
        self._veil.setRect(place)
        fade = QLinearGradient(place.left(), 0, place.right(), 0)
        for at, alpha in ((0.0, 0), (0.25, 150), (1.0, 215)):
            fade.setColorAt(at, QColor(14, 16, 20, alpha))
        self._veil.setBrush(QBrush(fade))

    def update(self, input_db: npt.NDArray[np.float32], output_db: npt.NDArray[np.float32]) -> None:
        """Draw new spectra.

        Shape:
            - input_db: ``[F]``, bins from 0 Hz, dBFS
            - output_db: ``[F']``
        """
        heights, bins = _axis(self._scale)
        inside = bins <= len(input_db) - 1
        lower = _levels(input_db, bins)
        self._input.setData(lower[inside], heights[inside])
        if self._output is not None:
            upper = _levels(output_db, bins)
            self._output.setData(upper, heights)
            lower[~inside] = MIN_LEVEL_DB
            self._lower.setData(lower, heights)
            self._upper.setData(np.maximum(lower, upper), heights)


class WaveformOverlay:
    """Peaks of the waveform as vertical lines at the bottom of a plot."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self._parent = plot.vb
        self._veil = QGraphicsRectItem(plot.vb)
        self._veil.setPen(pg.mkPen(None))
        self._veil.setBrush(QColor(0, 0, 0, 80))
        self._veil.setZValue(5)
        self._box = _box()
        self._box.setParentItem(plot.vb)
        self._box.setZValue(6)
        self._box.setYRange(-1, 1, padding=0)
        self._box.setXLink(plot.vb)
        pen = pg.mkPen(QColor(230, 231, 242, 160), width=1)
        self._curve = pg.PlotCurveItem(pen=pen, connect="pairs", skipFiniteCheck=True)
        self._box.addItem(self._curve, ignoreBounds=True)
        self.set_visible(visible=False)

    def set_visible(self, *, visible: bool) -> None:
        """Show or hide the waveform."""
        self._veil.setVisible(visible)
        self._box.setVisible(visible)

    def place(self) -> None:
        """Follow the size of the plot."""
        rect = self._parent.rect()
        height = max(1.0, round(rect.height() * WAVE_SHARE))
        place = QRectF(rect.left(), rect.bottom() - height, rect.width(), height)
        self._box.setGeometry(place)
        self._veil.setRect(place)

    def update(self, times_s: npt.NDArray[np.float64], peaks: npt.NDArray[np.float32]) -> None:
        """Draw a line as high as each peak.

        Shape:
            - times_s: ``[n]``
            - peaks: ``[n]``, 0..1
        """
        # At least a few pixels, so that silence is a line.
        heights = np.clip(peaks, 0.02, 1)
        ends = np.stack([-heights, heights], axis=1).reshape(-1)
        self._curve.setData(np.repeat(times_s, 2), ends)


def _levels(
    level_db: npt.NDArray[np.float32], bins: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    level = np.interp(bins, np.arange(len(level_db)), level_db)
    return np.clip(level, MIN_LEVEL_DB, MAX_LEVEL_DB)


@lru_cache(maxsize=len(Scale))
def _axis(scale: Scale) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Positions of the points on the frequency axis, and their bins."""
    heights = np.linspace(0, 1, POINTS)
    return heights, frequencies(scale, heights) / BIN_HZ
