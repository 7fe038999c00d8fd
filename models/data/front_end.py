"""From a recording to a network's input: downsampling, and upsampling by kaiser-fast or not."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import resampy
import scipy.signal
import soxr

from models.evaluation.metrics import Audio
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

_RESAMPY = partial(resampy.resample, sr_orig=SAMPLE_RATE_OUT, sr_new=SAMPLE_RATE_IN)
_SOXR = partial(soxr.resample, in_rate=SAMPLE_RATE_OUT, out_rate=SAMPLE_RATE_IN)

# From 44.1 to 22.05 kHz, in the order of the robustness table.
DOWNSAMPLERS: dict[str, Callable[[Any], Any]] = {
    "kaiser_best": partial(_RESAMPY, filter="kaiser_best"),
    "kaiser_fast": partial(_RESAMPY, filter="kaiser_fast"),
    "soxr_vhq": partial(_SOXR, quality="VHQ"),
    "soxr_hq": partial(_SOXR, quality="HQ"),
    "resample_poly": partial(scipy.signal.resample_poly, up=1, down=2),
}


def halved(reference: Audio) -> Audio:
    """``[T]`` at 44.1 kHz to ``[T / 2]`` at 22.05 kHz, by the evaluation's standard low-pass."""
    out: Audio = DOWNSAMPLERS["kaiser_best"](reference).astype(np.float32)
    return out


def kaiser_fast(low: Audio) -> Audio:
    """``[n]`` at 22.05 kHz, upsampled by resampy's kaiser_fast to ``[2 n]``."""
    high = resampy.resample(low, SAMPLE_RATE_IN, SAMPLE_RATE_OUT, filter="kaiser_fast")
    out: Audio = high.astype(np.float32)
    return out


# With ``none`` a network upsamples the 22.05 kHz audio itself.
FRONT_ENDS: dict[str, Callable[[Audio], Audio]] = {
    "kaiser_fast": kaiser_fast,
    "none": lambda low: low,
}
