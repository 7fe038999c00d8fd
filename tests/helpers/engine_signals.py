"""Signals for tests of the engine."""

import numpy as np

from realtime.audio_io.file_streams import FileInput
from realtime.dsp.processor import Audio
from realtime.files.audio_file import AudioFile


def noise(n: int, channels: int = 1, *, level: float = 0.4) -> Audio:
    """White noise, the same for every call."""
    x = np.random.default_rng(n).uniform(-level, level, (channels, n))
    return x.astype(np.float32)


def speech(rng: np.random.Generator, n: int, channels: int = 1) -> Audio:
    """Noise with less treble, far from the limits."""
    x = rng.uniform(-0.5, 0.5, (channels, n + 2))
    return (x[:, 2:] + x[:, 1:-1] + x[:, :-2]).astype(np.float32) / 3


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
