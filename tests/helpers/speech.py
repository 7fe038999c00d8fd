"""Synthetic speech-like sound at 44.1 kHz."""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

CLIP_S = 8.0


def speech_like(seconds: float, *, seed: int = 7) -> npt.NDArray[np.float32]:
    """Syllables of voiced and hissing sound with pauses, full band at 44.1 kHz, mono."""
    rng = np.random.default_rng(seed)
    rate = 44_100
    count = int(seconds * rate)
    out = rng.normal(0, 2e-5, count)
    at = int(0.1 * rate)
    while at < count - rate // 2:
        length = int(rng.uniform(0.10, 0.26) * rate)
        t = np.arange(length) / rate
        swell = np.sin(np.pi * np.arange(length) / length) ** 0.6
        spectrum = np.fft.rfft(rng.normal(0, 1, length))
        hz = np.fft.rfftfreq(length, 1 / rate)
        if rng.random() < 0.34:
            centre = rng.uniform(5500, 9000)
            shape = np.exp(-(((hz - centre) / 4200) ** 2)) * (hz > 2500)
            sound = np.fft.irfft(spectrum * shape, length)
            sound *= 0.10 / max(np.abs(sound).max(), 1e-9)
        else:
            glide = rng.uniform(-25, 25)
            pitch = rng.uniform(110, 210) + glide * t / t[-1]
            phase = 2 * np.pi * np.cumsum(pitch) / rate
            formants = [(rng.uniform(350, 750), 90), (rng.uniform(1000, 2100), 160),
                        (rng.uniform(2400, 3100), 260), (rng.uniform(3600, 4600), 500)]  # fmt: skip
            sound = np.zeros(length)
            for n in range(1, 130):
                f = n * pitch.mean()
                if f > 20_500:
                    break
                gain = sum(np.exp(-(((f - c) / (2.2 * w)) ** 2)) for c, w in formants)
                sound += (gain + 0.02) * n**-0.75 * np.sin(n * phase + n)
            breath = np.fft.irfft(spectrum * np.exp(-hz / 5000), length)
            sound = 0.32 * sound / np.abs(sound).max() + 0.004 * breath / np.abs(breath).max()
        out[at : at + length] += sound * swell
        at += length + int(rng.choice([0.01, 0.03, 0.25], p=[0.6, 0.28, 0.12]) * rate)
    return out.astype(np.float32)


def low_passed(x: npt.NDArray[np.float32], cut_hz: float = 10_300) -> npt.NDArray[np.float32]:
    """The sound after a kaiser_fast upsampler."""
    spectrum = np.fft.rfft(x)
    hz = np.fft.rfftfreq(len(x), 1 / 44_100)
    spectrum *= 1 / (1 + np.exp((hz - cut_hz) / 120))
    return np.fft.irfft(spectrum, len(x)).astype(np.float32)


class Clip(NamedTuple):
    """A sound for fake engines, and its part below the octave."""

    full: npt.NDArray[np.float32]
    low: npt.NDArray[np.float32]


@cache
def demo_clip() -> Clip:
    """The sound of all fake engines; it takes longer to make than a window."""
    full = speech_like(CLIP_S)
    return Clip(full, low_passed(full))
