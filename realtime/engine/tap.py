"""The newest seconds of a signal, for spectrograms, meters and the recorder."""

import numpy as np

from realtime.dsp.processor import Audio


class Tap:
    """Keeps the last seconds of a signal: one writer that never waits, any number of readers."""

    def __init__(self, *, sample_rate: int, channels: int, seconds: float = 10.0) -> None:
        self.sample_rate = sample_rate
        self.channels = channels
        self._capacity = int(sample_rate * seconds)
        self._memory = np.zeros((channels, self._capacity), np.float32)
        self.written = 0
        # End of the block that is being written: samples a capacity before it may change.
        self._claimed = 0

    def write(self, x: Audio) -> None:
        """Append a block ``[C, n]`` of at most the capacity; the writer only."""
        count = x.shape[1]
        self._claimed = self.written + count
        start = self.written % self._capacity
        first = min(count, self._capacity - start)
        self._memory[:, start : start + first] = x[:, :first]
        self._memory[:, : count - first] = x[:, first:]
        self.written += count

    def read(self, since: int) -> tuple[Audio, int]:
        """Copy the samples from index ``since`` on that are still held.

        Returns:
            The samples, ``[C, n]``, and the index of the first one, which is later than ``since``
            if older samples were overwritten.
        """
        end = self.written
        first = max(since, end - self._capacity, 0)
        count = max(end - first, 0)
        start = first % self._capacity
        head = min(count, self._capacity - start)
        parts = self._memory[:, start : start + head], self._memory[:, : count - head]
        out = np.concatenate(parts, axis=1)
        # The writer may have overwritten the oldest of these during the copy, with a block that is
        # not yet counted as written: leave them out.
        stale = max(self._claimed - self._capacity, first) - first
        return out[:, stale:], first + stale
