"""What docs/tts.md shows works: the examples in Python, and speech-dispatcher's configuration."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime import Stream

ROOT = Path(__file__).resolve().parent.parent
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / "docs/tts.md").read_text(), re.M | re.S)
LIMIT_S = 60
# Two loads of a network may round differently: by a step of 16 bits, rarely.
LOADS = 1


def example(word: str, **names: Any) -> dict[str, Any]:
    """Run the block of Python that has a word."""
    (code,) = (text for kind, text in BLOCKS if kind == "python" and word in text)
    exec(code, names)
    return names


def configuration(word: str) -> str:
    (text,) = (text for kind, text in BLOCKS if not kind and text.startswith(word))
    return text


def streamed(x: np.ndarray, rate: int) -> np.ndarray:
    return np.concatenate(list(Stream(sample_rate=rate).map([x])))


def sound(n: int, channels: int = 1) -> np.ndarray:
    x = np.random.default_rng(5).uniform(-8_000, 8_000, (n, channels)).astype(np.int16)
    return x[:, 0] if channels == 1 else x


def test_a_synthesiser_s_chunks_are_restored_as_they_come() -> None:
    spoken: list[int] = []

    def synthesize(text: str) -> Iterator[SimpleNamespace]:
        for at in range(0, 5_000, 700):
            spoken.append(at)
            yield SimpleNamespace(audio_int16_array=sound(5_000)[at : at + 700])

    names = example("voice.synthesize")
    for _ in range(2):
        spoken.clear()
        heard = names["speak"](SimpleNamespace(synthesize=synthesize), "Six fish.")
        first = next(heard)
        assert spoken == [0]
        whole = np.concatenate([first, *heard])
        np.testing.assert_allclose(whole, streamed(sound(5_000), 22_050), rtol=0, atol=LOADS)


def test_every_frame_of_10_ms_gives_a_frame() -> None:
    x = sound(24 * 200)

    async def frames() -> AsyncIterator[np.ndarray]:
        for at in range(0, len(x), 240):
            yield x[at : at + 240]
            await asyncio.sleep(0)

    async def heard() -> list[np.ndarray]:
        return [frame async for frame in example("async def")["restored"](frames())]

    out = asyncio.run(heard())
    assert {len(frame) for frame in out[:20]} == {480}
    late = Stream(sample_rate=24_000).latency_samples
    y = np.concatenate(out)
    assert not y[:late].any()
    np.testing.assert_allclose(y[late:], streamed(x, 24_000), rtol=0, atol=LOADS)


def test_an_array_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write("speech.wav", sound(3_000, 2), 24_000)
    example("soundfile.read")
    y, rate = soundfile.read("restored.wav")
    assert (rate, y.shape) == (48_000, (6_000, 2))


@pytest.mark.skipif(not shutil.which("speech-dispatcher"), reason="missing speech-dispatcher")
@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="missing espeak-ng")
def test_speech_dispatcher_speaks_through_the_pipe(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/topoctave.conf").write_text(configuration("GenericExecuteSynth"))
    # Its own sound output, for icons, goes nowhere.
    nowhere = 'AudioOutputMethod "alsa"\nAudioALSADevice "null"\n'
    (tmp_path / "speechd.conf").write_text(configuration("AddModule") + nowhere)
    programs = {
        "topoctave": f'PYTHONPATH={ROOT} exec {sys.executable} -W ignore -m topoctave "$@"',
        "aplay": f'echo "$@" > {tmp_path}/options; cat > {tmp_path}/heard',
    }
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    socket = tmp_path / "socket"
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SPEECHD_ADDRESS": f"unix_socket:{socket}",
    }
    folders = ("-C", tmp_path, "-L", tmp_path, "-P", tmp_path / "pid", "-S", socket)
    server = ["speech-dispatcher", "-s", "-c", "unix_socket", *folders]
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(server, env=environment, **output) as running:
        try:
            deadline = time.monotonic() + LIMIT_S
            while not socket.exists() and time.monotonic() < deadline:
                assert running.poll() is None
                time.sleep(0.05)
            text = "It's six o'clock; she said \"yes\" & left."
            subprocess.run(["spd-say", "-w", text], env=environment, check=True, timeout=LIMIT_S)
        finally:
            running.terminate()
    assert (tmp_path / "options").read_text().split() == ["-q", "-r", "44100", "-f", "S16_LE"]
    assert len((tmp_path / "heard").read_bytes()) > 2 * 44_100
