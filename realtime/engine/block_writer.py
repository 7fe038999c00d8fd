"""From blocks of 44.1 kHz to an output's ring, in time."""

import numpy as np

from realtime.audio_io.output_queue import OutputQueue
from realtime.dsp.crossfade import fade_in, fade_out, without_first
from realtime.dsp.processor import Audio
from realtime.dsp.sample_rate_converter import SampleRateConverter
from realtime.dsp.stretch import stretch
from realtime.sample_rates import SAMPLE_RATE_OUT

# One sample in so many is made or left out for clocks that differ: 0.2 %, and 3 cents.
STRETCH_SAMPLES = 512
# Clocks that differ by more than that leave so many at most to be made up for.
MOST_SLIPPED_SAMPLES = 512


class BlockWriter:
    """Converts the rate where it must, and keeps the latency at its base value.

    The worker's alone. Silence that was played because a block was late is repaid by leaving out
    as many samples; input that was lost is made up for by as much silence; what clocks drift is
    made up for unheard. So the time between input and output returns to what it was.

    Args:
        output_queue: where the samples go.
        sample_rate_hz: of the output_queue.
        channels: rows.
    """

    def __init__(self, output_queue: OutputQueue, *, sample_rate_hz: int, channels: int) -> None:
        self._output_queue = output_queue
        self._converter = (
            None
            if sample_rate_hz == SAMPLE_RATE_OUT
            else SampleRateConverter(
                rate_in_hz=SAMPLE_RATE_OUT, rate_out_hz=sample_rate_hz, channels=channels
            )
        )
        self._ratio = sample_rate_hz / SAMPLE_RATE_OUT
        self._channels = channels
        # The newest sample that was passed on: a silence fades out from it.
        self._last = np.zeros((channels, 1), np.float32)
        self._repaid = 0
        # What the stream is short of, at the output_queue's rate: input that was lost or dropped.
        self._missing = 0.0
        # By how many samples at 44.1 kHz the stream shall be longer, by and by, and how many have
        # been passed on since it last was made so.
        self._slipped = 0
        self._straight = 0

    @property
    def latency_samples(self) -> int:
        """Of the rate conversion, at 44.1 kHz."""
        held = self._converter.latency_samples if self._converter else 0
        return round(held / self._ratio)

    @property
    def late_samples(self) -> int:
        """By how much the stream is behind its base latency, at 44.1 kHz; negative is ahead."""
        return round(
            (self._output_queue.silent_samples - self._repaid - self._missing) / self._ratio
        )

    @property
    def played_samples(self) -> float:
        """What the output_queue has given away so far, silence and all, counted at 44.1 kHz."""
        return (self._output_queue.ring.consumed + self._output_queue.silent_samples) / self._ratio

    def note_missing(self, samples: float) -> None:
        """Input was lost, or dropped, that would have made this many samples at 44.1 kHz.

        Negative: there is so much more of it than its time would have it.
        """
        self._missing += samples * self._ratio

    def note_drift(self, samples: int) -> None:
        """The input's clock has fallen behind the output's by so many samples at 44.1 kHz.

        Negative: it is ahead. The stream is made so much longer, or shorter, while it goes on; in
        one piece where that takes too long.
        """
        self._slipped += samples
        if abs(self._slipped) > MOST_SLIPPED_SAMPLES:
            self.note_missing(self._slipped)
            self._slipped = 0

    def fill(self, samples: int) -> None:
        """Silence, counted at 44.1 kHz, before the first block: what the latency consists of."""
        silence = np.zeros((self._channels, round(samples * self._ratio)), np.float32)
        self._output_queue.push(silence)

    def write(self, y: Audio) -> None:
        """Pass a block on."""
        y = self._stretched(y)
        if self._converter is not None:
            y = self._converter.process(y)
        late = self._output_queue.silent_samples - self._repaid - round(self._missing)
        if late > 0:
            skipped = min(late, y.shape[1])
            self._repaid += skipped
            y = without_first(y, skipped)
        elif late < 0:
            # As much as there is room for: what comes is worth more than what makes up for it.
            count = min(-late, max(self._output_queue.ring.free - y.shape[1], 0))
            y = self._after_silence(y, count)
            self._repaid -= count
        if y.shape[1]:
            self._last = y[:, -1:].copy()
        self._missing += y.shape[1] - self._output_queue.push(y)

    def _stretched(self, y: Audio) -> Audio:
        """A block with its share of what the clocks have slipped, if it is its turn."""
        self._straight += y.shape[1]
        if not self._slipped or self._straight < STRETCH_SAMPLES:
            return y
        most = max(y.shape[1] // STRETCH_SAMPLES, 1)
        samples = min(max(self._slipped, -most), most)
        self._slipped -= samples
        self._straight = 0
        return stretch(y, samples)

    def _after_silence(self, y: Audio, count: int) -> Audio:
        """A block behind so much silence, faded out and in."""
        out = np.pad(y, ((0, 0), (count, 0)))
        fade_in(out[:, count:])
        fade_out(out, self._last)
        return out
