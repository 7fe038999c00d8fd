"""Fades that hide a silence or a cut."""

import numpy as np

from realtime.dsp.processor import Audio

# 1.5 ms: short, but no click.
FADE_SAMPLES = 64

RISE = np.linspace(0.0, 1.0, FADE_SAMPLES, dtype=np.float32)
FALL = RISE[::-1].copy()


def fade_in(x: Audio, begin: int = 0) -> int:
    """Fade a block ``[C, n]`` in, in place; it may be shorter than the fade.

    ``begin`` counts the samples of the fade that were in earlier blocks. Returns its value for the
    next block.
    """
    gain = RISE[begin : begin + x.shape[1]]
    x[:, : len(gain)] *= gain
    return begin + len(gain)


def fade_out(x: Audio, last: Audio, begin: int = 0) -> int:
    """Add the fade-out of ``last``, ``[C, 1]``, to a block, in place; else as :func:`fade_in`."""
    gain = FALL[begin : begin + x.shape[1]]
    x[:, : len(gain)] += last * gain
    return begin + len(gain)


def crossfade(old: Audio, new: Audio, samples: int = FADE_SAMPLES) -> Audio:
    """A copy of ``new``, ``[C, n]``, that begins as ``old``; the shorter limits the fade."""
    out = new.copy()
    fade = min(samples, old.shape[1], new.shape[1])
    out[:, :fade] += (old[:, :fade] - new[:, :fade]) * np.linspace(1, 0, fade, dtype=np.float32)
    return out


def without_first(x: Audio, count: int) -> Audio:
    """A block ``[C, n]`` without its first samples, with a crossfade: a new ``[C, n - count]``."""
    return crossfade(x[:, :count], x[:, count:])
