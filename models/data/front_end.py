"""What stands between 22.05 kHz audio and a network: kaiser-fast x2, or nothing."""

from collections.abc import Callable

import numpy as np
import resampy

from models.evaluation.metrics import Audio
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT


def kaiser_fast(low: Audio) -> Audio:
    """``[n]`` at 22.05 kHz, upsampled by resampy's kaiser_fast to ``[2 n]``."""
    high = resampy.resample(low, SAMPLE_RATE_IN, SAMPLE_RATE_OUT, filter="kaiser_fast")
    out: Audio = high.astype(np.float32)
    return out


def none(low: Audio) -> Audio:
    """The 22.05 kHz audio itself, for networks that upsample it themselves."""
    out: Audio = low.astype(np.float32)
    return out


FRONT_ENDS: dict[str, Callable[[Audio], Audio]] = {"kaiser_fast": kaiser_fast, "none": none}
