"""From an input's ring to blocks of 22.05 kHz."""

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.dsp.crossfade import without_first
from realtime.dsp.processor import Audio
from realtime.dsp.sample_rate_converter import SampleRateConverter
from realtime.sample_rates import SAMPLE_RATE_IN


class BlockReader:
    """Cuts what comes in into blocks, converting the rate where it must.

    The worker's alone. Samples that are not finite become silence and are counted.

    Args:
        input_queue: where the samples lie.
        sample_rate_hz: of the input_queue.
        channels: rows.
    """

    def __init__(self, input_queue: InputQueue, *, sample_rate_hz: int, channels: int) -> None:
        self._input_queue = input_queue
        self._converter = (
            None
            if sample_rate_hz == SAMPLE_RATE_IN
            else SampleRateConverter(
                rate_in_hz=sample_rate_hz, rate_out_hz=SAMPLE_RATE_IN, channels=channels
            )
        )
        # Samples at 22.05 kHz that wait for a block to be whole.
        self._waiting = np.zeros((channels, 0), np.float32)
        self._raw = np.zeros((channels, input_queue.ring.capacity_samples), np.float32)
        self.read_samples = 0
        self.bad_samples = 0

    @property
    def latency_samples(self) -> int:
        """Of the rate conversion, at 22.05 kHz."""
        return self._converter.latency_samples if self._converter else 0

    @property
    def available(self) -> int:
        """Samples at 22.05 kHz that could be read."""
        self._fetch()
        return self._waiting.shape[1]

    def read(self, n: int) -> Audio:
        """The next block; silence stands in for what is not there (the end of a file)."""
        self._fetch()
        block = self._waiting[:, :n]
        self._waiting = self._waiting[:, n:]
        self.read_samples += block.shape[1]
        if block.shape[1] < n:
            block = np.pad(block, ((0, 0), (0, n - block.shape[1])))
        return np.ascontiguousarray(block)

    def skip(self, n: int) -> None:
        """Drop ``n`` samples that are there; what follows fades in over what was dropped."""
        self._fetch()
        self._waiting = without_first(self._waiting, n)

    def _fetch(self) -> None:
        count = self._input_queue.ring.read(self._raw)
        if not count:
            return
        fresh = self._raw[:, :count]
        finite = np.isfinite(fresh)
        if not finite.all():
            self.bad_samples += int(finite.size - finite.sum())
            fresh = np.where(finite, fresh, np.float32(0.0))
        if self._converter is not None:
            fresh = self._converter.process(fresh)
        self._waiting = np.concatenate([self._waiting, fresh], axis=1)
