"""Loudness match: the gain that makes the output as loud as the input.

Louder sounds better, so a fair comparison needs equal loudness. The K-weighting of ITU-R BS.1770-5
is applied to the spectra that the spectrograms compute.
"""

import math
from functools import lru_cache

import numpy as np

from gui.spectrogram.analysis.spectra import RunningMean
from gui.spectrogram.analysis.stft import BIN_HZ, Floats

LIMIT_DB = 6.0
"""Largest gain of a match."""
GATE_DB = -60.0
"""Quieter columns are ignored."""
AVERAGING_S, MIN_S = 6.0, 0.5


@lru_cache(maxsize=4)
def k_weights(bins: int) -> Floats:
    """Power weights ``[bins]`` of the two BS.1770 filters, from their analogue prototypes."""
    hz = np.maximum(np.arange(bins) * BIN_HZ, 1e-3)
    # High shelf: +4 dB above about 1.7 kHz; high pass: second order at 38 Hz.
    s = 1j * hz / 1681.974
    gain, q = 10 ** (3.99984 / 20), 0.7071752
    shelf = (gain * s**2 + gain**0.4996667 / q * s + 1) / (s**2 + s / q + 1)
    s = 1j * hz / 38.13547
    high_pass = s**2 / (s**2 + s / 0.5003270 + 1)
    weights: Floats = (np.abs(shelf * high_pass) ** 2).astype(np.float32)
    return weights


class LoudnessMatch:
    """Measures the gain between input and restored output while the output plays."""

    def __init__(self) -> None:
        self._loudness = RunningMean(AVERAGING_S)

    @property
    def gain_db(self) -> float:
        """Gain for the output in dB; 0 until half a second was measured."""
        if self._loudness.mean is None or self._loudness.seconds < MIN_S:
            return 0.0
        source, restored = self._loudness.mean.tolist()
        gain = 10 * math.log10(source / restored) if restored > 0 else 0.0
        return max(-LIMIT_DB, min(LIMIT_DB, gain))

    def update(
        self, input_power: Floats, output_power: Floats, *, hop_s: float, output_gain_db: float
    ) -> None:
        """Add columns of the same moments, `hop_s` seconds each.

        The output's power ``[n, F']`` already contains a gain, which is subtracted; the input's
        is ``[n, F]``.
        """
        undo = np.float32(10 ** (-output_gain_db / 10))
        source, restored = (p @ k_weights(p.shape[1]) for p in (input_power, output_power))
        heard = source > 10 ** (GATE_DB / 10)
        self._loudness.add(np.stack([source, undo * restored], axis=1)[heard], hop_s)
