"""How long blocks took."""

import math

import numpy as np

from realtime.engine.snapshot import Timing

# The last blocks exactly, and all of them in bins of 0.8 %, from 1 us to 10 s: a week of blocks
# takes no more memory, and no more time to summarise, than a second of them.
HELD_BLOCKS = 4096
BINS = 2000
SHORTEST_S, DECADES = 1e-6, 7


class BlockTimes:
    """Durations of blocks; one writer, any number of readers.

    Args:
        block_s: seconds of audio in a block.
    """

    def __init__(self, block_s: float) -> None:
        self._block_s = block_s
        self._recent_s = np.zeros(HELD_BLOCKS)
        self._bins = np.zeros(BINS, np.int64)
        self._longest_s = 0.0
        self._count = 0

    def add(self, duration_s: float) -> None:
        """Note a block."""
        position = math.log10(max(duration_s / SHORTEST_S, 1.0)) * (BINS / DECADES)
        self._bins[min(int(position), BINS - 1)] += 1
        self._longest_s = max(self._longest_s, duration_s)
        self._recent_s[self._count % HELD_BLOCKS] = duration_s
        self._count += 1

    def whole(self) -> Timing:
        """Statistics of all blocks; percentiles within 0.8 %."""
        cumulated = np.cumsum(self._bins)
        if not cumulated[-1]:
            return _timing(self._block_s, 0, 0.0, 0.0, 0.0)
        ranks = np.searchsorted(cumulated, cumulated[-1] * np.array([0.5, 0.99]))
        p50, p99 = SHORTEST_S * 10 ** ((ranks + 0.5) * (DECADES / BINS))
        longest = self._longest_s
        return _timing(
            self._block_s, int(cumulated[-1]), min(p50, longest), min(p99, longest), longest
        )

    def last(self, seconds: float) -> Timing:
        """Statistics of the last seconds of audio, exactly."""
        count = min(self._count, HELD_BLOCKS, max(1, round(seconds / self._block_s)))
        if not count:
            return _timing(self._block_s, 0, 0.0, 0.0, 0.0)
        durations = self._recent_s[np.arange(self._count - count, self._count) % HELD_BLOCKS]
        p50, p99, longest = np.percentile(durations, [50, 99, 100])
        return _timing(self._block_s, count, p50, p99, longest)


def _timing(block_s: float, blocks: int, p50: float, p99: float, longest: float) -> Timing:
    def ratio(duration_s: float) -> float:
        return block_s / max(duration_s, SHORTEST_S) if blocks else 0.0

    return Timing(
        blocks=blocks,
        ratio_median=ratio(float(p50)),
        ratio_p01=ratio(float(p99)),
        ratio_min=ratio(float(longest)),
        block_ms_p50=1e3 * float(p50),
        block_ms_p99=1e3 * float(p99),
        block_ms_max=1e3 * float(longest),
    )
