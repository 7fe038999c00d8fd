"""Makes a block of audio some samples longer or shorter, inaudibly."""

from functools import lru_cache
from typing import Any

import numpy as np

from realtime.dsp.processor import Audio

# Half the length of the interpolation filter. As many samples stay unchanged at both ends of a
# block, so that stretching needs neither history nor look-ahead.
REACH_SAMPLES = 16


def stretch(x: Audio, samples: int) -> Audio:
    """Resample a block to be a little longer or shorter.

    The first and last 16 samples are kept; between them samples are interpolated with a
    Hann-windowed sinc. One sample in 512 changes the pitch by 3 cents for 11 ms.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, n + samples]``; negative samples make it shorter

    Raises:
        ValueError: if the block is too short.
    """
    near, taps = _plan(x.shape[1], samples)
    middle = np.einsum("ctk,tk->ct", x[:, near], taps)
    return np.concatenate([x[:, :REACH_SAMPLES], middle, x[:, -REACH_SAMPLES:]], axis=1)


# Blocks have one length and change by a sample: computed once.
@lru_cache(maxsize=8)
def _plan(length: int, samples: int) -> tuple[Any, Any]:
    """Source samples and their weights for each new sample: both ``[n, 2 * REACH_SAMPLES]``."""
    inside = length - 2 * REACH_SAMPLES
    if inside + min(samples, 0) < 1:
        raise ValueError(f"a block of {length} samples cannot become {samples} samples longer")
    steps = np.arange(inside + samples)
    at = REACH_SAMPLES + steps * (inside / (inside + samples))
    near = at.astype(np.int64)[:, None] + np.arange(1 - REACH_SAMPLES, REACH_SAMPLES + 1)
    away = near - at[:, None]
    taps = np.sinc(away) * np.cos(0.5 * np.pi / REACH_SAMPLES * away) ** 2
    taps /= taps.sum(axis=1, keepdims=True)
    return near, taps.astype(np.float32)
