"""Loudness match: the gain that makes the output as loud as the input.

Louder sounds better, so a fair comparison needs equal loudness. The K-weighting of ITU-R BS.1770-5
is applied to the spectra that the spectrograms compute.
"""

import math

import numpy as np
import numpy.typing as npt

from gui.spectrogram.analysis.stft import BIN_HZ

LIMIT_DB = 6.0
"""Largest gain of a match."""
GATE_DB = -60.0
"""Quieter columns are ignored."""
AVERAGING_S = 6.0
"""Time constant of the averages."""


def k_weights(bins: int) -> npt.NDArray[np.float32]:
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
    weights: npt.NDArray[np.float32] = (np.abs(shelf * high_pass) ** 2).astype(np.float32)
    return weights


class LoudnessMatch:
    """Measures the gain between input and restored output while the output plays."""

    def __init__(self) -> None:
        self._weights: dict[int, npt.NDArray[np.float32]] = {}
        self.reset()

    def reset(self) -> None:
        """Discard the measurement."""
        self._input = 0.0
        self._output = 0.0
        self._measured_s = 0.0

    @property
    def gain_db(self) -> float:
        """Gain for the output in dB; 0 until half a second was measured."""
        if self._measured_s < 0.5 or self._input <= 0 or self._output <= 0:
            return 0.0
        return max(-LIMIT_DB, min(LIMIT_DB, 10 * math.log10(self._input / self._output)))

    def update(
        self,
        input_power: npt.NDArray[np.float32],
        output_power: npt.NDArray[np.float32],
        *,
        hop_s: float,
        output_gain_db: float,
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
        loud_input, loud_output = self._loudness(input_power), self._loudness(output_power)
        heard = loud_input > 10 ** (GATE_DB / 10)
        count = int(np.count_nonzero(heard))
        if not count:
            return
        undo = 10 ** (-output_gain_db / 10)
        # A plain mean at first, an exponential one after the averaging time.
        self._measured_s += count * hop_s
        share = min(1.0, count * hop_s / min(self._measured_s, AVERAGING_S))
        self._input += share * (float(loud_input[heard].mean()) - self._input)
        self._output += share * (float(loud_output[heard].mean()) * undo - self._output)

    def _loudness(self, power: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        bins = power.shape[1]
        if bins not in self._weights:
            self._weights[bins] = k_weights(bins)
        loudness: npt.NDArray[np.float32] = power @ self._weights[bins]
        return loudness
