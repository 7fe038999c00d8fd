"""Signals for tests of the engine, and their cutting into blocks."""

from collections.abc import Callable, Iterable

import numpy as np

from realtime.audio_io.file_streams import FileInput
from realtime.dsp.processor import Audio
from realtime.files.audio_file import AudioFile

# Float32 sums of up to 99 products in another order, samples up to 1: a 30th of a step of 16 bits.
ROUNDING = 1e-6


def noise(n: int, channels: int = 1, *, level: float = 0.4) -> Audio:
    """White noise, the same for every call."""
    x = np.random.default_rng(n).uniform(-level, level, (channels, n))
    return x.astype(np.float32)


def numbered(first: int, n: int, channels: int = 1) -> Audio:
    """Samples that show their position; every second channel is negated."""
    row = np.arange(first, first + n, dtype=np.float32)
    return np.stack([row * (-1) ** c for c in range(channels)])


def impulse(n: int, at: int, channels: int = 1) -> Audio:
    """Silence with one sample of 0.9."""
    x = np.zeros((channels, n), np.float32)
    x[:, at] = 0.9
    return x


def loudest(y: Audio) -> int:
    """Index of the largest sample."""
    return int(np.abs(y[0]).argmax())


def in_blocks(process: Callable[[Audio], Audio], x: Audio, lengths: Iterable[int]) -> Audio:
    """The whole output of a processor that is called with blocks of these lengths."""
    parts, begin = [], 0
    for n in lengths:
        parts.append(process(x[:, begin : begin + n].copy()))
        begin += n
    assert begin == x.shape[1]
    return np.concatenate(parts, axis=1)


def random_lengths(rng: np.random.Generator, total: int, longest: int) -> Iterable[int]:
    """Lengths of blocks, many of them short, which add up to a total."""
    for n in (0, 1, 0, 1, 1):
        total -= n
        yield n
    while total > 0:
        n = min(int(rng.integers(0, 12 if rng.random() < 0.3 else longest + 1)), longest, total)
        total -= n
        yield n


def file_input(x: Audio, **changes: bool) -> FileInput:
    """A file input of these samples."""
    return FileInput("memory", AudioFile(x), **changes)
