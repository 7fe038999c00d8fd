"""Means over time of what the columns measure."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


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
        self.seconds += len(values) * hop_s
        share = np.float32(min(1.0, len(values) * hop_s / min(self.seconds, self._averaging_s)))
        new: Floats = values.mean(axis=0)
        self.mean = new if self.mean is None else self.mean + share * (new - self.mean)
