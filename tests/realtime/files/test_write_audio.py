"""Writing audio files: complete, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.errors import AudioFileError
from realtime.files.audio_file import check_output, open_output, unfinished_note, write_frames
from tests.helpers.cli import python
from tests.helpers.engine_signals import noise

# One step of the sample format, in samples from -1 to 1.
STEPS = {"PCM_24": 2.0**-23, "FLOAT": 0.0}


def write_audio(path, samples) -> None:
    """Write a whole file of ``[C, T]`` at 44.1 kHz, as all who write files do."""
    with open_output(path, channels=len(samples)) as file:
        write_frames(file, samples.T)


@pytest.mark.parametrize(
    ("suffix", "subtype"), [(".wav", "FLOAT"), (".flac", "PCM_24"), (".WAV", "FLOAT")]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_can_be_read(tmp_path, suffix, subtype, channels) -> None:
    # A WAV file keeps what is louder than full scale.
    x = noise(1_000, channels, level=3.0 if subtype == "FLOAT" else 1.0)
    path = tmp_path / f"out{suffix}"
    write_audio(path, x)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (44_100, channels, subtype)
    y, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_allclose(y.T, x, rtol=0, atol=STEPS[subtype])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *((name, r"\.wav or \.flac") for name in ("out.mp3", "out", "out.wav.txt", ".wav")),
        ("nowhere/out.wav", "no folder"),
        ("folder.wav", "is a folder"),
        ("a" * 300 + ".wav", "too long"),
    ],
    ids=lambda value: value[:12],
)
def test_names_that_cannot_be_written_are_reported(tmp_path, name, message) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioFileError, match=rf"\A.*{message}.*\Z"):
        write_audio(tmp_path / name, noise(10))
    assert [p.name for p in tmp_path.iterdir()] == ["folder.wav"]


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that this process may read but not write, even as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65_534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_read_only_folder_is_reported(read_only_folder, monkeypatch) -> None:
    with pytest.raises(AudioFileError, match=rf"\A.*{read_only_folder}.*\Z"):
        write_audio(read_only_folder / "out.wav", noise(10))
    assert list(read_only_folder.iterdir()) == []
    # Before any work, where the system tells it.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(AudioFileError, match="cannot be written"):
        check_output(read_only_folder / "out.wav")


def test_an_interrupted_write_leaves_the_old_file(tmp_path) -> None:
    path = tmp_path / "out.wav"
    write_audio(path, noise(100))
    before = path.read_bytes()

    def write_half() -> None:
        with open_output(path, channels=1) as file:
            file.write(np.zeros(50))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.wav"]


FULL_DISK = """
import resource, sys
import numpy as np
from pathlib import Path
from realtime.errors import AudioFileError
from realtime.files.audio_file import open_output, write_frames
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
x = np.random.default_rng(0).uniform(-1, 1, (1, int(sys.argv[3]))).astype(np.float32)
try:
    with open_output(Path(sys.argv[1]), channels=1) as file:
        write_frames(file, x.T)
except AudioFileError as error:
    print(error)
    sys.exit(3)
"""


# Full at once, in the middle, and at the last samples, which a FLAC encoder holds till the end.
@pytest.mark.parametrize(
    ("suffix", "limit", "samples"),
    [(".wav", 10, 1_000), (".wav", 50_000, 100_000), (".flac", 50_000, 100_000),
     (".flac", 3_000, 1_100)],
)  # fmt: skip
def test_a_full_disk_is_reported_and_nothing_stays(tmp_path, suffix, limit, samples) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"old")
    run = python(FULL_DISK, path, limit, samples)
    assert (run.returncode, run.stderr) == (3, "")
    assert len(run.stdout.splitlines()) == 1
    assert "disk" in run.stdout or "No space" in run.stdout
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


CRASH = """
import os, sys
import numpy as np
from pathlib import Path
from realtime.files.audio_file import open_output, write_frames
with open_output(Path(sys.argv[1]), channels=2) as file:
    write_frames(file, np.full((1_000, 2), 0.25))
    os._exit(9)
"""


@pytest.mark.parametrize("stem", ["take [1]", "ä" * 125])
def test_what_a_crash_leaves_is_found_and_kept(tmp_path, stem) -> None:
    path = tmp_path / f"{stem}.wav"
    # What another file left is not mentioned.
    others = [
        tmp_path / f"{stem[:n]}.unfinished.{suffix}" for n, suffix in ((7, "wav"), (8, "flac"))
    ]
    for other in others:
        other.touch()
    assert unfinished_note(path) == ""
    assert unfinished_note(tmp_path / ("a" * 5_000) / "out.wav") == ""
    for count in (1, 2):
        assert python(CRASH, path).returncode == 9
        left = sorted(set(tmp_path.iterdir()).difference(others))
        assert len(left) == count
        assert all(".unfinished" in p.name for p in left)
        assert unfinished_note(path).startswith(f"found {', '.join(p.name for p in left)}: ")
        # It can be played, up to the last block.
        for p in left:
            samples, rate = soundfile.read(p)
            assert (samples.shape, rate) == ((1_000, 2), 44_100)
    write_audio(path, noise(10))
    assert set(tmp_path.iterdir()) == {*left, *others, path}
