"""The queue that an input fills."""

from realtime.audio_io.auto_reset_event import AutoResetEvent
from realtime.audio_io.ring_buffer import RingBuffer
from realtime.audio_io.start_gate import StartGate
from realtime.dsp.processor import Audio


class InputQueue:
    """Takes samples from an input's callback, which calls :meth:`push` and nothing else.

    The gate discards samples until the output runs. Samples are counted at the input's rate.
    """

    def __init__(self, channels: int, capacity_samples: int, gate: StartGate) -> None:
        self.gate = gate
        self.ring = RingBuffer(channels, capacity_samples)
        self.event = AutoResetEvent()
        """Set after every block."""
        # All of these are stored by the input's thread alone.
        self.overflows = 0
        self.overruns = 0
        self.lost_samples = 0
        self._losing = False

    def push(self, x: Audio, *, overflow: bool = False) -> None:
        """Store a block; count what does not fit.

        Args:
            x: ``[C, n]``, at the input's rate.
            overflow: the driver reports that it lost samples before these.
        """
        if not self.gate.output_runs:
            return
        lost = x.shape[1] - self.ring.write(x)
        self.overflows += overflow
        self.lost_samples += lost
        self.overruns += bool(lost) and not self._losing
        self._losing = bool(lost)
        if x.shape[1]:
            self.gate.input_runs = True
        self.event.set()
