"""Reads and writes audio files."""

import errno
import glob
import io
import itertools
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr

from realtime.dsp.missing_band import gap_note
from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError
from realtime.sample_rates import (
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    SAMPLE_RATE_IN,
    SAMPLE_RATE_OUT,
)

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")

# The audio is held in memory: 2.5 GB for four hours of stereo.
MAX_SECONDS = 4 * 3600
# Read and resampled at a time.
BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True)
class AudioFile:
    """A file's audio at 22.05 kHz."""

    samples: Audio
    """``[C, T]``"""
    note: str = ""
    """Empty, or one line that says that the file was resampled."""


@dataclass(frozen=True)
class OpenAudio:
    """A file of one or two channels, open for reading."""

    path: Path
    file: soundfile.SoundFile

    def blocks(self) -> Iterator[Audio]:
        """The samples as ``(frames, channels)``, some at a time, each time from the begin.

        The array is overwritten by the next.

        Raises:
            AudioFileError: if there are none, or one is not finite.
        """
        left = self.file.frames
        buffer = np.empty((BLOCK_FRAMES, self.file.channels), np.float32)
        self.file.seek(0)
        while left:
            frames = min(left, BLOCK_FRAMES)
            block = self.file.read(out=buffer[:frames])
            if not np.isfinite(block).all():
                raise AudioFileError(f"{self.path} has samples that are not finite numbers")
            # A file may hold fewer samples than its header states.
            left = left - frames if len(block) == frames else 0
            yield block
        if not self.file.tell():
            raise AudioFileError(f"{self.path} is empty")


@contextmanager
def open_audio(path: Path) -> Iterator[OpenAudio]:
    """Open a file of one or two channels, or what comes from a pipe, which is read whole.

    Raises:
        AudioFileError: if the file is missing, no audio, too long, has an unusual sample rate or
            more than two channels.
    """
    try:
        if not path.exists() and not is_stream(path):
            raise AudioFileError(f"there is no file {path}")
        if path.is_dir():
            raise AudioFileError(f"{path} is a folder, not an audio file")
        source = io.BytesIO(_read_stream(path)) if is_stream(path) else path
        with soundfile.SoundFile(source) as file:
            rate, channels = file.samplerate, file.channels
            if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
                raise AudioFileError(
                    f"{path} has {rate} Hz; {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz can be used"
                )
            if channels > 2:
                raise AudioFileError(f"{path} has {channels} channels; one or two can be used")
            if file.frames > MAX_SECONDS * rate:
                raise AudioFileError(f"{path} is longer than {MAX_SECONDS // 3600} hours")
            yield OpenAudio(path, file)
    # TypeError: headerless data (.raw) would need a rate.
    except (soundfile.LibsndfileError, TypeError) as error:
        raise AudioFileError(f"{path} is not an audio file that can be read") from error
    except OSError as error:
        raise AudioFileError(f"cannot read {path}: {error.strerror}") from error


def read_audio(path: Path) -> AudioFile:
    """Read a file of one or two channels, at 22.05 kHz.

    Files of other rates are resampled with soxr VHQ, block by block: memory holds the result and
    one block.

    Raises:
        AudioFileError: as ``open_audio``, or if a file is empty or a sample is not finite.
    """
    with open_audio(path) as audio:
        samples = _read_samples(audio)
        rate = audio.file.samplerate
    note = ""
    if rate != SAMPLE_RATE_IN:
        note = f"{path.name}: resampled from {rate} Hz to {SAMPLE_RATE_IN} Hz first"
        note = "; ".join(filter(None, [note, gap_note(rate / 2)]))
        if not samples.shape[1]:
            raise AudioFileError(f"{path} is too short to resample")
    return AudioFile(samples, note)


def _read_samples(audio: OpenAudio) -> Audio:
    """All samples, ``[C, T]`` at 22.05 kHz."""
    rate, channels = audio.file.samplerate, audio.file.channels
    resampler = None
    if rate != SAMPLE_RATE_IN:
        resampler = soxr.ResampleStream(rate, SAMPLE_RATE_IN, channels, "float32", "VHQ")
    # soxr rounds the length to the nearest sample.
    out = np.empty((channels, math.ceil(audio.file.frames * SAMPLE_RATE_IN / rate)), np.float32)
    filled = 0

    def append(block: Audio) -> None:
        nonlocal filled
        out[:, filled : filled + len(block)] = block.T
        filled += len(block)

    for block in audio.blocks():
        append(block if resampler is None else resampler.resample_chunk(block))
    if resampler is not None:
        append(resampler.resample_chunk(np.empty((0, channels), np.float32), last=True))
    return out[:, :filled]


def is_stream(path: Path) -> bool:
    """Whether a path is ``-`` (standard input or output), a FIFO, a pipe or a terminal."""
    try:
        return str(path) == "-" or path.is_fifo() or path.is_char_device() or path.is_socket()
    except OSError:  # a name that the disk refuses
        return False


def _open_raw(path: Path, mode: str, standard: int) -> IO[bytes]:
    """A pipe; ``-`` is the standard file descriptor."""
    return open(standard if str(path) == "-" else path, mode, closefd=str(path) != "-")


def _read_stream(path: Path) -> bytes:
    with _open_raw(path, "rb", 0) as file:
        data: bytes = file.read()
    return data


def check_output(path: Path) -> tuple[str, str]:
    """Check that a file of this name could be written.

    Returns:
        Container and sample format: 32-bit float WAV or 24-bit FLAC.

    Raises:
        AudioFileError: if the suffix is neither .wav nor .flac, the folder is missing or not
            writable, or the name is a folder's. Of a pipe nothing is checked.
    """
    formats = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24")}
    if is_stream(path):
        return formats[".wav"]
    if path.suffix.lower() not in formats:
        raise AudioFileError(f"{path}: output files end in .wav or .flac")
    try:
        if not path.parent.is_dir():
            raise AudioFileError(f"there is no folder {path.parent}")
        if not os.access(path.parent, os.W_OK):
            raise AudioFileError(f"the folder {path.parent} cannot be written to")
        if path.is_dir():
            raise AudioFileError(f"{path} is a folder")
    except OSError as error:
        raise AudioFileError(f"cannot write {path}: {error.strerror}") from error
    return formats[path.suffix.lower()]


@contextmanager
def open_output(
    path: Path, *, channels: int, sample_rate: int = SAMPLE_RATE_OUT
) -> Iterator[soundfile.SoundFile]:
    """Open a file for ``(frames, channels)``; a pipe gets WAV at the end.

    A file is called ``NAME.unfinished.wav`` until it is complete. Only a crash leaves this file;
    the next run then takes another name.

    Raises:
        AudioFileError: if it cannot be made or written; then no file is left.
    """
    container, subtype = check_output(path)
    if is_stream(path):
        with _open_stream(path, channels, sample_rate) as file:
            yield file
        return
    names = (_unfinished(path, f"-{n}" if n else "") for n in itertools.count())
    temporary = next(name for name in names if not name.exists())
    try:
        with soundfile.SoundFile(
            temporary, "w", sample_rate, channels, subtype, format=container
        ) as file:
            yield file
            frames = file.frames
        _check_whole(temporary, frames)
        temporary.replace(path)
    except (soundfile.LibsndfileError, OSError) as error:
        reason = getattr(error, "strerror", "") or "no permission, or the disk is full"
        raise AudioFileError(f"cannot write {path}: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _open_stream(path: Path, channels: int, sample_rate: int) -> Iterator[soundfile.SoundFile]:
    written = io.BytesIO()
    with soundfile.SoundFile(written, "w", sample_rate, channels, "FLOAT", format="WAV") as file:
        yield file
    try:
        with _open_raw(path, "wb", 1) as stream:
            stream.write(written.getbuffer())
    except BrokenPipeError:
        raise
    except OSError as error:
        raise AudioFileError(f"cannot write {path}: {error.strerror}") from error


def unfinished_note(path: Path) -> str:
    """One line about what a crashed run left of a file; empty if there is nothing."""
    pattern = glob.escape(_unfinished(path, "").stem) + "*" + path.suffix
    try:
        found = sorted(p.name for p in path.parent.glob(pattern))
    except OSError:  # no folder that the disk knows
        found = []
    crashed = f"found {', '.join(found)}: an earlier run of {path.name} did not end properly"
    return crashed if found else ""


def _unfinished(path: Path, tail: str) -> Path:
    # A long name is cut: a file system allows 255 bytes.
    return path.with_name(f"{path.stem[:40]}.unfinished{tail}{path.suffix}")


def _check_whole(path: Path, frames: int) -> None:
    """Raise OSError if the last sample is missing: closing a FLAC reports no full disk."""
    if frames:
        with soundfile.SoundFile(path) as file:
            whole = file.frames == frames and file.seek(frames - 1) >= 0 and len(file.read(1)) == 1
        if not whole:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_frames(file: soundfile.SoundFile, frames: Audio) -> None:
    """Append ``(frames, channels)`` to an open file.

    Raises:
        OSError: if they do not fit on the disk.
    """
    try:
        file.write(frames)
    except (soundfile.LibsndfileError, AssertionError) as error:
        # soundfile asserts that all samples were written.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error


def read_length(path: Path) -> float:
    """Length of an audio file in seconds; 0 if it cannot be read."""
    try:
        return float(soundfile.info(path).duration)
    except (OSError, RuntimeError):
        return 0.0
