"""Loudness match: the gain that makes the output as loud as the input.

Louder sounds better, so a fair comparison needs equal loudness. The K-weighting of ITU-R BS.1770-5
is applied to the spectra that the spectrograms compute.
"""

import math
from functools import lru_cache

import numpy as np

from gui.spectrogram.analysis.running_mean import Floats, RunningMean
from gui.spectrogram.analysis.stft import BIN_HZ

LIMIT_DB = 6.0
"""Largest gain of a match."""
GATE_DB = -60.0
"""Quieter columns are ignored."""
AVERAGING_S = 6.0
MIN_S = 0.5
"""Time that must be measured before a gain is given."""


@lru_cache(maxsize=4)
def k_weights(bins: int) -> Floats:
    """Power weights of the two BS.1770 filters per bin, from their analogue prototypes.

    Shape:
        - Output: ``[bins]``
    """
    hz = np.maximum(np.arange(bins) * BIN_HZ, 1e-3)
    # High shelf: +4 dB above about 1.7 kHz; high pass: second order at 38 Hz.
    s = 1j * hz / 1681.974
    gain = 10 ** (3.99984 / 20)
    q = 0.7071752
    shelf = (gain * s**2 + gain**0.4996667 / q * s + 1) / (s**2 + s / q + 1)
    s = 1j * hz / 38.13547
    high_pass = s**2 / (s**2 + s / 0.5003270 + 1)
    weights: Floats = (np.abs(shelf * high_pass) ** 2).astype(np.float32)
    return weights


class LoudnessMatch:
    """Measures the gain between input and restored output while the output plays."""

    def __init__(self) -> None:
        self._loudness = RunningMean(AVERAGING_S)

    def reset(self) -> None:
        """Discard the measurement."""
        self._loudness.reset()

    @property
    def gain_db(self) -> float:
        """Gain for the output in dB; 0 until half a second was measured."""
        if self._loudness.mean is None or self._loudness.seconds < MIN_S:
            return 0.0
        source, restored = self._loudness.mean.tolist()
        if restored <= 0:
            return 0.0
        return max(-LIMIT_DB, min(LIMIT_DB, 10 * math.log10(source / restored)))

    def update(
        self, input_power: Floats, output_power: Floats, *, hop_s: float, output_gain_db: float
    ) -> None:
        """Add columns of the same moments.

        Args:
            input_power: Power of the input.
            output_power: Power of the restored output.
            hop_s: Seconds per column.
            output_gain_db: Gain already applied to the output; it is subtracted.

        Shape:
            - input_power: ``[n, F]``
            - output_power: ``[n, F']``
        """
        undo = np.float32(10 ** (-output_gain_db / 10))
        source, restored = (p @ k_weights(p.shape[1]) for p in (input_power, output_power))
        heard = source > 10 ** (GATE_DB / 10)
        self._loudness.add(np.stack([source, undo * restored], axis=1)[heard], hop_s)
