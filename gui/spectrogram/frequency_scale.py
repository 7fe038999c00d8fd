"""The frequency axis of both spectrograms: scale, ticks and rows."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

TOP_HZ = 22_050.0
"""Upper end of the axis: half of 44.1 kHz."""
EDGE_HZ = 11_025.0
"""Upper end of the input and lower end of the restored octave."""
LOG_BOTTOM_HZ = 60.0
"""Lower end of the logarithmic axis."""


_ROUND_HZ = (0, 100, 200, 500, 1_000, 2_000, 3_000, 5_000, 8_000, 11_025, 15_000, 20_000)
_STEPS_HZ = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Scale(StrEnum):
    """Scale of the frequency axis."""

    LINEAR = "linear"
    MEL = "mel"
    LOG = "log"


@dataclass(frozen=True)
class Tick:
    """A tick of the axis."""

    hz: float
    label: str
    """In kHz."""


def position(scale: Scale, hz: float) -> float:
    """Position of a frequency on the axis: 0 at the bottom, 1 at 22.05 kHz."""
    return float((_warp(scale, hz) - _bottom(scale)) / (_warp(scale, TOP_HZ) - _bottom(scale)))


def frequency(scale: Scale, height: float) -> float:
    """Frequency in Hz at a position of the axis; the inverse of :func:`position`."""
    return float(frequencies(scale, np.array(height)))


def frequencies(scale: Scale, heights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Frequencies in Hz at positions of the axis."""
    bottom = _bottom(scale)
    value = bottom + heights * (_warp(scale, TOP_HZ) - bottom)
    if scale is Scale.LINEAR:
        return value
    hz: npt.NDArray[np.float64] = 700 * np.expm1(value) if scale is Scale.MEL else np.exp(value)
    return hz


def ticks(
    scale: Scale, height_px: float, *, low: float = 0.0, high: float = 1.0, spacing_px: float = 26
) -> list[Tick]:
    """Round frequencies between two positions of the axis, lowest first.

    Args:
        scale: Scale of the axis.
        height_px: Height of the axis.
        low: Lower end of the visible part, as a position.
        high: Upper end of the visible part, as a position.
        spacing_px: Smallest distance of two ticks.
    """
    bottom_hz, top_hz = frequency(scale, low), frequency(scale, high)
    kept: list[float] = []
    places: list[float] = []
    for candidates in _candidates(scale, bottom_hz, top_hz, height_px / spacing_px):
        for hz in candidates:
            place = (position(scale, hz) - low) / (high - low) * height_px
            if -0.5 <= place <= height_px + 0.5 and all(
                abs(place - other) >= spacing_px for other in places
            ):
                kept.append(hz)
                places.append(place)
    return [Tick(hz, f"{hz / 1000:g}") for hz in sorted(kept)]


def _candidates(scale: Scale, low_hz: float, high_hz: float, room: float) -> list[list[float]]:
    """Frequencies to label, the most important list first.

    A linear axis has one step between its ticks. The others mix coarse and fine steps.
    """

    def multiples(step: int) -> list[float]:
        return [float(hz) for hz in range(int(-(-low_hz // step)) * step, int(high_hz) + 1, step)]

    if scale is Scale.LINEAR:
        return [multiples(next((s for s in _STEPS_HZ if (high_hz - low_hz) / s <= room), 10_000))]
    inside = (high_hz - low_hz) / 40
    return [
        [hz for hz in _ROUND_HZ if low_hz - 1 <= hz <= high_hz],
        *(multiples(step) for step in reversed(_STEPS_HZ) if inside <= step <= high_hz / 10),
    ]


def format_hz(hz: float) -> str:
    """Like ``500 Hz`` or ``11.03 kHz``."""
    return f"{hz:.0f} Hz" if hz < 1000 else f"{hz / 1000:.2f} kHz"


@dataclass(frozen=True)
class RowMap:
    """Maps the bins of a spectrum to the rows of an image.

    Attributes:
        rows: Height of the image.
        filled: Rows from the bottom that have bins; the rows above lie beyond the spectrum.
    """

    rows: int
    filled: int
    _starts: npt.NDArray[np.intp]
    _near: npt.NDArray[np.intp]
    _share: npt.NDArray[np.uint16]
    _narrow: npt.NDArray[np.intp]
    _wider: tuple[npt.NDArray[np.intp], ...]
    """Rows that cover at least two bins, at least three, and so on."""

    @classmethod
    def make(
        cls,
        scale: Scale,
        *,
        rows: int,
        bins: int,
        bin_hz: float,
        low: float = 0.0,
        high: float = 1.0,
    ) -> "RowMap":
        """Create the map for spectra of `bins` bins, `bin_hz` apart, from 0 Hz.

        Args:
            scale: Scale of the frequency axis.
            rows: Height of the image.
            bins: Bins of a spectrum.
            bin_hz: Distance of two bins.
            low: Lower end of the image, as a position on the axis.
            high: Upper end of the image, as a position on the axis.
        """
        edges = frequencies(scale, np.linspace(low, high, rows + 1)) / bin_hz
        filled = int(np.count_nonzero(edges[:-1] < bins - 1))
        edges = edges[: filled + 1]
        # A row that covers bins shows their maximum, so that no tone is lost. A row between two
        # bins interpolates.
        starts = np.minimum(np.ceil(edges).astype(np.intp), bins - 1)
        centres = np.minimum((edges[:-1] + edges[1:]) / 2, bins - 1)
        near = np.minimum(centres.astype(np.intp), bins - 2)
        share = np.round((centres - near) * 256).astype(np.uint16)
        widths = starts[1:] - starts[:-1]
        narrow = np.flatnonzero(widths < 1)
        wider = tuple(np.flatnonzero(widths > step) for step in range(1, widths.max(initial=0)))
        return cls(rows, filled, starts[:-1], near[narrow], share[narrow], narrow, wider)

    def apply(self, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Compute the rows of the image.

        Shape:
            - Input: ``[n, F]`` level codes
            - Output: ``[rows, n]``, the highest frequency first, 0 beyond the spectrum
        """
        picture = np.zeros((self.rows, len(codes)), np.uint8)
        if not len(codes) or not self.filled:
            return picture
        # Contiguous rows are several times faster to read.
        bins = np.ascontiguousarray(codes.T)
        # `maximum.reduceat` would take eight times as long.
        value = bins[self._starts]
        for step, rows in enumerate(self._wider, 1):
            value[rows] = np.maximum(value[rows], bins[self._starts[rows] + step])
        narrow = self._narrow
        low = bins[self._near].astype(np.uint16)
        high = bins[self._near + 1]
        share = self._share[:, None]
        value[narrow] = (low * (256 - share) + high * share) >> 8
        picture[self.rows - self.filled :] = value[::-1]
        return picture


def _warp(scale: Scale, hz: float) -> float:
    if scale is Scale.LINEAR:
        return hz
    if scale is Scale.MEL:
        return float(np.log1p(hz / 700))
    return float(np.log(max(hz, LOG_BOTTOM_HZ)))


def _bottom(scale: Scale) -> float:
    return _warp(scale, 0.0)
