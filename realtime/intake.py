"""Where an input leaves its samples: copies into the ring and counts what does not fit."""

from realtime.processor import Audio
from realtime.ring import Ring


class Intake:
    """The engine's end towards an input; :meth:`push` is all that an audio callback runs.

    Args:
        channels: rows.
        capacity_samples: of the ring, at the input's rate.
    """

    def __init__(self, channels: int, capacity_samples: int) -> None:
        self.ring = Ring(channels, capacity_samples)
        # All three are stored by the input's thread alone.
        self.overflows = 0
        self.overruns = 0
        self.lost_samples = 0
        self._losing = False

    def push(self, x: Audio, *, overflow: bool = False) -> None:
        """Take a block; what does not fit is lost and counted.

        Args:
            x: at the input's rate.
            overflow: the driver says that it lost samples before these.

        Shape:
            - Input: ``[C, n]``
        """
        lost = x.shape[1] - self.ring.write(x)
        self.overflows += overflow
        self.lost_samples += lost
        self.overruns += bool(lost) and not self._losing
        self._losing = bool(lost)

    @property
    def started(self) -> bool:
        """Whether anything has come in."""
        return self.ring.written > 0 or self.lost_samples > 0
