"""Statistics of the time that blocks took to process."""

import math

import numpy as np

from realtime.engine.snapshot import Timing

# The last blocks are kept exactly; all blocks are counted in bins of 0.8 %, from 1 us to 10 s, so
# that memory and time do not grow with the run.
HELD_BLOCKS = 4096
BINS = 2000
MIN_S, DECADES = 1e-6, 7


class BlockTimes:
    """Durations of blocks; one writer, any number of readers.

    Args:
        block_s: seconds of audio in a block.
    """

    def __init__(self, block_s: float) -> None:
        self._block_s = block_s
        self._recent_s = np.zeros(HELD_BLOCKS)
        self._bins = np.zeros(BINS, np.int64)
        self._max_s = 0.0
        self._count = 0

    def add(self, duration_s: float) -> None:
        """Count a block."""
        position = math.log10(max(duration_s / MIN_S, 1.0)) * (BINS / DECADES)
        self._bins[min(int(position), BINS - 1)] += 1
        self._max_s = max(self._max_s, duration_s)
        self._recent_s[self._count % HELD_BLOCKS] = duration_s
        self._count += 1

    def whole(self) -> Timing:
        """Statistics of all blocks; percentiles within 0.8 %."""
        cumulated = np.cumsum(self._bins)
        ranks = np.searchsorted(cumulated, cumulated[-1] * np.array([0.5, 0.99]))
        percentiles = MIN_S * 10 ** ((ranks + 0.5) * (DECADES / BINS))
        maximum = self._max_s
        p50, p99 = np.minimum(percentiles, maximum)
        return self._timing(int(cumulated[-1]), p50, p99, maximum)

    def last(self, seconds: float) -> Timing:
        """Statistics of the last seconds of audio, exactly."""
        end = self._count
        count = min(end, HELD_BLOCKS, max(1, round(seconds / self._block_s)))
        durations = self._recent_s[np.arange(end - count, end) % HELD_BLOCKS]
        return self._timing(count, *np.percentile(durations if count else 0.0, [50, 99, 100]))

    def _timing(self, blocks: int, p50_s: float, p99_s: float, max_s: float) -> Timing:
        def ratio(duration_s: float) -> float:
            return self._block_s / max(float(duration_s), MIN_S) if blocks else 0.0

        return Timing(
            blocks=blocks,
            ratio_median=ratio(p50_s),
            ratio_p01=ratio(p99_s),
            ratio_min=ratio(max_s),
            block_ms_p50=1e3 * float(p50_s),
            block_ms_p99=1e3 * float(p99_s),
            block_ms_max=1e3 * float(max_s),
        )
