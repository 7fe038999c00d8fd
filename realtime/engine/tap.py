"""A window on the newest audio, for whoever draws, measures or records it."""

import numpy as np

from realtime.dsp.processor import Audio


class Tap:
    """The last seconds of a stream: one writer that never waits, any number of readers.

    Args:
        sample_rate: Hz.
        channels: rows.
        seconds: how much past is held.
    """

    def __init__(self, *, sample_rate: int, channels: int, seconds: float = 10.0) -> None:
        self.sample_rate = sample_rate
        self.channels = channels
        self._capacity = int(sample_rate * seconds)
        self._memory = np.zeros((channels, self._capacity), np.float32)
        self.written = 0
        # Where the writer is about to get to: what lies a ring's length before it may change.
        self._claimed = 0

    def write(self, x: Audio) -> None:
        """Append a block of at most the held length; the writer only.

        Shape:
            - Input: ``[C, n]``
        """
        count = x.shape[1]
        self._claimed = self.written + count
        start = self.written % self._capacity
        first = min(count, self._capacity - start)
        self._memory[:, start : start + first] = x[:, :first]
        self._memory[:, : count - first] = x[:, first:]
        self.written += count

    def read(self, since: int) -> tuple[Audio, int]:
        """Everything from sample ``since`` on that is still held.

        Returns:
            The samples, ``[C, n]``, a copy, and the index of the first one. Once the stream
            outran the reader that index is later than ``since``.
        """
        end = self.written
        first = max(since, end - self._capacity, 0)
        out = self._copy(first, end)
        # The writer may have gone over the oldest of what was copied meanwhile, with a block that
        # is not counted as written yet: drop those.
        stale = max(self._claimed - self._capacity, first) - first
        return out[:, stale:], first + stale

    def _copy(self, first: int, end: int) -> Audio:
        count = max(end - first, 0)
        start = first % self._capacity
        head = min(count, self._capacity - start)
        return np.concatenate(
            [self._memory[:, start : start + head], self._memory[:, : count - head]], axis=1
        )
