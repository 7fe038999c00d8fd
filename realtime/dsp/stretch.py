"""Makes a block of audio some samples longer or shorter, and nobody hears it."""

from functools import lru_cache
from typing import Any

import numpy as np

from realtime.dsp.processor import Audio

# Samples on either side that an interpolated one is made of, and that stay as they are at both
# ends of a block: so a glide needs neither history nor look-ahead.
REACH_SAMPLES = 16


def stretch(x: Audio, samples: int) -> Audio:
    """Read a block a little more slowly or faster, as a tape.

    The first and last 16 samples are kept. Between them the position glides, by a Hann-windowed
    sinc: one sample in 512 puts the pitch off by 3 cents for 11 ms.

    Args:
        x: the block.
        samples: how many there shall be more, or, negative, fewer.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, n + samples]``

    Raises:
        ValueError: if the block is too short for that.
    """
    near, taps = _plan(x.shape[1], samples)
    middle = np.einsum("ctk,tk->ct", x[:, near], taps)
    return np.concatenate([x[:, :REACH_SAMPLES], middle, x[:, -REACH_SAMPLES:]], axis=1)


# Blocks are of one length, a sample longer or shorter: worked out once.
@lru_cache(maxsize=8)
def _plan(length: int, samples: int) -> tuple[Any, Any]:
    """Which samples each new one is made of, and how: two of ``[n, 2 * REACH_SAMPLES]``."""
    inside = length - 2 * REACH_SAMPLES
    if inside + min(samples, 0) < 1:
        raise ValueError(f"a block of {length} samples cannot be {samples} longer")
    steps = np.arange(inside + samples)
    at = REACH_SAMPLES + steps * (inside / (inside + samples))
    near = at.astype(np.int64)[:, None] + np.arange(1 - REACH_SAMPLES, REACH_SAMPLES + 1)
    away = near - at[:, None]
    taps = np.sinc(away) * np.cos(0.5 * np.pi / REACH_SAMPLES * away) ** 2
    taps /= taps.sum(axis=1, keepdims=True)
    return near, taps.astype(np.float32)
