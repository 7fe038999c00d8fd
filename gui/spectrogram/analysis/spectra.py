"""Mean and maximum spectra of one signal."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from gui.spectrogram.analysis.stft import BIN_HZ, Floats

LIVE_S, LONG_TERM_S = 0.2, 30.0
"""Averaging times of the two means."""
PIVOT_HZ = 1000.0
"""A slope leaves the level at this frequency as it is."""


class RunningMean:
    """A plain mean at first, an exponential one after the averaging time in seconds."""

    def __init__(self, averaging_s: float) -> None:
        self._averaging_s = averaging_s
        self.reset()

    def reset(self) -> None:
        """Discard the measurement."""
        self.seconds = 0.0
        self.mean: Floats | None = None

    def add(self, values: Floats, hop_s: float) -> None:
        """Add values ``[n, ...]``, `hop_s` seconds each."""
        if not len(values):
            return
        span_s = len(values) * hop_s
        self.seconds += span_s
        share = np.float32(min(1.0, span_s / min(self.seconds, self._averaging_s)))
        # Several times as fast as `mean`.
        new: Floats = np.add.reduce(values) * np.float32(1 / len(values))
        self.mean = new if self.mean is None else self.mean + share * (new - self.mean)


class Slope(StrEnum):
    """Rise that is added to a spectrum, in dB per octave: 3 makes pink noise flat."""

    NONE = "0"
    PINK = "3"
    MUSIC = "4.5"

    @property
    def label(self) -> str:
        """Text for the user."""
        return f"{self.value} dB per octave"


class Spectra:
    """Mean powers ``[F]`` of the last moment and half minute, and the maximum, 1 a full sine."""

    def __init__(self) -> None:
        self._live, self._long_term = RunningMean(LIVE_S), RunningMean(LONG_TERM_S)
        self.maximum: Floats | None = None

    def reset(self) -> None:
        """Start the long-term mean and the maximum anew."""
        self._long_term.reset()
        self.maximum = None

    def mean(self, *, long_term: bool) -> Floats | None:
        """The live mean, or the long-term one after the first sound."""
        use_long = long_term and self._long_term.mean is not None
        return (self._long_term if use_long else self._live).mean

    def add(self, power: Floats, active: npt.NDArray[np.bool_], hop_s: float) -> None:
        """Add columns ``[n, F]`` of `hop_s` seconds each; those not active are pauses ``[n]``.

        The long-term mean leaves pauses out.
        """
        self._live.add(power, hop_s)
        self._long_term.add(power[active], hop_s)
        highest: Floats = np.maximum.reduce(power)
        self.maximum = highest if self.maximum is None else np.maximum(self.maximum, highest)


def level_db(power: Floats, slope: Slope = Slope.NONE) -> Floats:
    """Levels ``[F]`` of a spectrum in dBFS, from -130 dBFS on, tilted around 1 kHz."""
    octaves = np.log2(np.maximum(np.arange(len(power)), 1) * BIN_HZ / PIVOT_HZ)
    levels = 10 * np.log10(np.maximum(power, 1e-13)) + float(slope) * octaves
    return levels.astype(np.float32)
