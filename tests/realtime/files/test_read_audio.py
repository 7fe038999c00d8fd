"""Reading audio files: accepted, resampled and refused ones."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError
from realtime.files.audio_file import BLOCK_FRAMES, read_audio
from tests.helpers.engine_signals import noise

# One step of the sample format, in samples from -1 to 1.
STEPS = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "PCM_32": 2.0**-24, "FLOAT": 0.0, "DOUBLE": 6e-8}
# Memory beside the result while a file is read: two blocks, in bytes.
READING_BYTES = 2 * BLOCK_FRAMES * 2 * 4


def store(path: Path, x: Audio, rate: int = 22_050, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, x.T, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("subtype", STEPS)
@pytest.mark.parametrize(("channels", "n"), [(1, 3), (2, 500)])
def test_all_common_sample_formats_are_read(tmp_path, subtype, channels, n) -> None:
    x = noise(n, channels)
    audio = read_audio(store(tmp_path / "in.wav", x, subtype=subtype))
    assert audio.samples.shape == (channels, n)
    assert audio.samples.dtype == np.float32
    assert audio.samples.flags.c_contiguous
    assert audio.note == ""
    np.testing.assert_allclose(audio.samples, x, rtol=0, atol=STEPS[subtype])


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".aiff"])
def test_other_containers_are_read(tmp_path, suffix) -> None:
    x = np.sin(np.arange(22_050) / 10).astype(np.float32)[None] / 2
    soundfile.write(tmp_path / f"in{suffix}", x.T, 22_050)
    audio = read_audio(tmp_path / f"in{suffix}")
    assert audio.samples.shape[0] == 1
    assert audio.samples.shape[1] >= 22_050
    assert np.abs(audio.samples).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
def test_higher_rates_are_resampled_with_a_note(tmp_path, rate) -> None:
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
def test_a_long_file_takes_no_more_memory_than_its_result(tmp_path, rate) -> None:
    """Nor do the blocks that it is read in leave a trace."""
    x = noise(max(10 * rate, 3 * BLOCK_FRAMES + 17), 2)
    path = store(tmp_path / "in.wav", x, rate)
    tracemalloc.start()
    try:
        audio = read_audio(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    whole = x.T if rate == 22_050 else soxr.resample(x.T, rate, 22_050, quality="VHQ")
    np.testing.assert_array_equal(audio.samples, whole.T)
    assert peak < audio.samples.nbytes + READING_BYTES


@pytest.mark.parametrize(("rate", "gap"), [(8_000, "4 kHz"), (16_000, "8 kHz"), (20_000, "")])
def test_lower_rates_are_resampled_with_a_note_of_what_stays_empty(
    tmp_path: Path, rate: int, gap: str
) -> None:
    audio = read_audio(store(tmp_path / "in.wav", noise(rate), rate))
    assert audio.samples.shape == (1, 22_050)
    assert f"{rate} Hz" in audio.note
    assert ("stays empty" in audio.note) == bool(gap)
    assert gap in audio.note


def write(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def stored(x: Audio, rate: int = 22_050) -> Callable[[Path], object]:
    return lambda path: store(path, x, rate)


# How the file is made, and what the line says beside its name.
UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, ""),
    "empty": (write(b""), ""),
    "no samples": (stored(noise(0)), ""),
    "text": (write(b"This is not music.\n" * 100), ""),
    "cut off header": (write(b"RIFF\xf8\x07\x00\x00WAVEfmt \x10\x00\x00\x00"), ""),
    "folder": (Path.mkdir, ""),
    "three channels": (stored(noise(500, 3)), ""),
    "pointing at itself": (lambda path: path.symlink_to(path), ""),
    "5000 Hz": (stored(noise(500), 5_000), "5000 Hz"),
    "400000 Hz": (stored(noise(500), 400_000), "400000 Hz"),
    "not a number": (stored(np.append(noise(500), [[np.nan]], 1)), "not finite"),
    "infinite": (stored(np.append([[-np.inf]], noise(500), 1)), "not finite"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_what_cannot_be_used_is_reported_in_one_line(tmp_path, what) -> None:
    make, line = UNUSABLE[what]
    make(tmp_path / "in.wav")
    with pytest.raises(AudioFileError, match=rf"\A.*in\.wav.*{line}.*\Z"):
        read_audio(tmp_path / "in.wav")


@pytest.mark.parametrize("name", ["a" * 5_000 + ".wav", "file.raw", "file.raw/in.wav"])
def test_names_that_cannot_be_read_are_reported_in_one_line(tmp_path, name) -> None:
    (tmp_path / "file.raw").write_bytes(bytes(1_000))
    with pytest.raises(AudioFileError, match=rf"\A.*{Path(name).name[:20]}.*\Z"):
        read_audio(tmp_path / name)
