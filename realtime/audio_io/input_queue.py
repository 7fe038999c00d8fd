"""Where an input leaves its samples: copies into the ring and counts what does not fit."""

from realtime.audio_io.auto_reset_event import AutoResetEvent
from realtime.audio_io.ring_buffer import RingBuffer
from realtime.dsp.processor import Audio


class InputQueue:
    """The engine's end towards an input; :meth:`push` is all that an audio callback runs.

    Args:
        channels: rows.
        capacity_samples: of the ring, at the input's rate.
        opened: False throws away what comes until the output calls :meth:`open`. A loudspeaker may
            take seconds to start: a microphone's samples of that time would all be latency.
    """

    def __init__(self, channels: int, capacity_samples: int, *, opened: bool = True) -> None:
        self._opened = opened
        self.ring = RingBuffer(channels, capacity_samples)
        self.event = AutoResetEvent()
        """Rung after every block."""
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
        if not self._opened:
            return
        lost = x.shape[1] - self.ring.write(x)
        self.overflows += overflow
        self.lost_samples += lost
        self.overruns += bool(lost) and not self._losing
        self._losing = bool(lost)
        self.event.set()

    def open(self) -> None:
        """Take what comes from now on; the output's thread calls this, and nobody undoes it."""
        self._opened = True

    @property
    def started(self) -> bool:
        """Whether anything has come in."""
        return self.ring.written > 0 or self.lost_samples > 0
