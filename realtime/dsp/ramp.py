"""A gain that changes linearly, so that a change makes no click."""

import numpy as np

from realtime.dsp.processor import Audio

# A toggle or a gain change takes 15 ms: short for the ear, and without a click.
RAMP_SAMPLES = 662


class Ramp:
    """A value that reaches each new target after ``length_samples``."""

    def __init__(self, value: float, *, length_samples: int) -> None:
        self._length = length_samples
        self.jump(value)

    def jump(self, value: float) -> None:
        """Take on ``value`` at once."""
        self._value = self._target = value
        self._step = 0.0
        self._left = 0

    def move(self, target: float) -> None:
        """Begin to change to ``target``, unless it is the target already."""
        if target != self._target:
            self._target = target
            self._left = self._length
            self._step = (target - self._value) / self._length

    @property
    def resting_at(self) -> float | None:
        """The value while it does not change, else None."""
        return None if self._left else self._value

    def next(self, n: int) -> Audio | float:
        """The next ``n`` values: one number while at rest, else ``[n]``."""
        if not self._left:
            return self._value
        steps = np.minimum(np.arange(1, n + 1), self._left)
        values = self._value + self._step * steps
        if n >= self._left:
            values[self._left - 1 :] = self._target
            self._value, self._left = self._target, 0
        elif n:
            self._value = float(values[-1])
            self._left -= n
        return values.astype(np.float32)
