"""The pipe: real programs before and behind it, every format, and streams that end badly."""

import contextlib
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from realtime import Stream
from realtime.errors import AudioFileError, TopoctaveError
from realtime.files.wav_stream import PcmFormat, header
from realtime.terminal.pipe import PcmReader, run_pipe
from tests.helpers.engine_signals import noise
from tests.helpers.networks import Doubling, doubling_metadata, write_model

LIMIT_S = 60
needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="missing espeak-ng")
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="missing bash")


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    return str(write_model(folder / "light.ts", Doubling(), doubling_metadata()))


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """A pipe to read from and one to write to."""
    read, write = os.pipe()
    yield read, write
    for end in (read, write):
        with contextlib.suppress(OSError):  # closed by the test
            os.close(end)


def piped(data: bytes, folder: Path, model: str, **options: Any) -> tuple[bytes, list[str]]:
    """What the pipe makes of a file's bytes, and its lines."""
    (folder / "in").write_bytes(data)
    lines: list[str] = []
    source = os.open(folder / "in", os.O_RDONLY)
    target = os.open(folder / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        options = {"rate": 22_050} | options
        run_pipe(source, target, model=model, report=lines.append, **options)
    finally:
        os.close(source)
        os.close(target)
    return (folder / "out").read_bytes(), lines


def restored(x: npt.NDArray[Any], model: str, **options: Any) -> npt.NDArray[Any]:
    return np.concatenate(list(Stream(model, **options).map([x])))


def run(project: Path, command: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A line of a shell in which ``topoctave`` is the program."""
    start = f'topoctave() {{ "{sys.executable}" -W ignore -m topoctave "$@"; }}; set -o pipefail; '
    return subprocess.run(
        ["bash", "-c", start + command],
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        timeout=LIMIT_S,
        **options,
    )


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("kind", "step"), [("s16le", "<i2"), ("auto", "<i2"), ("f32le", "<f4")])
def test_raw_samples_in_are_raw_samples_out(
    tmp_path: Path, light: str, channels: int, kind: str, step: str
) -> None:
    x = noise(3_000, channels).T
    x = (x * 32_767).astype(np.int16) if step == "<i2" else x
    data, lines = piped(x.astype(step).tobytes(), tmp_path, light, kind=kind, channels=channels)
    wanted = restored(x, light, channels=channels)
    np.testing.assert_array_equal(np.frombuffer(data, step).reshape(-1, channels), wanted)
    assert lines == []


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_wav_of_all_kinds_is_read_and_becomes_wav(
    tmp_path: Path, light: str, subtype: str, container: str
) -> None:
    path = tmp_path / "in.wav"
    soundfile.write(path, noise(999, 2).T, 24_000, subtype=subtype, format=container)
    data, _ = piped(path.read_bytes(), tmp_path, light)
    (tmp_path / "out.wav").write_bytes(data)
    kind = "int16" if subtype == "PCM_16" else "float32"
    x = soundfile.read(path, dtype=kind)[0]
    y, rate = soundfile.read(tmp_path / "out.wav", dtype=kind)
    assert rate == 48_000
    np.testing.assert_array_equal(y, restored(x, light, channels=2, sample_rate=24_000))


def wav(x: npt.NDArray[np.int16], size: int | None = None, extra: bytes = b"") -> bytes:
    """A WAV file of 22.05 kHz with a chunk before its samples, which claim to have a size."""
    head = header(PcmFormat(rate=22_050, channels=1), len(x))
    chunk = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    size = x.nbytes if size is None else size
    return head[:36] + chunk + b"data" + struct.pack("<I", size) + x.tobytes() + extra


@pytest.mark.parametrize(
    ("size", "extra", "frames"),
    [
        (None, b"", 500),
        (None, b"LIST\x04\0\0\0abcd", 500),
        (0xFFFFFFFF, b"", 500),
        (0x7FFFF000, b"", 500),
        (0, b"", 500),
        (10_000, b"", 500),
        (0xFFFFFFFF, b"\x01", 500),
        (201, b"", 100),
    ],
)
def test_wav_of_unknown_or_wrong_length_is_read_to_its_end(
    tmp_path: Path, light: str, size: int | None, extra: bytes, frames: int
) -> None:
    x = (noise(500)[0] * 32_767).astype(np.int16)
    data, _ = piped(wav(x, size, extra), tmp_path, light, output_kind="raw")
    np.testing.assert_array_equal(np.frombuffer(data, "<i2"), restored(x[:frames], light))


@pytest.mark.parametrize("data", [b"", b"\x01", b"abc", bytes(7)])
@pytest.mark.parametrize("kind", ["auto", "s16le"])
def test_raw_input_that_ends_at_once_loses_only_half_samples(
    tmp_path: Path, light: str, kind: str, data: bytes
) -> None:
    assert len(piped(data, tmp_path, light, kind=kind)[0]) == len(data) // 2 * 4


@pytest.mark.parametrize("kind", ["auto", "wav"])
@pytest.mark.parametrize(
    "data",
    [
        b"RIFF",
        wav(np.zeros(9, np.int16))[:44],
        b"RIFF" + bytes(4) + b"AVI ",
        b"RIFF" + bytes(4) + b"WAVEdata" + bytes(100),
        b"RIFF" + bytes(4) + b"WAVEfmt \x10\0\0\0" + bytes(100),
        b"RIFF" + bytes(4) + b"WAVEjunk\xff\xff\xff\xff" + bytes(100),
    ],
    ids=["name only", "cut off", "a film", "no format", "format 0", "huge chunk"],
)
def test_headers_that_cannot_be_are_refused_in_one_line(
    tmp_path: Path, light: str, kind: str, data: bytes
) -> None:
    with pytest.raises(AudioFileError, match=r"^[^\n]*(WAV|RIFF)[^\n]*$"):
        piped(data, tmp_path, light, kind=kind)
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize(
    "options",
    [{"kind": "mp3"}, {"output_kind": "mp3"}, {"rate": 5}, {"channels": 0}, {"output_rate": 1}],
    ids=str,
)
def test_options_that_cannot_be_are_refused(
    tmp_path: Path, light: str, options: dict[str, Any]
) -> None:
    with pytest.raises(TopoctaveError, match=str(next(iter(options.values())))):
        piped(bytes(100), tmp_path, light, **options)
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path: Path, light: str, bad: float) -> None:
    data = np.array([0.5, bad], "<f4").tobytes()
    with pytest.raises(AudioFileError, match="not finite"):
        piped(data, tmp_path, light, kind="f32le")


def test_what_stays_empty_is_told_once(tmp_path: Path, light: str) -> None:
    data, lines = piped(bytes(2 * 16_000), tmp_path, light, rate=16_000, output_rate=48_000)
    assert len(data) == 2 * 48_000
    assert len(lines) == 1
    assert "8 kHz" in lines[0]


def test_frames_come_as_soon_as_they_are_whole(ends: tuple[int, int]) -> None:
    read, write = ends
    os.write(write, b"\0\0\1\0\2")
    reader = PcmReader(read, "auto", rate=22_050, channels=1)
    blocks = iter(reader)
    first = [next(blocks)]
    if len(first[0]) < 2:
        first.append(next(blocks))
    assert np.concatenate(first).tolist() == [[0], [1]]
    os.write(write, b"\0\3")
    assert next(blocks).tolist() == [[2]]
    os.close(write)
    assert list(blocks) == []


@needs_bash
def test_the_first_output_does_not_wait_for_the_end(project: Path, light: str) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "topoctave", "pipe", "--model", light]
    with subprocess.Popen(
        command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        # The look-ahead is 224 samples, and a call takes 128.
        running.stdin.write(bytes(2 * 256))
        assert len(running.stdout.read(2 * 64)) == 2 * 64
        running.stdin.close()
        assert len(running.stdout.read()) + 2 * 64 == 4 * 256 or running.wait(LIMIT_S) == 0


@needs_espeak
@needs_bash
def test_espeak_speaks_through_the_pipe(project: Path, tmp_path: Path) -> None:
    text = "She sells sea shells, and he fixes six fish."
    spoken = run(project, f'espeak-ng --stdout "{text}"', cwd=tmp_path).stdout
    line = f'espeak-ng --stdout "{text}" | topoctave pipe | cat > out.wav'
    done = run(project, line, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    y, rate = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert rate == 44_100
    wanted = restored(np.frombuffer(spoken[44:], "<i2"), "auto")
    # TorchScript does not lay out every load of a network alike: sums are rounded otherwise.
    np.testing.assert_allclose(y, wanted, rtol=0, atol=1)
    assert (y != wanted).mean() < 1e-3
    # The same through a file, a FIFO, standard input and a process of the shell.
    (tmp_path / "in.wav").write_bytes(spoken)
    lines = (
        "mkfifo fifo; cat in.wav > fifo & topoctave enhance fifo a.wav",
        "cat in.wav | topoctave enhance - - > b.wav",
        "topoctave enhance /dev/stdin /dev/stdout < in.wav | cat > c.wav",
        "topoctave enhance <(cat in.wav) >(cat > d.wav); sleep 1",
    )
    for name, each in zip("abcd", lines, strict=True):
        assert run(project, each, cwd=tmp_path).returncode == 0
        enhanced = soundfile.read(tmp_path / f"{name}.wav")[0]
        assert np.abs(enhanced * 32_768 - y).max() <= 2.5


@needs_bash
@pytest.mark.parametrize(
    "line",
    [
        "head -c 2000000 /dev/zero | topoctave pipe --model $MODEL | head -c 100",
        "head -c 2000000 /dev/zero | topoctave pipe --model $MODEL --rate 16000 2>&- | head -c 100",
        "topoctave models --json | head -c 100",
        "topoctave --help | head -c 100",
    ],
)
def test_a_reader_that_goes_away_ends_it_quietly(project: Path, light: str, line: str) -> None:
    # The programs before the pipe are none of our business.
    line = line.replace("$MODEL", light).replace("zero |", "zero 2>/dev/null |")
    done = run(project, f"set +o pipefail; {line}; echo ${{PIPESTATUS[*]}} >&2")
    codes = done.stderr.decode().split()
    assert len(done.stdout) == 100
    assert codes[-2:] == ["0", "0"]
    assert not [word for word in codes if not word.isdigit()]


@needs_bash
def test_without_a_stderr_the_output_is_the_same(project: Path, light: str) -> None:
    line = f"head -c 8000 /dev/zero | topoctave pipe --model {light} --rate 16000"
    heard, deaf = run(project, line), run(project, f"{line} 2>&-")
    assert heard.stderr.startswith(b"topoctave: the input ends at 8 kHz")
    assert (deaf.returncode, deaf.stderr) == (0, b"")
    assert deaf.stdout == heard.stdout
    assert len(deaf.stdout) == 8_000 * 44_100 // 16_000


@needs_bash
@pytest.mark.parametrize("line", ["topoctave pipe <&-", "topoctave pipe < /dev/zero >/dev/full"])
def test_streams_that_cannot_be_used_are_told_in_one_line(project: Path, line: str) -> None:
    done = run(project, line)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"topoctave: standard input or output: ")
    assert done.stderr.count(b"\n") == 1
