"""The fades of 1.5 ms that hide a silence or a cut."""

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


def without_first(x: Audio, count: int) -> Audio:
    """A block ``[C, n]`` without its first samples, with a crossfade: a new ``[C, n - count]``."""
    rest = x[:, count:].copy()
    fade = min(FADE_SAMPLES, count, rest.shape[1])
    rise = RISE[:fade]
    rest[:, :fade] = x[:, :fade] * (1 - rise) + rest[:, :fade] * rise
    return rest
