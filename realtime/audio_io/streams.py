"""What the engine plays from and to: devices, files, memory, nothing."""

from collections.abc import Callable
from typing import Protocol

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue

# What a loudspeaker is asked to take at a time. All of it has to be there when it is taken, so
# that this, unlike an input's block, is latency. At half of it, 2 of 27 sessions on PulseAudio
# lost a device that was there.
OUTPUT_BLOCK_S = 0.005


class InputStream(Protocol):
    """A source of audio with a thread of its own.

    Attributes:
        name: for people.
        sample_rate_hz: of what it pushes.
        channels: 1 or 2.
        latency_s: the driver's estimate; 0 for files.
        length_s: of a file; 0 for devices.
        finished: everything was pushed, and nothing more will come.
    """

    name: str
    sample_rate_hz: int
    channels: int
    latency_s: float
    length_s: float

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""

    @property
    def position_s(self) -> float:
        """Where a file stands; 0 for devices."""

    def start(self, input_queue: InputQueue, elapsed: Callable[[], float] | None) -> None:
        """Begin to push.

        Args:
            input_queue: where to.
            elapsed: seconds that the output has played, for inputs without a clock of their own;
                None where they should not wait for any clock.

        Raises:
            DeviceError: if the device refuses.
        """

    def check(self) -> str:
        """Look whether it still works; empty, or one line: why nothing more is pushed."""

    def stop(self) -> None:
        """End; idempotent; nothing is pushed afterwards."""

    def seek(self, seconds: float) -> None:
        """Go on from there; devices ignore it."""


class OutputStream(Protocol):
    """A sink of audio with a thread of its own.

    Attributes:
        name: for people.
        sample_rate_hz: of what it pulls.
        channels: as many as the engine has; the port maps them to its own.
        latency_s: the driver's estimate; 0 for files.
        period_s: how much it takes at once, as a rule; 0 where it takes what is there.
        clocked: it pulls at its rate whether or not there is anything to pull.
    """

    name: str
    sample_rate_hz: int
    latency_s: float
    period_s: float
    clocked: bool

    def start(self, output_queue: OutputQueue, channels: int) -> None:
        """Begin to pull.

        Raises:
            DeviceError: if the device refuses.
            AudioFileError: if the file cannot be made.
        """

    def check(self) -> str:
        """Look whether it still works; empty, or one line: why nothing is pulled any more."""

    def stop(self) -> None:
        """End, and finish files; idempotent; nothing is pulled afterwards.

        A file that cannot be finished is removed, and :meth:`check` says why.
        """
