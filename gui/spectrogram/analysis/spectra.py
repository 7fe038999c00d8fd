"""The spectra of one signal: live, long-term and maximum."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from gui.spectrogram.analysis.running_mean import Floats, RunningMean
from gui.spectrogram.analysis.stft import BIN_HZ

LIVE_S = 0.2
LONG_TERM_S = 30.0
"""Time constants of the two means."""
PIVOT_HZ = 1000.0
"""A slope leaves the level at this frequency as it is."""


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
    """Mean powers of the last moment and of the last half minute, and the maximum.

    The means and the maximum are ``[F]``, 1 is a full-scale sine; None before the first column.
    """

    def __init__(self) -> None:
        self.live = RunningMean(LIVE_S)
        self.long_term = RunningMean(LONG_TERM_S)
        self.maximum: Floats | None = None

    def reset(self) -> None:
        """Start the long-term mean and the maximum anew."""
        self.long_term.reset()
        self.maximum = None

    def mean(self, *, long_term: bool) -> Floats | None:
        """The live mean, or the long-term one after the first sound."""
        return (
            self.live.mean if self.long_term.mean is None or not long_term else self.long_term.mean
        )

    def add(self, power: Floats, active: npt.NDArray[np.bool_], hop_s: float) -> None:
        """Add columns of `hop_s` seconds each.

        Shape:
            - power: ``[n, F]``
            - active: ``[n]``, False for pauses, which the long-term mean leaves out
        """
        self.live.add(power, hop_s)
        self.long_term.add(power[active], hop_s)
        highest: Floats = power.max(axis=0)
        self.maximum = highest if self.maximum is None else np.maximum(self.maximum, highest)


def level_db(power: Floats, slope: Slope = Slope.NONE) -> Floats:
    """Levels of a spectrum in dBFS, tilted around 1 kHz; at least -130 dBFS before the tilt.

    Shape:
        - power: ``[F]``, bins from 0 Hz
    """
    octaves = np.log2(np.maximum(np.arange(len(power)), 1) * BIN_HZ / PIVOT_HZ)
    levels = 10 * np.log10(np.maximum(power, 1e-13)) + float(slope) * octaves
    return levels.astype(np.float32)
