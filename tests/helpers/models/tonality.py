"""Lines in a long-term spectrum, which are audible as tones."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

from models.evaluation.metrics import Audio
from realtime.sample_rates import SAMPLE_RATE_OUT

# 2.7 Hz per bin: lines stand out of noise.
FFT_SIZE = 16_384
# Bins on either side that a line leaks into with a Blackman-Harris window.
LEAK_BINS = 4
# Number of bins of the noise around a line.
MEDIAN_BINS = 97
NOISE_BANDWIDTH_BINS = 2.004  # of that window
TINY = 1e-20
# Weaker lines and higher ones are none.
FLOOR_DB, MAX_HZ = -80.0, 22_000.0

# Tones this far above the noise of their critical band are just heard: the masking index of ISO/PAS
# 20065 (2016) falls from -2 dB to -6 dB at 20 kHz. From 8 dB on they are prominent (ECMA-418-1).
AUDIBLE_DB = -6.0
PROMINENT_DB = 8.0


class Tone(NamedTuple):
    """A line, and its power relative to that of the rest of its critical band."""

    hz: float
    to_noise_db: float


def long_term_power(audio: Audio) -> npt.NDArray[np.float64]:
    """Mean power per bin, a full-scale sine's peak is 1: ``[FFT_SIZE / 2 + 1]``."""
    step = FFT_SIZE // 4
    _, power = scipy.signal.welch(
        audio.astype(np.float64),
        window="blackmanharris",
        nperseg=FFT_SIZE,
        noverlap=FFT_SIZE - step,
        detrend=False,
        scaling="spectrum",
    )
    found: npt.NDArray[np.float64] = 2.0 * power
    return found


def critical_band_hz(hz: float) -> float:
    """Width of the critical band around a frequency (Zwicker and Terhardt, 1980)."""
    return float(25.0 + 75.0 * (1.0 + 1.4 * (hz / 1000.0) ** 2) ** 0.69)


def loudest_tone(audio: Audio, *, from_hz: float) -> Tone | None:
    """The line above a frequency with the highest tone-to-noise ratio; None if all are weak.

    The noise of its critical band is made of medians over neighbouring bins, so that other lines
    are not taken for noise that hides this one.

    Args:
        audio: ``[T]`` at 44.1 kHz, stationary.
        from_hz: lowest frequency.
    """
    power = long_term_power(audio)
    hz = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE_OUT)
    noise = scipy.ndimage.median_filter(power, MEDIAN_BINS)
    highest = scipy.ndimage.maximum_filter1d(power, 2 * LEAK_BINS + 1)
    tones = []
    for peak in np.flatnonzero((power == highest) & (hz >= from_hz) & (hz <= MAX_HZ)):
        tone = float(power[peak] - noise[peak])
        if tone > 10 ** (FLOOR_DB / 10):
            band = np.abs(hz - hz[peak]) < critical_band_hz(float(hz[peak])) / 2
            # Noise counts in every bin that the window smears it over.
            masker = max(float(noise[band].sum()) / NOISE_BANDWIDTH_BINS, TINY)
            tones.append(Tone(float(hz[peak]), 10 * math.log10(tone / masker)))
    return max(tones, key=lambda found: found.to_noise_db, default=None)
