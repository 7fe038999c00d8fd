"""From an input queue to blocks of 22.05 kHz."""

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.dsp.crossfade import without_first
from realtime.dsp.processor import Audio
from realtime.dsp.sample_rate_converter import SampleRateConverter
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT


class BlockReader:
    """Cuts the input into blocks, at 22.05 kHz; for the worker's thread alone.

    Samples that are not finite become silence and are counted.
    """

    def __init__(self, input_queue: InputQueue, *, sample_rate_hz: int, channels: int) -> None:
        self.input_queue = input_queue
        self.ratio = SAMPLE_RATE_OUT / sample_rate_hz
        """Output samples, at 44.1 kHz, per input sample."""
        self._converter = SampleRateConverter(
            rate_in_hz=sample_rate_hz, rate_out_hz=SAMPLE_RATE_IN, channels=channels
        )
        self.latency_samples = self._converter.latency_samples
        """Of the rate conversion, at 22.05 kHz."""
        # At 22.05 kHz, until there are enough for a block.
        self._waiting = np.zeros((channels, 0), np.float32)
        self._raw = np.zeros((channels, input_queue.ring.capacity_samples), np.float32)
        self.read_samples = 0
        self.bad_samples = 0

    def fetch(self) -> int:
        """Empty the input queue and convert; returns how many samples at 22.05 kHz can be read."""
        if count := self.input_queue.ring.read(self._raw):
            fresh = self._raw[:, :count]
            finite = np.isfinite(fresh)
            if not finite.all():
                self.bad_samples += int(finite.size - finite.sum())
                fresh = np.where(finite, fresh, np.float32(0.0))
            self._waiting = np.concatenate([self._waiting, self._converter.process(fresh)], axis=1)
        return self._waiting.shape[1]

    def read(self, n: int) -> Audio:
        """The next ``n`` samples; silence where there are fewer (the end of a file)."""
        self.fetch()
        block = self._waiting[:, :n]
        self._waiting = self._waiting[:, n:]
        self.read_samples += block.shape[1]
        if block.shape[1] < n:
            block = np.pad(block, ((0, 0), (0, n - block.shape[1])))
        return np.ascontiguousarray(block)

    def drop(self, n: int) -> None:
        """Leave out the next ``n`` samples, with a crossfade."""
        self.fetch()
        self._waiting = without_first(self._waiting, n)
