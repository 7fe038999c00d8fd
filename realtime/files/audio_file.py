"""Audio files in and out."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")

# Above this a file is surely not what somebody meant to hold in memory at once.
MAX_SECONDS = 4 * 3600


@dataclass(frozen=True)
class AudioFile:
    """A file's audio at 22.05 kHz, and what was done to it."""

    samples: Audio
    """``[C, T]``"""
    file_rate_hz: int
    note: str
    """Empty, or one line that says that the file was resampled."""


def read_audio(path: Path) -> AudioFile:
    """A file of one or two channels, at 22.05 kHz.

    Files of higher rates are resampled with soxr VHQ; lower rates are refused, since their
    missing part is not the top octave.

    Raises:
        AudioFileError: if the file is missing, no audio, empty, too long, below 22.05 kHz, has
            more than two channels or samples that are not finite.
    """
    try:
        if not path.exists():
            raise AudioFileError(f"there is no file {path}")
        if path.is_dir():
            raise AudioFileError(f"{path} is a folder, not an audio file")
        with soundfile.SoundFile(path) as file:
            rate, channels = file.samplerate, file.channels
            if rate < SAMPLE_RATE_IN:
                raise AudioFileError(
                    f"{path} has {rate} Hz; at least {SAMPLE_RATE_IN} Hz are needed"
                )
            if channels > 2:
                raise AudioFileError(f"{path} has {channels} channels; one or two can be used")
            if file.frames > MAX_SECONDS * rate:
                raise AudioFileError(f"{path} is longer than {MAX_SECONDS // 3600} hours")
            audio = file.read(dtype="float32", always_2d=True)
    # A TypeError says that headerless data (.raw) would need a rate.
    except (soundfile.LibsndfileError, TypeError) as error:
        raise AudioFileError(f"{path} is not an audio file that can be read") from error
    except OSError as error:
        raise AudioFileError(f"cannot read {path}: {error.strerror}") from error
    if not len(audio):
        raise AudioFileError(f"{path} is empty")
    if not np.isfinite(audio).all():
        raise AudioFileError(f"{path} has samples that are not finite numbers")
    note = ""
    if rate != SAMPLE_RATE_IN:
        audio = soxr.resample(audio, rate, SAMPLE_RATE_IN, quality="VHQ")
        note = f"{path.name}: resampled from {rate} Hz to {SAMPLE_RATE_IN} Hz first"
        if not len(audio):
            raise AudioFileError(f"{path} is too short to resample")
    return AudioFile(np.ascontiguousarray(audio.T, np.float32), rate, note)


def check_output(path: Path) -> tuple[str, str]:
    """Whether a file of this name could be written.

    Returns:
        Container and sample format: 32-bit float WAV or 24-bit FLAC.

    Raises:
        AudioFileError: if the suffix is another, the folder is missing or not writable, or the
            name is a folder's.
    """
    formats = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24")}
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
def open_output(path: Path, *, sample_rate: int, channels: int) -> Iterator[soundfile.SoundFile]:
    """A file to write ``(frames, channels)`` to, which appears under its name once it is whole.

    Raises:
        AudioFileError: if it cannot be made or written; then nothing is left behind.
    """
    container, subtype = check_output(path)
    # Of the name only as much as leaves room for the rest.
    temporary = path.with_name(f".{path.name[:40]}.{os.getpid()}.part")
    try:
        with soundfile.SoundFile(
            temporary, "w", sample_rate, channels, subtype, format=container
        ) as file:
            yield file
            frames = file.frames
        _check_whole(temporary, frames)
        temporary.replace(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError(f"cannot write {path}: {_reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_whole(path: Path, frames: int) -> None:
    """Whether the last sample is there: a FLAC that did not fit on the disk is closed quietly.

    Raises:
        OSError: if it is not.
    """
    if frames:
        with soundfile.SoundFile(path) as file:
            whole = file.frames == frames and file.seek(frames - 1) >= 0 and len(file.read(1)) == 1
        if not whole:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_frames(file: soundfile.SoundFile, frames: Audio) -> None:
    """Append samples to an open file.

    Shape:
        - Input: ``(frames, channels)``

    Raises:
        OSError: if they do not fit on the disk.
    """
    try:
        file.write(frames)
    except (soundfile.LibsndfileError, AssertionError) as error:
        # An assertion is how soundfile answers a short write that libsndfile has no error for.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "no permission, or the disk is full"


def write_audio(path: Path, samples: Audio, *, sample_rate: int = SAMPLE_RATE_OUT) -> None:
    """Write a whole file.

    Shape:
        - Input: ``[C, T]``

    Raises:
        AudioFileError: if it cannot be written; then nothing is left behind.
    """
    with open_output(path, sample_rate=sample_rate, channels=len(samples)) as file:
        write_frames(file, samples.T)


def read_length(path: Path) -> float:
    """Length of an audio file in seconds; 0 if it cannot be read."""
    try:
        return float(soundfile.info(path).duration)
    except (OSError, RuntimeError):
        return 0.0
