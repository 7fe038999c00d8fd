"""Measures where the band of the input ends."""

import numpy as np

from gui.spectrogram.analysis.running_mean import Floats
from gui.spectrogram.analysis.spectra import level_db
from gui.spectrogram.analysis.stft import BIN_HZ
from gui.spectrogram.frequency_scale import EDGE_HZ

MIN_DROP_DB = 15.0
"""A band ends where the level falls at least this much across :data:`GAP_HZ`."""
BELOW_HZ, GAP_HZ, ABOVE_HZ = 500.0, 200.0, 200.0
"""Widths of the two bands that are compared, and of the slope between them."""
EDGE_DB = 10.0
"""Level at the end of the band, below the mean of the 500 Hz before it."""
MIN_EDGE_HZ = 2000.0


def band_edge_hz(power: Floats) -> float:
    """Upper end of a band in Hz, from its mean spectrum.

    The end is the highest frequency at which the mean level of the 500 Hz below exceeds the one
    of the 200 Hz above by 15 dB or more; there the level has fallen by 10 dB. Without such a drop
    it is 11.025 kHz.

    Shape:
        - power: ``[F]``, 1 is a full-scale sine
    """
    levels = level_db(power)
    below, gap, above = (round(width / BIN_HZ) for width in (BELOW_HZ, GAP_HZ, ABOVE_HZ))
    total = np.concatenate([[0.0], np.cumsum(levels)])
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
    inside = levels[start:] > lower[start] - EDGE_DB
    return float((start + np.flatnonzero(inside)[-1]) * BIN_HZ)
