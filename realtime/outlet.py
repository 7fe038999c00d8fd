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
        self._rise = np.linspace(0.0, 1.0, FADE_SAMPLES, dtype=np.float32)
        self._fall = self._rise[::-1].copy()

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
        if not self._intake.started:
            out[:] = 0.0
            return
        self.underflows += underflow
        n = out.shape[1]
        count = self.ring.read(out)
        if self._starved and count:
            rising = min(count, FADE_SAMPLES)
            out[:, :rising] *= self._rise[:rising]
            self._starved = False
        if count < n:
            if count:
                self._last[:] = out[:, count - 1 : count]
            falling = min(n - count, FADE_SAMPLES)
            out[:, count : count + falling] = self._last * self._fall[:falling]
            out[:, count + falling :] = 0.0
            self._last[:] = 0.0
            if not self.ending:
                self.underruns += not self._starved
                self.silent_samples += n - count
                self._starved = True
        elif n:
            self._last[:] = out[:, -1:]
