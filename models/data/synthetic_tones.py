"""Synthetic tones with an empty upper octave, so that networks learn not to add noise to tones."""

import numpy as np
import torch
from torch import Tensor

from realtime.sample_rates import SAMPLE_RATE_OUT

MAX_TONES = 6
MIN_HZ, MAX_HZ = 80.0, 12_000.0
# Range of levels within a segment.
LEVEL_RANGE_DB = 40.0


def tone_segments(rng: np.random.Generator, count: int, n: int) -> Tensor:
    """One to six steady or gliding tones with a swell, peak 1: ``[count, n]``.

    Recordings of speech and music have few of them; sweeps, whistles and flutes consist of them.
    """
    out = np.zeros((count, n), np.float32)
    t = np.arange(n) / n
    for row in out:
        tones = int(rng.integers(1, MAX_TONES + 1)) if rng.random() < 0.5 else 1
        begin, end = np.exp(rng.uniform(np.log(MIN_HZ), np.log(MAX_HZ), (2, tones)))
        end = np.where(rng.random(tones) < 0.5, begin, end)
        for first, last in zip(begin, end, strict=True):
            # A gliding tone moves linearly in log frequency.
            hz = first * (last / first) ** t
            phase = 2 * np.pi * (np.cumsum(hz) / SAMPLE_RATE_OUT + rng.random())
            level = 10.0 ** (-rng.uniform(0.0, LEVEL_RANGE_DB) / 20)
            swell = 1.0 - rng.uniform(0.0, 0.9) * np.cos(np.pi * (t - rng.random())) ** 2
            row += (level * swell * np.sin(phase)).astype(np.float32)
        row /= np.abs(row).max()
    return torch.from_numpy(out)
