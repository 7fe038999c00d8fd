"""Tones with nothing above them: what a network must not answer with hiss."""

import numpy as np
import torch
from torch import Tensor

from realtime.sample_rates import SAMPLE_RATE_OUT

MOST_TONES = 6
LOWEST_HZ, HIGHEST_HZ = 80.0, 12_000.0
# Below the loudest tone of a segment.
SOFTEST_DB = 40.0


def tone_segments(rng: np.random.Generator, count: int, n: int) -> Tensor:
    """Held or gliding tones that swell, alone or a few together, peak 1: ``[count, n]``.

    Recordings have few of them; sweeps, whistles and flutes are made of nothing else.
    """
    out = np.zeros((count, n), np.float32)
    t = np.arange(n) / n
    for row in out:
        tones = int(rng.integers(1, MOST_TONES + 1)) if rng.random() < 0.5 else 1
        begin, end = np.exp(rng.uniform(np.log(LOWEST_HZ), np.log(HIGHEST_HZ), (2, tones)))
        end = np.where(rng.random(tones) < 0.5, begin, end)
        for first, last in zip(begin, end, strict=True):
            # Frequency in a straight line over its logarithm, as a sweep's.
            hz = first * (last / first) ** t
            phase = 2 * np.pi * (np.cumsum(hz) / SAMPLE_RATE_OUT + rng.random())
            level = 10.0 ** (-rng.uniform(0.0, SOFTEST_DB) / 20)
            swell = 1.0 - rng.uniform(0.0, 0.9) * np.cos(np.pi * (t - rng.random())) ** 2
            row += (level * swell * np.sin(phase)).astype(np.float32)
        row /= np.abs(row).max()
    return torch.from_numpy(out)
