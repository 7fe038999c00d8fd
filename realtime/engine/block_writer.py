"""From blocks of 44.1 kHz to an output queue."""

import numpy as np

from realtime.audio_io.output_queue import OutputQueue
from realtime.dsp.crossfade import fade_in, fade_out, without_first
from realtime.dsp.processor import Audio
from realtime.dsp.sample_rate_converter import SampleRateConverter
from realtime.dsp.stretch import stretch
from realtime.engine.latency_control import Correction
from realtime.sample_rates import SAMPLE_RATE_OUT


class BlockWriter:
    """Corrects blocks and converts them to the output's rate; for the worker's thread alone."""

    def __init__(self, output_queue: OutputQueue, *, sample_rate_hz: int, channels: int) -> None:
        self.output_queue = output_queue
        self._converter = SampleRateConverter(
            rate_in_hz=SAMPLE_RATE_OUT, rate_out_hz=sample_rate_hz, channels=channels
        )
        self.ratio = sample_rate_hz / SAMPLE_RATE_OUT
        """Samples in the queue per sample at 44.1 kHz."""
        self.latency_samples = round(self._converter.latency_samples / self.ratio)
        """Of the rate conversion, at 44.1 kHz."""
        self._channels = channels
        # The last sample that was written: a silence fades out from it.
        self._last = np.zeros((channels, 1), np.float32)

    def fill(self, samples: int) -> None:
        """Write silence, counted at 44.1 kHz, before the first block: the latency."""
        silence = np.zeros((self._channels, round(samples * self.ratio)), np.float32)
        self.output_queue.push(silence)

    def write(self, y: Audio, correction: Correction) -> None:
        """Correct a block and queue it; the queue has room for it."""
        if correction.stretch_samples:
            y = stretch(y, correction.stretch_samples)
        if correction.leave_out_samples:
            y = without_first(y, correction.leave_out_samples)
        if correction.silence_samples:
            y = np.pad(y, ((0, 0), (correction.silence_samples, 0)))
            fade_in(y[:, correction.silence_samples :])
            fade_out(y, self._last)
        if not y.shape[1]:
            return
        self._last = y[:, -1:].copy()
        self.output_queue.push(self._converter.process(y))
