"""A single-producer single-consumer ring of audio samples."""

import numpy as np

from realtime.dsp.processor import Audio


class RingBuffer:
    """Fixed memory between two threads: one writes, one reads, neither waits.

    Both counters only ever grow, so nothing wraps. ``written`` is stored by the producer alone,
    after the samples are in place, and ``consumed`` by the consumer alone, after they were copied
    out; storing an int is atomic under the interpreter lock, so either side may read the other's
    counter at any time and sees at worst an older value: too little room or too few samples.
    """

    def __init__(self, channels: int, capacity_samples: int) -> None:
        self._memory = np.zeros((channels, capacity_samples), np.float32)
        self.capacity_samples = capacity_samples
        self.written = 0
        self.consumed = 0

    @property
    def available(self) -> int:
        """Samples that can be read."""
        return self.written - self.consumed

    @property
    def free(self) -> int:
        """Samples that can be written."""
        return self.capacity_samples - self.available

    def write(self, x: Audio) -> int:
        """Store as many samples of ``[C, n]`` as fit; returns how many; producer only."""
        count: int = min(x.shape[1], self.free)
        start = self.written % self.capacity_samples
        first = min(count, self.capacity_samples - start)
        self._memory[:, start : start + first] = x[:, :first]
        self._memory[:, : count - first] = x[:, first:count]
        self.written += count
        return count

    def read(self, out: Audio) -> int:
        """Fill the beginning of ``out``, ``[C, n]``, with the oldest samples; consumer only.

        Returns how many were available; the rest of ``out`` is left as it was.
        """
        count: int = min(out.shape[1], self.available)
        start = self.consumed % self.capacity_samples
        first = min(count, self.capacity_samples - start)
        out[:, :first] = self._memory[:, start : start + first]
        out[:, first:count] = self._memory[:, : count - first]
        self.consumed += count
        return count
