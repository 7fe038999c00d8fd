"""What the engine needs of an input and an output: of devices, files and the null output."""

from collections.abc import Callable
from typing import Protocol

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue

# Length of a loudspeaker's blocks. A whole block has to be ready when the device takes it, so this,
# unlike an input's block, adds latency. With half of it, 2 of 27 sessions on PulseAudio reported a
# present device as lost.
OUTPUT_BLOCK_S = 0.005


class Stream(Protocol):
    """What input and output share.

    Attributes:
        name: for the user.
        sample_rate_hz: of the samples that it pushes or pulls.
        latency_s: the driver's estimate; 0 for files.
    """

    name: str
    sample_rate_hz: int
    latency_s: float

    def check(self) -> str:
        """Look whether it still works; empty, or one line: why nothing is pushed or pulled."""

    def stop(self) -> None:
        """End; idempotent; nothing is pushed or pulled afterwards.

        A file that cannot be finished is removed, and :meth:`check` says why.
        """


class InputStream(Stream, Protocol):
    """A source of audio with a thread of its own.

    Attributes:
        channels: 1 or 2.
        length_s: of a file; 0 for devices.
    """

    channels: int
    length_s: float

    @property
    def finished(self) -> bool:
        """Whether everything was pushed and nothing more will come."""

    @property
    def position_s(self) -> float:
        """Position in a file; 0 for devices."""

    def start(self, input_queue: InputQueue, elapsed: Callable[[], float]) -> None:
        """Begin to push.

        A file is paced by ``elapsed``, the seconds that the output has played.

        Raises:
            DeviceError: if the device refuses.
        """

    def seek(self, seconds: float) -> None:
        """Continue from this position; devices ignore it."""


class OutputStream(Stream, Protocol):
    """A sink of audio with a thread of its own.

    Attributes:
        period_s: length of its blocks; 0 if it takes what is ready.
        reserve_s: how long it can wait for a late block, because it has samples to play.
        clocked: it pulls at its rate, whether or not samples are ready.
    """

    period_s: float
    reserve_s: float
    clocked: bool

    def start(self, output_queue: OutputQueue, channels: int) -> None:
        """Begin to pull; the stream maps the queue's channels to its own.

        Raises:
            DeviceError: if the device refuses.
            AudioFileError: if the file cannot be created.
        """
