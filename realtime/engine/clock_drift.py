"""How far the clocks of two devices have slipped apart."""

import numpy as np

# Callbacks and blocks come in lumps, of 40 ms sometimes: only the mean of some seconds says
# anything, without its extremes, which are stalls. What it is
# compared with is the first second: later a device may have stumbled already.
WINDOW_S = 3.0
BASE_S = 1.0
EXTREMES = 0.1
# The lumps of a sound server make such means differ by up to 300 samples: a drift of less than this
# may be none, and a part of it is told at a time. Half of a drift is told after 7 s.
LEAST_SAMPLES = 768
PART = 0.25


class DriftEstimator:
    """Compares what an input has given with what an output has taken.

    Two devices count their samples by clocks of their own, some 20 to 100 ppm apart: after ten
    minutes one of them is up to 60 ms behind (PulseAudio's null sinks at our rates: 150 ms). A
    device that was suspended, or lost samples before anybody could count them, is so at once. This
    tells by how much: slowly what clocks do, which can be made up for unheard, and at once what a
    device did.

    Args:
        block_s: seconds between two calls of :meth:`step`.
        tolerance_samples: slips of less than this are told slowly; at least 768.
    """

    def __init__(self, block_s: float, *, tolerance_samples: int) -> None:
        self.tolerance_samples = max(tolerance_samples, LEAST_SAMPLES)
        self._ahead = np.zeros(max(round(WINDOW_S / block_s), 8))
        self._base_blocks = min(max(round(BASE_S / block_s), 4), len(self._ahead))
        self._count = 0
        self._base: float | None = None

    def step(self, ahead_samples: float) -> int:
        """Note by how much the input is ahead of the output.

        Returns:
            By how much that has grown since the start, besides what was told before: all of it
            if it is at least the tolerance, or else a part; mostly 0.
        """
        self._ahead[self._count] = ahead_samples
        self._count += 1
        if self._count < (self._base_blocks if self._base is None else len(self._ahead)):
            return 0
        extremes = int(EXTREMES * self._count)
        middle = float(np.sort(self._ahead[: self._count])[extremes : -extremes or None].mean())
        self._count = 0
        if self._base is None:
            self._base = middle
        drift = middle - self._base
        told = round(drift if abs(drift) >= self.tolerance_samples else PART * drift)
        self._base += told
        return told

    def rebase(self, samples: int) -> None:
        """The input was found to have fallen behind by so much, before a window was over."""
        self._count = 0
        if self._base is not None:
            self._base -= samples
