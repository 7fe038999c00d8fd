"""The queue that an output empties."""

import time

import numpy as np

from realtime.audio_io.auto_reset_event import AutoResetEvent
from realtime.audio_io.ring_buffer import RingBuffer
from realtime.audio_io.start_gate import StartGate
from realtime.dsp.crossfade import FADE_SAMPLES, fade_in, fade_out
from realtime.dsp.processor import Audio


class OutputQueue:
    """Gives samples to an output's callback, which calls :meth:`pull` and nothing else.

    The gate plays silence until the input runs. Samples are counted at the output's rate.
    """

    def __init__(self, channels: int, capacity_samples: int, gate: StartGate) -> None:
        self.gate = gate
        self.ring = RingBuffer(channels, capacity_samples)
        self._event = AutoResetEvent()
        self.ending = False
        """Nothing more will be pushed: an empty ring is no fault then."""
        # All of these are stored by the output's thread alone.
        self.underflows = 0
        self.underruns = 0
        self.waits = 0
        self.silent_samples = 0
        self._starved = False
        self._last = np.zeros((channels, 1), np.float32)
        # Callbacks may be shorter than a fade: the sample that is fading out, how far it has faded
        # out, and how far the samples after a silence have faded in.
        self._held = np.zeros((channels, 1), np.float32)
        self._fallen = self._risen = FADE_SAMPLES

    @property
    def drained(self) -> bool:
        """Everything that will ever be pushed was played."""
        return self.ending and not self.ring.available

    @property
    def playable(self) -> int:
        """Samples that :meth:`pull` gives before it runs dry."""
        return self.ring.available if self.gate.input_runs else 0

    def push(self, x: Audio) -> None:
        """Store a block ``[C, n]``, for which there is room; the worker's."""
        self.ring.write(x)
        self._event.set()

    def end(self) -> None:
        """Say that nothing more will be pushed, and end every wait; the worker's."""
        self.ending = True
        self._event.set()

    def pull(self, out: Audio, *, underflow: bool = False, spare_s: float = 0.0) -> None:
        """Fill a block, always wholly; silence with a fade where samples are missing.

        Args:
            out: ``[C, n]``, written in place.
            underflow: the driver reports that it ran dry before this block.
            spare_s: how long the block may be waited for: the driver has this much to play.
        """
        self.gate.output_runs = True
        if not self.gate.input_runs:
            out[:] = 0.0
            return
        self.underflows += underflow
        n = out.shape[1]
        if self.ring.available < n:
            self._wait_for(n, spare_s)
        count = self.ring.read(out)
        out[:, count:] = 0.0
        if count:
            if self._starved:
                self._starved, self._risen = False, 0
            self._risen = fade_in(out[:, :count], self._risen)
            self._fallen = fade_out(out[:, :count], self._held, self._fallen)
            self._last[:] = out[:, count - 1 : count]
        if count < n:
            if not self.ending:
                self.underruns += not self._starved
                self.silent_samples += n - count
            if not self._starved:
                self._starved, self._fallen = True, 0
                self._held[:] = self._last
            self._fallen = fade_out(out[:, count:], self._held, self._fallen)

    def _wait_for(self, samples: int, spare_s: float) -> None:
        """Sleep until there are enough samples, the time is over or the stream has ended.

        A worker that was too late is not waited for again until it pushes something: one that has
        died would delay every block.
        """
        if self._starved and not self.ring.available:
            return
        deadline = time.monotonic() + spare_s
        while not self.ending and (left_s := deadline - time.monotonic()) > 0.0:
            self._event.wait(left_s)
            if self.ring.available >= samples:
                self.waits += 1
                return
