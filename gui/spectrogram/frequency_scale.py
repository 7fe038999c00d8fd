"""The frequency axis of both spectrograms: scale, ticks and rows."""

import math
from enum import StrEnum
from typing import Any

import numpy as np

from gui.spectrogram.analysis.history import Codes
from gui.spectrogram.analysis.stft import BIN_HZ

TOP_HZ = 22_050.0
"""Upper end of the axis: half of 44.1 kHz."""
EDGE_HZ = 11_025.0
"""Upper end of the input and lower end of the restored octave."""
LOG_BOTTOM_HZ = 60.0
TICK_PX = 26
"""Smallest distance of two ticks."""
_ROUND_HZ = (0, 100, 200, 500, 1_000, 2_000, 3_000, 5_000, 8_000, 11_025, 15_000, 20_000)
_STEPS_HZ = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Scale(StrEnum):
    """Scale of the frequency axis; a position is 0 at the bottom and 1 at 22.05 kHz."""

    LINEAR = "linear"
    MEL = "mel"
    LOG = "log"

    def position(self, hz: float) -> float:
        """Position of a frequency on the axis."""
        bottom = self._warp(0.0)
        return (self._warp(hz) - bottom) / (self._warp(TOP_HZ) - bottom)

    def frequency(self, position: Any) -> Any:
        """Frequency in Hz at a position, or at an array of them; undoes :meth:`position`."""
        bottom = self._warp(0.0)
        value = bottom + position * (self._warp(TOP_HZ) - bottom)
        if self is Scale.LINEAR:
            return value
        return 700 * np.expm1(value) if self is Scale.MEL else np.exp(value)

    def _warp(self, hz: float) -> float:
        if self is Scale.LINEAR:
            return hz
        return math.log1p(hz / 700) if self is Scale.MEL else math.log(max(hz, LOG_BOTTOM_HZ))


def ticks(scale: Scale, height_px: float, *, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Round frequencies in Hz between two positions of the axis, lowest first."""
    low_hz, high_hz = scale.frequency(low), scale.frequency(high)
    span = high_hz - low_hz
    # The most important first. A linear axis has one step between its ticks, others have several.
    if scale is Scale.LINEAR:
        candidates = []
        steps = [next((s for s in _STEPS_HZ if span / s * TICK_PX <= height_px), 10_000)]
    else:
        candidates = [float(hz) for hz in _ROUND_HZ if low_hz - 1 <= hz <= high_hz]
        steps = [step for step in reversed(_STEPS_HZ) if span / 40 <= step <= high_hz / 10]
    for step in steps:
        candidates += np.arange(-(-low_hz // step) * step, high_hz + 1, step).tolist()
    kept: dict[float, float] = {}
    for hz in candidates:
        place = (scale.position(hz) - low) / (high - low) * height_px
        near = any(abs(place - other) < TICK_PX for other in kept.values())
        if -0.5 <= place <= height_px + 0.5 and not near:
            kept[hz] = place
    return sorted(kept)


class RowMap:
    """Maps the bins of a spectrum to the rows of an image.

    A row that covers bins shows their maximum, so that no tone is lost. A row between two bins
    interpolates. `low` and `high` are the ends of the image as positions on the frequency axis.
    """

    def __init__(
        self, scale: Scale, *, rows: int, bins: int, low: float = 0.0, high: float = 1.0
    ) -> None:
        edges = scale.frequency(np.linspace(low, high, rows + 1)) / BIN_HZ
        self._rows = rows
        # Rows from the bottom that have bins; the rows above lie beyond the spectrum.
        self._filled = int(np.count_nonzero(edges[:-1] < bins - 1))
        edges = edges[: self._filled + 1]
        starts = np.minimum(np.ceil(edges).astype(np.intp), bins - 1)
        widths = starts[1:] - starts[:-1]
        self._starts = starts[:-1]
        # Rows that cover at least two bins, at least three, and so on.
        self._wider = [np.flatnonzero(widths > n) for n in range(1, widths.max(initial=0))]
        self._narrow = np.flatnonzero(widths < 1)
        centres = np.minimum((edges[:-1] + edges[1:]) / 2, bins - 1)[self._narrow]
        self._near = np.minimum(centres.astype(np.intp), bins - 2)
        self._share = np.round((centres - self._near) * 256).astype(np.uint16)[:, None]

    def apply(self, codes: Codes) -> Codes:
        """Level codes ``[n, F]`` to rows ``[rows, n]``, the highest first, 0 above the bins."""
        picture = np.zeros((self._rows, len(codes)), np.uint8)
        if not len(codes) or not self._filled:
            return picture
        # Contiguous rows are several times faster to read.
        bins = np.ascontiguousarray(codes.T)
        # `maximum.reduceat` would take eight times as long.
        value = bins[self._starts]
        for step, rows in enumerate(self._wider, 1):
            value[rows] = np.maximum(value[rows], bins[self._starts[rows] + step])
        low, high = bins[self._near].astype(np.uint16), bins[self._near + 1]
        value[self._narrow] = (low * (256 - self._share) + high * self._share) >> 8
        picture[self._rows - self._filled :] = value[::-1]
        return picture
