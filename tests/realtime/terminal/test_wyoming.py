"""A Wyoming server in front of a text-to-speech server, tried with the library's own client."""

import asyncio
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from realtime import Stream
from tests.helpers.cli import process
from tests.helpers.networks import Doubling, doubling_metadata, write_model

pytest.importorskip("wyoming", reason="the extra 'wyoming' is not installed")

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.server import AsyncEventHandler, AsyncServer
from wyoming.tts import Synthesize

LIMIT_S = 60
SPOKEN = (["Hello.", "And again"], ["xxx"], ["x" * 9], ["x" * 20])
# The library falls back on its own code where Python has no audioop any more.
COMMAND = ("-W", "ignore:'audioop':DeprecationWarning", "-m", "topoctave", "wyoming")


def voice(text: str) -> np.ndarray:
    """What the small server says: noise that depends on the text."""
    rng = np.random.default_rng(len(text))
    return (rng.uniform(-0.3, 0.3, 300 * len(text)) * 32_767).astype(np.int16)


class Speaker(AsyncEventHandler):
    """Speaks each text in chunks of 1000 samples; the text ``stop`` ends the connection."""

    async def handle_event(self, event: Event) -> bool:
        if not Synthesize.is_type(event.type):
            await self.write_event(Event("info", {"tts": [{"name": "small"}]}))
            return True
        x = voice(Synthesize.from_event(event).text)
        form = {"rate": 22_050, "width": 2, "channels": 1}
        await self.write_event(AudioStart(**form).event())
        for at in range(0, len(x), 1_000):
            await self.write_event(AudioChunk(**form, audio=x[at : at + 1_000].tobytes()).event())
        await self.write_event(AudioStop().event())
        return True


@contextmanager
def proxy(folder: Path, tts: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``topoctave wyoming`` on a socket of its own."""
    write_model(folder / "light.ts", Doubling(), doubling_metadata())
    uri = f"unix://{folder / 'proxy.sock'}"
    arguments = ("--uri", uri, "--tts", tts, "--model", folder / "light.ts")
    with process(folder, *COMMAND, *arguments) as running:
        assert running.stderr is not None
        try:
            assert "listening at" in running.stderr.readline()
            yield uri, running
        finally:
            running.terminate()


async def say(uri: str, *texts: str, describe: bool = True) -> list[Event]:
    """All events that a client gets for some texts, and for a question before them."""
    for _ in range(100):
        client = AsyncClient.from_uri(uri)
        try:
            await client.connect()
            break
        except OSError:  # It listens just after it says so.
            await asyncio.sleep(0.05)
    events = []
    if describe:
        await client.write_event(Event("describe"))
    for text in texts:
        await client.write_event(Synthesize(text=text).event())
    stops = 0
    while stops < len(texts) and (event := await client.read_event()) is not None:
        events.append(event)
        stops += AudioStop.is_type(event.type)
        if event.type == "error":
            break
    await client.disconnect()
    return events


def test_what_a_server_speaks_is_restored_chunk_by_chunk(tmp_path: Path) -> None:
    async def session() -> list[list[Event]]:
        tts = f"unix://{tmp_path / 'tts.sock'}"
        server = AsyncServer.from_uri(tts)
        await server.start(Speaker)
        with proxy(tmp_path, tts) as (uri, running):
            # One client alone, and three at once.
            results = [await say(uri, *SPOKEN[0])]
            results += await asyncio.gather(*(say(uri, *texts) for texts in SPOKEN[1:]))
            running.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(running.wait, LIMIT_S) == 0
        await server.stop()
        return results

    results = asyncio.run(asyncio.wait_for(session(), LIMIT_S))
    stream = Stream(str(tmp_path / "light.ts"))
    for events, texts in zip(results, SPOKEN, strict=True):
        assert events[0].data == {"tts": [{"name": "small"}]}
        audio = [AudioChunk.from_event(e) for e in events if AudioChunk.is_type(e.type)]
        assert {(a.rate, a.width, a.channels) for a in audio} == {(44_100, 2, 1)}
        starts = [AudioStart.from_event(e) for e in events if AudioStart.is_type(e.type)]
        assert [s.rate for s in starts] == [44_100] * len(texts)
        assert len(audio) >= max(len(voice(t)) for t in texts) // 1_000
        got = np.frombuffer(b"".join(a.audio for a in audio), np.int16)
        wanted = [np.concatenate(list(stream.map([voice(t)]))) for t in texts]
        np.testing.assert_array_equal(got, np.concatenate(wanted))


def test_a_server_that_is_not_there_is_an_error_event(tmp_path: Path) -> None:
    with proxy(tmp_path, f"unix://{tmp_path / 'nothing.sock'}") as (uri, running):
        events = asyncio.run(asyncio.wait_for(say(uri, "Hello.", describe=False), LIMIT_S))
        assert [e.type for e in events] == ["error"]
        assert "nothing.sock does not answer" in events[0].data["text"]
        running.send_signal(signal.SIGTERM)
        assert running.wait(LIMIT_S) == 0
        assert running.stderr is not None
        assert re.search(r"^topoctave: .*nothing\.sock does not answer", running.stderr.read())


@pytest.mark.parametrize("uri", ["nonsense", "tcp://localhost", "http://localhost:80"])
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, uri: str) -> None:
    with process(tmp_path, *COMMAND, "--uri", uri) as running:
        out, err = running.communicate(timeout=LIMIT_S)
    assert (running.returncode, out) == (2, "")
    assert err.startswith("topoctave: ")
    assert uri in err
    assert len(err.splitlines()) == 1
