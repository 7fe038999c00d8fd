"""Where an output gets its samples: out of the ring, or silence with a fade, counted."""

import time

import numpy as np

from realtime.audio_io.auto_reset_event import AutoResetEvent
from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.ring_buffer import RingBuffer
from realtime.dsp.crossfade import FADE_SAMPLES, fade_in, fade_out
from realtime.dsp.processor import Audio


class OutputQueue:
    """The engine's end towards an output; :meth:`pull` is all that an audio callback runs.

    Nothing is played until the input's first samples have arrived, so that the time between
    input and output is the same in every run.

    Args:
        channels: rows.
        capacity_samples: of the ring, at the output's rate.
        input_queue: the input's end, which opens the gate.
    """

    def __init__(self, channels: int, capacity_samples: int, input_queue: InputQueue) -> None:
        self.ring = RingBuffer(channels, capacity_samples)
        self._input_queue = input_queue
        self._event = AutoResetEvent()
        self.ending = False
        """Nothing more will be in the ring: running dry is then no fault."""
        # All of these are stored by the output's thread alone.
        self.underflows = 0
        self.underruns = 0
        self.waits = 0
        self.silent_samples = 0
        self._starved = False
        self._last = np.zeros((channels, 1), np.float32)
        # The sample that a silence begins from, and how far it has faded out, and what came after
        # the silence in: callbacks may be shorter than a fade.
        self._held = np.zeros((channels, 1), np.float32)
        self._fallen = self._risen = FADE_SAMPLES

    @property
    def started(self) -> bool:
        """Whether the input's first samples have arrived."""
        return self._input_queue.started

    @property
    def drained(self) -> bool:
        """Everything that will ever come was played."""
        return self.ending and not self.ring.available

    def push(self, x: Audio) -> int:
        """Store as many samples as fit, the first ones; the worker's.

        Shape:
            - Input: ``[C, n]``

        Returns:
            How many were stored.
        """
        count = self.ring.write(x)
        self._event.set()
        return count

    def end(self) -> None:
        """Nothing more will be pushed, and nobody needs to wait for it; the worker's."""
        self.ending = True
        self._event.set()

    def pull(self, out: Audio, *, underflow: bool = False, spare_s: float = 0.0) -> None:
        """Fill a block, always wholly.

        Args:
            out: written in place.
            underflow: the driver says that it ran dry before this block.
            spare_s: the block may be so late: the driver has enough to play until then.

        Shape:
            - Input: ``[C, n]``
        """
        self._input_queue.open()
        if not self.started:
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
        """Sleep until the worker has brought them, the time is over or it brings no more.

        A worker that was too late once is not waited for until it brings something: a dead one
        would hold up every block.
        """
        if self._starved and not self.ring.available:
            return
        deadline = time.monotonic() + spare_s
        while not self.ending and (left_s := deadline - time.monotonic()) > 0.0:
            self._event.wait(left_s)
            if self.ring.available >= samples:
                self.waits += 1
                return
