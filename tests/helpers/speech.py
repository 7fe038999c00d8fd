"""The bundled clip, as fake engines play it."""

from functools import cache
from typing import NamedTuple

import numpy as np
import scipy.ndimage
import scipy.signal
import soundfile

from realtime.assets import demo_path
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler

CLIP_S = 8.0


class Clip(NamedTuple):
    """A sound for fake engines, and its part below the octave: ``[T]`` at 44.1 kHz."""

    full: Audio
    low: Audio


@cache
def demo_clip() -> Clip:
    """Speech from kaiser_fast, and above it noise that is loud where the speech is."""
    x, rate = soundfile.read(demo_path(), dtype="float32")
    upsampler = KaiserUpsampler()
    upsampler.prepare(ProcessSpec(max_block_samples=len(x)))
    low = upsampler.process(x[None])[0, : round(2 * rate * CLIP_S)]
    above = scipy.signal.butter(4, 11_025, "highpass", fs=2 * rate, output="sos")
    noise = scipy.signal.sosfilt(above, np.random.default_rng(7).normal(size=len(low)))
    level = scipy.ndimage.uniform_filter1d(np.abs(low), 1_024)
    return Clip((low + 0.1 * level * noise).astype(np.float32), low)
