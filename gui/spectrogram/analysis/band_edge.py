"""Measures where the band of the input ends."""

import numpy as np
import numpy.typing as npt

from gui.spectrogram.analysis.stft import BIN_HZ
from gui.spectrogram.frequency_scale import EDGE_HZ

MIN_DROP_DB = 15.0
"""A band ends where the level falls at least this much across :data:`GAP_HZ`."""
BELOW_HZ, GAP_HZ, ABOVE_HZ = 500.0, 200.0, 200.0
"""Widths of the two bands that are compared, and of the slope between them."""
EDGE_DB = 10.0
"""Level at the end of the band, below the mean of the 500 Hz before it."""
MIN_EDGE_HZ = 2000.0
ACTIVE_DBFS = -75.0
"""Quieter columns are ignored: the band of a pause is that of the noise."""
AVERAGING_COLUMNS = 500


class BandEdge:
    """Finds the upper end of the input's band from its long-term spectrum.

    The end is the highest frequency at which the mean level of the 500 Hz below exceeds the one
    of the 200 Hz above by 15 dB or more; there the level has fallen by 10 dB. Without such a drop
    the input uses its whole band.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Discard the measurement."""
        self._power: npt.NDArray[np.float32] | None = None
        self._columns = 0

    def update(self, power: npt.NDArray[np.float32]) -> None:
        """Add columns of the input.

        Shape:
            - power: ``[n, F]``, 1 is a full-scale sine
        """
        active = power[power.sum(axis=1) > 10 ** (ACTIVE_DBFS / 10)]
        if not len(active):
            return
        mean: npt.NDArray[np.float32] = active.mean(axis=0)
        self._columns = min(self._columns + len(active), AVERAGING_COLUMNS)
        share = np.float32(min(1.0, len(active) / self._columns))
        self._power = mean if self._power is None else self._power + share * (mean - self._power)

    def hz(self) -> float | None:
        """Upper end of the band in Hz; None before half a second of sound."""
        if self._power is None or self._columns < 43:
            return None
        level_db = 10 * np.log10(np.maximum(self._power, 1e-13))
        below, gap, above = (round(width / BIN_HZ) for width in (BELOW_HZ, GAP_HZ, ABOVE_HZ))
        total = np.concatenate([[0.0], np.cumsum(level_db)])
        lower = (total[below:] - total[:-below]) / below
        upper = (total[above:] - total[:-above]) / above
        # drop[i]: mean of the bins [i, i + below) minus the mean from i + below + gap on.
        drop = lower[: len(upper) - below - gap] - upper[below + gap :]
        centres = (np.arange(len(drop)) + below + gap / 2) * BIN_HZ
        steep = np.flatnonzero((drop >= MIN_DROP_DB) & (centres >= MIN_EDGE_HZ))
        if not len(steep):
            return EDGE_HZ
        # The start of the highest slope, whose level above belongs to the band.
        gaps = np.flatnonzero(np.diff(steep) > 1)
        start = int(steep[gaps[-1] + 1] if len(gaps) else steep[0])
        inside = level_db[start:] > lower[start] - EDGE_DB
        return float((start + np.flatnonzero(inside)[-1]) * BIN_HZ)
