"""Estimates how far the clocks of two devices have drifted apart."""

import numpy as np

# Callbacks deliver whole device periods, sometimes 40 ms at once, so only a mean over some seconds
# is meaningful. The extremes are left out: they are stalls. The base is the mean of the first
# second: later, a device may already have stalled.
WINDOW_S = 3.0
BASE_S = 1.0
EXTREMES = 0.1
# The periods of a sound server make such means differ by up to 300 samples. A smaller drift may be
# an error of the measurement, so only a part is reported at a time: half of it after 7 s.
MIN_SAMPLES = 768
PART = 0.25


class DriftEstimator:
    """Compares the samples that an input has delivered with those that an output has taken.

    The clocks of two devices differ by 20 to 100 ppm: up to 60 ms after ten minutes (150 ms with
    PulseAudio's null sinks at our rates). A device that was suspended, or lost samples before they
    were counted, is off at once. The estimator reports small drifts in parts, to be corrected
    inaudibly, and large ones whole.

    Args:
        block_s: seconds between two calls of :meth:`step`.
        tolerance_samples: smaller drifts than this are reported in parts; at least 768.
    """

    def __init__(self, block_s: float, *, tolerance_samples: int) -> None:
        self.tolerance_samples = max(tolerance_samples, MIN_SAMPLES)
        self._ahead = np.zeros(max(round(WINDOW_S / block_s), 8))
        self._base_blocks = min(max(round(BASE_S / block_s), 4), len(self._ahead))
        self._count = 0
        self._base: float | None = None

    def step(self, ahead_samples: float) -> int:
        """Take the number of samples that the input is ahead of the output.

        Returns:
            Drift in samples since the last report: all of it from the tolerance on, a quarter of
            it below; usually 0. Positive: the input is too fast.
        """
        self._ahead[self._count] = ahead_samples
        self._count += 1
        if self._count < (self._base_blocks if self._base is None else len(self._ahead)):
            return 0
        extremes = int(EXTREMES * self._count)
        mean = float(np.sort(self._ahead[: self._count])[extremes : -extremes or None].mean())
        self._count = 0
        if self._base is None:
            self._base = mean
        drift = mean - self._base
        reported = round(drift if abs(drift) >= self.tolerance_samples else PART * drift)
        self._base += reported
        return reported

    def rebase(self, samples: int) -> None:
        """Take note that the input lost ``samples`` and was corrected; start a new window."""
        self._count = 0
        if self._base is not None:
            self._base -= samples
