"""Loudness match: what the output must be turned by to sound as loud as the input.

Louder sounds better, so an honest comparison is one at equal loudness. The weighting is the
K-weighting of ITU-R BS.1770-5; it is applied to the spectra that are drawn anyway.
"""

import math

import numpy as np
import numpy.typing as npt

from gui.spectrogram.stft import BIN_HZ

LIMIT_DB = 6.0
"""A match never turns by more."""
GATE_DB = -60.0
"""Quieter columns say nothing about loudness."""
MEMORY_S = 6.0
"""Time constant of the averages."""


def k_weights(bins: int) -> npt.NDArray[np.float32]:
    """Power weights of BS.1770's two filters at the bins, from their analogue prototypes.

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
    weights: npt.NDArray[np.float32] = (np.abs(shelf * high_pass) ** 2).astype(np.float32)
    return weights


class LoudnessMatch:
    """Learns the gain between input and restored output while the latter is heard."""

    def __init__(self) -> None:
        self._weights: dict[int, npt.NDArray[np.float32]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._given = 0.0
        self._made = 0.0
        self._heard_s = 0.0

    @property
    def gain_db(self) -> float:
        """What the output is to be turned by, 0 until half a second was heard."""
        if self._heard_s < 0.5 or self._given <= 0 or self._made <= 0:
            return 0.0
        return max(-LIMIT_DB, min(LIMIT_DB, 10 * math.log10(self._given / self._made)))

    def hear(
        self,
        given: npt.NDArray[np.float32],
        made: npt.NDArray[np.float32],
        *,
        hop_s: float,
        made_gain_db: float,
    ) -> None:
        """Take columns that belong to the same moments.

        Args:
            given: Powers of the input.
            made: Powers of the restored output.
            hop_s: Seconds per column.
            made_gain_db: Gain that is in the output by now and not to be counted.

        Shape:
            - given: ``[n, F]``
            - made: ``[n, F']``
        """
        loud_given, loud_made = self._loudness(given), self._loudness(made)
        heard = loud_given > 10 ** (GATE_DB / 10)
        count = int(np.count_nonzero(heard))
        if not count:
            return
        undo = 10 ** (-made_gain_db / 10)
        # A mean at first, an exponential one once it is as old as the memory.
        self._heard_s += count * hop_s
        share = min(1.0, count * hop_s / min(self._heard_s, MEMORY_S))
        self._given += share * (float(loud_given[heard].mean()) - self._given)
        self._made += share * (float(loud_made[heard].mean()) * undo - self._made)

    def _loudness(self, power: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        bins = power.shape[1]
        if bins not in self._weights:
            self._weights[bins] = k_weights(bins)
        loudness: npt.NDArray[np.float32] = power @ self._weights[bins]
        return loudness
