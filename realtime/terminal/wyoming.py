"""A Wyoming server (Home Assistant's voice protocol) in front of a text-to-speech server.

It passes all events on, both ways, and restores the audio between, chunk by chunk.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Unpack

import numpy as np

from realtime.errors import SettingsError, TopoctaveError, error_line
from realtime.inference.tuning import Requested
from realtime.sample_rates import SAMPLE_RATE_IN
from realtime.stream import Chunk, Stream

try:
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncClient
    from wyoming.error import Error
    from wyoming.event import Event
    from wyoming.server import AsyncEventHandler, AsyncServer
except ImportError as error:
    raise SettingsError("wyoming is not installed: pip install 'topoctave[wyoming]'") from error

SAMPLE_BYTES = 2


class StreamPool:
    """Streams that are loaded once and used again; ``make`` makes one for rate and channels."""

    def __init__(self, make: Callable[[int, int], Stream]) -> None:
        self._make = make
        self._idle: dict[tuple[int, int], list[Stream]] = {}

    def take(self, rate: int, channels: int) -> Stream:
        """A stream that no one else uses."""
        idle = self._idle.get((rate, channels))
        return idle.pop() if idle else self._make(rate, channels)

    def give_back(self, stream: Stream) -> None:
        """Let others use a stream."""
        stream.reset()
        self._idle.setdefault((stream.sample_rate, stream.channels), []).append(stream)


class RestoringHandler(AsyncEventHandler):
    """One client and its connection to the text-to-speech server."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        tts: str,
        pool: StreamPool,
        report: Callable[[str], None],
    ) -> None:
        super().__init__(reader, writer)
        self._tts = tts
        self._pool = pool
        self._report = report
        self._server: AsyncClient | None = None
        self._answers: asyncio.Task[None] | None = None
        self._stream: Stream | None = None

    async def run(self) -> None:
        """Serve the client until it goes away."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await super().run()

    async def handle_event(self, event: Event) -> bool:
        """Pass an event of the client on; connects to the server first."""
        try:
            if self._server is None:
                server = AsyncClient.from_uri(self._tts)
                await server.connect()
                self._server = server
                self._answers = asyncio.create_task(self._pass_answers(server))
            await self._server.write_event(event)
        except OSError as error:
            await self._fail(f"the TTS server {self._tts} does not answer: {error_line(error)}")
            return False
        return True

    async def _pass_answers(self, server: AsyncClient) -> None:
        """Pass the server's events on to the client, until one of them goes away."""
        try:
            while (event := await server.read_event()) is not None:
                for answer in self._restored(event):
                    await self.write_event(answer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        except (TopoctaveError, ValueError, KeyError) as error:
            await self._fail(f"the TTS server sent what cannot be restored: {error}")
        self.writer.close()

    async def _fail(self, reason: str) -> None:
        self._report(f"topoctave: {reason}")
        with contextlib.suppress(OSError):
            await self.write_event(Error(text=reason).event())

    def _restored(self, event: Event) -> list[Event]:
        """What the client gets for an event of the server."""
        if AudioStart.is_type(event.type):
            start = AudioStart.from_event(event)
            self._free()
            self._stream = self._pool.take(start.rate, start.channels)
            start.rate = self._stream.output_rate
            return [start.event()]
        stream = self._stream
        if stream is not None and AudioChunk.is_type(event.type):
            chunk = AudioChunk.from_event(event)
            if chunk.width != SAMPLE_BYTES:
                raise ValueError(f"audio of {8 * chunk.width} bits; 16 are needed")
            samples = np.frombuffer(chunk.audio, "<i2").astype(np.int16)
            return _chunks(stream, stream.process(samples.reshape(-1, stream.channels)))
        if stream is not None and AudioStop.is_type(event.type):
            rest = _chunks(stream, stream.flush())
            if stream.notice:
                self._report(f"topoctave: {stream.notice}")
            self._free()
            return [*rest, event]
        return [event]

    def _free(self) -> None:
        if self._stream is not None:
            self._pool.give_back(self._stream)
            self._stream = None

    async def disconnect(self) -> None:
        """End the connection to the server."""
        if self._answers is not None:
            self._answers.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._answers
        if self._server is not None:
            await self._server.disconnect()
        self._free()


def _chunks(stream: Stream, out: Chunk) -> list[Event]:
    if not len(out):
        return []
    rate, channels = stream.output_rate, stream.channels
    audio = out.astype("<i2").tobytes()
    return [AudioChunk(rate=rate, width=SAMPLE_BYTES, channels=channels, audio=audio).event()]


def run_wyoming(
    uri: str,
    tts: str,
    *,
    model: str = "auto",
    output_rate: int | None = None,
    force: bool = False,
    report: Callable[[str], None],
    **requested: Unpack[Requested],
) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        uri: where to listen, ``tcp://HOST:PORT`` or ``unix://PATH``.
        tts: of the text-to-speech server.
        model: as of :class:`realtime.stream.Stream`.
        output_rate: as of a stream.
        force: as of a stream.
        report: is called with one line at a time.
        requested: as of a stream.

    Raises:
        TopoctaveError: if an option or the model cannot be used.
    """

    def make(rate: int, channels: int) -> Stream:
        return Stream(
            model,
            sample_rate=rate,
            output_rate=output_rate,
            channels=channels,
            force=force,
            **requested,
        )

    pool = StreamPool(make)
    # Loaded before the first client comes.
    pool.give_back(pool.take(SAMPLE_RATE_IN, 1))
    try:
        server = AsyncServer.from_uri(uri)
        AsyncClient.from_uri(tts)
    except ValueError as error:
        raise SettingsError(f"{uri} and {tts} must be tcp://HOST:PORT: {error}") from error
    report(f"listening at {uri}; what {tts} speaks is restored; Ctrl-C stops")
    try:
        asyncio.run(server.run(partial(RestoringHandler, tts=tts, pool=pool, report=report)))
    except OSError as error:
        raise SettingsError(f"cannot listen at {uri}: {error.strerror}") from error
