"""Reading audio files: accepted, resampled and refused ones."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError
from realtime.files.audio_file import BLOCK_FRAMES, read_audio

# One step of the sample format, in samples from -1 to 1.
STEPS = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "PCM_32": 2.0**-24, "FLOAT": 0.0, "DOUBLE": 6e-8}

# Memory beside the result while a file is read: two blocks, in bytes.
READING_BYTES = 2 * BLOCK_FRAMES * 2 * 4


def noise(n: int, channels: int = 1, level: float = 0.5) -> Audio:
    return np.random.default_rng(4).uniform(-level, level, (channels, n)).astype(np.float32)


def store(path: Path, x: Audio, rate: int = 22_050, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, x.T, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("subtype", STEPS)
@pytest.mark.parametrize("channels", [1, 2])
def test_all_common_sample_formats_are_read(tmp_path: Path, subtype: str, channels: int) -> None:
    x = noise(500, channels)
    audio = read_audio(store(tmp_path / "in.wav", x, subtype=subtype))
    assert audio.samples.shape == (channels, 500)
    assert audio.samples.dtype == np.float32
    assert audio.samples.flags.c_contiguous
    assert audio.note == ""
    np.testing.assert_allclose(audio.samples, x, rtol=0, atol=STEPS[subtype])


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".aiff"])
def test_other_containers_are_read(tmp_path: Path, suffix: str) -> None:
    x = np.sin(np.arange(22_050) / 10).astype(np.float32)[None] / 2
    soundfile.write(tmp_path / f"in{suffix}", x.T, 22_050)
    audio = read_audio(tmp_path / f"in{suffix}")
    assert audio.samples.shape[0] == 1
    assert audio.samples.shape[1] >= 22_050
    assert np.abs(audio.samples).max() == pytest.approx(0.5, abs=0.1)


def test_three_samples_are_enough(tmp_path: Path) -> None:
    x = np.array([[0.1, -0.2, 0.3]], np.float32)
    np.testing.assert_array_equal(read_audio(store(tmp_path / "in.wav", x)).samples, x)


@pytest.mark.parametrize("rate", [24_000, 32_000, 44_100, 48_000, 96_000])
def test_higher_rates_are_resampled_with_a_note(tmp_path: Path, rate: int) -> None:
    t = np.arange(rate) / rate
    x = (0.5 * np.sin(2 * np.pi * 1_000 * t))[None].astype(np.float32)
    audio = read_audio(store(tmp_path / "in.wav", x, rate))
    assert audio.samples.shape == (1, 22_050)
    expected = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(22_050) / 22_050)
    np.testing.assert_allclose(audio.samples[0, 500:-500], expected[500:-500], rtol=0, atol=1e-4)
    assert "\n" not in audio.note
    assert f"{rate} Hz" in audio.note
    assert "in.wav" in audio.note


@pytest.mark.parametrize("rate", [22_050, 96_000])
def test_a_long_file_takes_no_more_memory_than_its_result(tmp_path: Path, rate: int) -> None:
    path = store(tmp_path / "in.wav", np.zeros((2, 20 * rate), np.float32), rate)
    tracemalloc.start()
    try:
        audio = read_audio(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert audio.samples.shape == (2, 20 * 22_050)
    assert peak < audio.samples.nbytes + READING_BYTES


def test_blocks_leave_no_trace_in_what_is_read(tmp_path: Path) -> None:
    x = noise(3 * BLOCK_FRAMES + 17, 2)
    audio = read_audio(store(tmp_path / "in.wav", x, 48_000))
    whole = soxr.resample(x.T, 48_000, 22_050, quality="VHQ").T
    np.testing.assert_array_equal(audio.samples, whole)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_049])
def test_lower_rates_are_refused(tmp_path: Path, rate: int) -> None:
    with pytest.raises(AudioFileError, match=f"{rate} Hz"):
        read_audio(store(tmp_path / "in.wav", noise(500), rate))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path: Path, bad: float) -> None:
    x = noise(500)
    x[0, 321] = bad
    with pytest.raises(AudioFileError, match="not finite"):
        read_audio(store(tmp_path / "in.wav", x))


def unusable(folder: Path, what: str) -> Path:
    path = folder / "in.wav"
    if what == "empty":
        path.write_bytes(b"")
    elif what == "no samples":
        store(path, np.zeros((1, 0), np.float32))
    elif what == "text":
        path.write_text("This is not music.\n" * 100)
    elif what == "raw":
        path = folder / "in.raw"
        path.write_bytes(bytes(1_000))
    elif what == "cut off header":
        path.write_bytes(store(folder / "whole.wav", noise(500)).read_bytes()[:20])
    elif what == "folder":
        path.mkdir()
    elif what == "three channels":
        store(path, noise(500, 3))
    elif what == "too short to resample":
        store(path, np.ones((1, 1), np.float32), 96_000)
    elif what == "long name":
        path = folder / ("a" * 5_000 + ".wav")
    elif what == "below a file":
        path.write_text("")
        path = path / "in.wav"
    elif what == "pointing at itself":
        path.symlink_to(path)
    return path


@pytest.mark.parametrize(
    "what",
    ["empty", "no samples", "text", "raw", "cut off header", "folder", "three channels", "missing",
     "long name", "below a file", "pointing at itself"],
)  # fmt: skip
def test_what_cannot_be_used_is_reported_in_one_line(tmp_path: Path, what: str) -> None:
    path = unusable(tmp_path, what)
    with pytest.raises(AudioFileError) as caught:
        read_audio(path)
    assert "\n" not in str(caught.value)
    assert path.name[:20] in str(caught.value)


def test_a_file_that_claims_to_be_endless_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    with soundfile.SoundFile(path, "w", 22_050, 1, "PCM_U8") as file:
        file.seek(0)
        file.write(np.zeros(10))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = (2**32 - 100).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    try:
        audio = read_audio(path)
    except AudioFileError:
        return
    assert audio.samples.shape[1] <= 10_000  # what is there
