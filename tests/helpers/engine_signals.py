"""Signals for tests of the engine."""

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


def file_input(x: Audio, **changes: bool) -> FileInput:
    """A file input of these samples."""
    return FileInput("memory", AudioFile(x), **changes)
