"""Recordings in memory, and random segments of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
import torch
from torch import Tensor

from models.data.degrade import Degrader
from models.data.synthetic_tones import tone_segments
from models.errors import DataError
from realtime.sample_rates import SAMPLE_RATE_OUT

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".aiff", ".aif", ".mp3"}


def find_audio(folder: Path) -> list[Path]:
    """Audio files in a folder and its subfolders, sorted.

    Raises:
        DataError: if there is no such folder, or no audio file in it.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        raise DataError(f"no audio files in {folder}")
    return paths


def read_mono(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """A recording mixed to mono, ``[T]``, at its stored level, and its rate in Hz.

    Raises:
        DataError: if the file cannot be read, or has non-finite samples.
    """
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    mono: npt.NDArray[np.float32] = audio.mean(axis=1)
    if not np.isfinite(mono).all():
        raise DataError(f"{path} has samples that are not numbers")
    return mono, rate


def read_recording(path: Path) -> npt.NDArray[np.float32]:
    """A recording mixed to mono at 44.1 kHz, ``[T]``, at its stored level.

    Raises:
        DataError: if the file cannot be read, has non-finite samples or a rate below 44.1 kHz.
    """
    mono, rate = read_mono(path)
    if rate < SAMPLE_RATE_OUT:
        raise DataError(f"{path} has {rate} Hz; training needs 44100 Hz or more")
    if rate != SAMPLE_RATE_OUT:
        mono = soxr.resample(mono, rate, SAMPLE_RATE_OUT, quality="VHQ")
    return mono


def read_even(path: Path) -> npt.NDArray[np.float32]:
    """:func:`read_recording`, cut to an even length."""
    audio = read_recording(path)
    return audio[: len(audio) // 2 * 2]


@dataclass(frozen=True)
class Corpus:
    """Decoded recordings of peak 1, concatenated, as 16-bit samples."""

    samples: npt.NDArray[np.int16]
    starts: npt.NDArray[np.int64]
    """``[files + 1]``: the first sample of each recording."""

    @classmethod
    def of(cls, paths: Sequence[Path]) -> "Corpus":
        """Decode recordings; silent ones are skipped.

        Raises:
            DataError: if all are silent, or one cannot be read.
        """
        parts = []
        for path in paths:
            audio = read_recording(path)
            peak = float(np.abs(audio).max(initial=0.0))
            if peak > 0.0:
                parts.append(np.round(audio * (32_767 / peak)).astype(np.int16))
        if not parts:
            raise DataError(f"all recordings in {paths[0].parent} are silent")
        starts = np.concatenate([[0], np.cumsum([len(p) for p in parts])])
        return cls(np.concatenate(parts), starts)

    @property
    def fingerprint(self) -> str:
        """Hash of the samples and their order; it changes with the recordings."""
        digest = hashlib.blake2b(np.ascontiguousarray(self.samples).data, digest_size=16)
        digest.update(self.starts.astype(np.int64).tobytes())
        return digest.hexdigest()

    @property
    def seconds(self) -> float:
        """Total length."""
        return len(self.samples) / SAMPLE_RATE_OUT

    def segments(self, rng: np.random.Generator, count: int, n: int) -> Tensor:
        """Random segments ``[count, n]``, recordings weighted by length, short ones zero-padded."""
        out = np.zeros((count, n), np.float32)
        lengths = np.diff(self.starts)
        files = rng.choice(len(lengths), count, p=lengths / lengths.sum())
        for row, file in zip(out, files, strict=True):
            length = int(lengths[file])
            # A segment may reach an eighth of its length beyond either end of the recording.
            first = int(rng.integers(-n // 8, max(length - n + n // 8, -n // 8 + 1)))
            begin, end = max(first, 0), min(first + n, length)
            audio = self.samples[self.starts[file] + begin : self.starts[file] + end]
            row[begin - first : end - first] = audio / np.float32(32_768)
        return torch.from_numpy(out)


@dataclass(frozen=True)
class Mixture:
    """Two corpora; ``share`` is the probability that a segment is from ``also``."""

    main: Corpus
    also: Corpus
    share: float

    @property
    def fingerprint(self) -> str:
        """Hash of both corpora; the share may change."""
        return f"{self.main.fingerprint} {self.also.fingerprint}"

    @property
    def seconds(self) -> float:
        """Total length."""
        return self.main.seconds + self.also.seconds

    def segments(self, rng: np.random.Generator, count: int, n: int) -> Tensor:
        """Random segments, ``[count, n]``."""
        others = int(rng.binomial(count, self.share))
        parts = [self.main.segments(rng, count - others, n), self.also.segments(rng, others, n)]
        return torch.cat(parts)


def training_batch(
    corpus: Corpus | Mixture,
    degrader: Degrader,
    *,
    batch_size: int,
    seed: int,
    step: int,
    rank: int = 0,
    tones_share: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """The batch of a step. It depends on (seed, step, rank) only, so resuming is exact.

    ``tones_share`` is the probability that a segment is made of synthetic tones; every second one
    of these gets no noise floor.
    """
    rng = np.random.default_rng([seed, step, rank])
    audio = corpus.segments(rng, batch_size, degrader.n)
    tones = int(rng.binomial(batch_size, tones_share)) if tones_share else 0
    audio[:tones] = tone_segments(rng, tones, degrader.n)
    return degrader(audio, rng, clean=(tones + 1) // 2)
