"""Where an output gets its samples: out of the ring, or silence with a fade, counted."""

import numpy as np

from realtime.intake import Intake
from realtime.processor import Audio
from realtime.ring import Ring

# 1.5 ms: short, but no click.
FADE_SAMPLES = 64


class Outlet:
    """The engine's end towards an output; :meth:`pull` is all that an audio callback runs.

    Nothing is played until the input's first samples have arrived, so that the time between
    input and output is the same in every run.

    Args:
        channels: rows.
        capacity_samples: of the ring, at the output's rate.
        intake: the input's end, which opens the gate.
    """

    def __init__(self, channels: int, capacity_samples: int, intake: Intake) -> None:
        self.ring = Ring(channels, capacity_samples)
        self._intake = intake
        self.ending = False
        """Set by the worker once the last samples are in the ring: running dry is then no fault."""
        # All of these are stored by the output's thread alone.
        self.underflows = 0
        self.underruns = 0
        self.silent_samples = 0
        self._starved = False
        self._last = np.zeros((channels, 1), np.float32)
        # The sample that a silence begins from, and how far it has faded out, and what came after
        # the silence in: callbacks may be shorter than a fade.
        self._held = np.zeros((channels, 1), np.float32)
        self._fallen = self._risen = FADE_SAMPLES
        self._rise = np.linspace(0.0, 1.0, FADE_SAMPLES, dtype=np.float32)
        self._fall = self._rise[::-1].copy()

    @property
    def started(self) -> bool:
        """Whether the input's first samples have arrived."""
        return self._intake.started

    @property
    def drained(self) -> bool:
        """Everything that will ever come was played."""
        return self.ending and not self.ring.available

    def pull(self, out: Audio, *, underflow: bool = False) -> None:
        """Fill a block, always wholly.

        Args:
            out: written in place.
            underflow: the driver says that it ran dry before this block.

        Shape:
            - Input: ``[C, n]``
        """
        self._intake.open()
        if not self.started:
            out[:] = 0.0
            return
        self.underflows += underflow
        n = out.shape[1]
        count = self.ring.read(out)
        out[:, count:] = 0.0
        if count:
            if self._starved:
                self._starved, self._risen = False, 0
            self._fade_in(out[:, :count])
            self._fade_out(out[:, :count])
            self._last[:] = out[:, count - 1 : count]
        if count < n:
            if not self.ending:
                self.underruns += not self._starved
                self.silent_samples += n - count
            if not self._starved:
                self._starved, self._fallen = True, 0
                self._held[:] = self._last
            self._fade_out(out[:, count:])

    def _fade_in(self, x: Audio) -> None:
        """Go on with the fade of what came after a silence, where one is on its way."""
        count = min(x.shape[1], FADE_SAMPLES - self._risen)
        x[:, :count] *= self._rise[self._risen : self._risen + count]
        self._risen += count

    def _fade_out(self, x: Audio) -> None:
        """Go on with the fade of the last sample before a silence, where one is on its way."""
        count = min(x.shape[1], FADE_SAMPLES - self._fallen)
        x[:, :count] += self._held * self._fall[self._fallen : self._fallen + count]
        self._fallen += count
