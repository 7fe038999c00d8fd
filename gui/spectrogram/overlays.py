"""Curves over a spectrogram: spectra along the frequency axis, and the waveform."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QBrush, QColor, QLinearGradient

from gui.spectrogram.analysis.stft import BIN_HZ, Floats
from gui.spectrogram.frequency_scale import Scale
from gui.widgets.theme import PICTURE

MIN_LEVEL_DB, MAX_LEVEL_DB = -110.0, -10.0
POINTS = 160
"""Points of a curve: enough for the height of a plot, few enough for 30 updates a second."""
WAVE_SHARE = 0.16
"""Height of the waveform as a share of the plot."""
MAX_SPECTRUM_WIDTH = 260.0


class Overlay(pg.ViewBox):
    """A part of a plot with curves on a dark ground; the mouse belongs to the plot below."""

    def __init__(self, plot: pg.PlotItem, ground: QBrush) -> None:
        super().__init__(enableMenu=False, enableMouse=False, defaultPadding=0)
        self.setParentItem(plot.vb)
        self.setZValue(6)
        self.setAcceptHoverEvents(False)
        self.disableAutoRange()
        self.setBackgroundColor(ground)
        self.hide()

    def _add(self, item: pg.GraphicsObject) -> pg.GraphicsObject:
        self.addItem(item, ignoreBounds=True)
        return item


class SpectrumOverlay(Overlay):
    """Spectra at the right of a plot, level growing to the left: input, output, what is added."""

    def __init__(self, plot: pg.PlotItem, *, with_output: bool) -> None:
        fade = QLinearGradient(0, 0, 1, 0)
        fade.setCoordinateMode(QLinearGradient.CoordinateMode.ObjectMode)
        for at, alpha in ((0.0, 0), (0.25, 150), (1.0, 215)):
            fade.setColorAt(at, QColor(14, 16, 20, alpha))
        super().__init__(plot, QBrush(fade))
        self.setXRange(MIN_LEVEL_DB, MAX_LEVEL_DB, padding=0)
        self.invertX(True)
        self.setYLink(plot.vb)
        names = ("source", "accent") if with_output else ("source",)
        self._means = [self._curve(PICTURE.colour(name)) for name in names]
        self._maxima = [self._curve(PICTURE.colour(name, 130)) for name in names]
        # The fill lies between the input and the larger of both, so that it shows only gains.
        self._lower, self._upper = pg.PlotCurveItem(), pg.PlotCurveItem()
        if with_output:
            self._add(pg.FillBetweenItem(self._lower, self._upper, PICTURE.colour("accent", 70)))

    def _curve(self, colour: QColor) -> pg.PlotCurveItem:
        # One pixel wide: Qt draws wider antialiased lines ten times as slowly.
        return self._add(pg.PlotCurveItem(pen=pg.mkPen(colour, width=1), antialias=True))

    def place(self, rect: QRectF) -> None:
        """Follow the plot."""
        width = min(MAX_SPECTRUM_WIDTH, rect.width() * 0.34)
        self.setGeometry(QRectF(rect.right() - width, rect.top(), width, rect.height()))

    def show_levels(self, scale: Scale, means: list[Floats], maxima: list[Floats]) -> None:
        """Draw levels ``[F]`` of input and output in dBFS, and their maxima, if any."""
        heights, _ = _points(scale)
        lower, upper = (_at_points(scale, levels) for levels in means)
        for curve, levels in zip(self._means, (lower, upper), strict=False):
            curve.setData(levels, heights[: len(levels)])
        for curve in self._maxima:
            curve.setVisible(bool(maxima))
        for curve, held in zip(self._maxima, maxima, strict=False):
            levels = _at_points(scale, held)
            curve.setData(levels, heights[: len(levels)])
        if len(self._means) > 1:
            lower = np.append(lower, np.full(len(upper) - len(lower), MIN_LEVEL_DB))
            self._lower.setData(lower, heights)
            self._upper.setData(np.maximum(lower, upper), heights)


class WaveformOverlay(Overlay):
    """Peaks of the waveform as vertical lines at the bottom of a plot."""

    def __init__(self, plot: pg.PlotItem) -> None:
        super().__init__(plot, QBrush(QColor(0, 0, 0, 80)))
        self.setYRange(-1, 1, padding=0)
        self.setXLink(plot.vb)
        pen = pg.mkPen(QColor(230, 231, 242, 160), width=1)
        self._curve = self._add(pg.PlotCurveItem(pen=pen, connect="pairs", skipFiniteCheck=True))

    def place(self, rect: QRectF) -> None:
        """Follow the size of the plot."""
        height = max(1.0, round(rect.height() * WAVE_SHARE))
        self.setGeometry(QRectF(rect.left(), rect.bottom() - height, rect.width(), height))

    def show_peaks(self, times_s: npt.NDArray[np.float64], peaks: Floats) -> None:
        """Draw a line as high as each peak ``[n]``, 0..1, at its time ``[n]``."""
        # At least a few pixels, so that silence is a line.
        heights = np.clip(peaks, 0.02, 1)
        ends = np.stack([-heights, heights], axis=1).reshape(-1)
        self._curve.setData(np.repeat(times_s, 2), ends)


def _at_points(scale: Scale, levels: Floats) -> npt.NDArray[np.float64]:
    """The highest level near each point of a curve, up to the end of the spectrum."""
    _, edges = _points(scale)
    edges = edges[: np.count_nonzero(edges <= len(levels) - 1)]
    starts = edges.astype(np.intp)
    between = np.interp(edges, np.arange(len(levels)), levels)
    highest = np.maximum.reduceat(levels, starts)
    wide = np.diff(starts, append=len(levels)) > 1
    return np.clip(np.where(wide, highest, between), MIN_LEVEL_DB, MAX_LEVEL_DB)


@lru_cache(maxsize=len(Scale))
def _points(scale: Scale) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Positions of the points on the frequency axis, and their bins."""
    heights = np.linspace(0, 1, POINTS)
    return heights, scale.frequency(heights) / BIN_HZ
