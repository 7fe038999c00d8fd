"""Synthesised music and noises, which a network for speech must not damage."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy.signal

from models.evaluation.metrics import Audio
from realtime.sample_rates import SAMPLE_RATE_OUT

Floats = npt.NDArray[np.float64]

# C major, from C4 to C5.
CHORD_HZ = (261.63, 329.63, 392.00, 523.25)
BEATS_PER_MINUTE = 120.0
PEAK = 0.5
FADE_S = 0.02


def _times(seconds: float) -> Floats:
    return np.arange(round(seconds * SAMPLE_RATE_OUT)) / SAMPLE_RATE_OUT


def _finished(x: Floats) -> Audio:
    """At a peak of -6 dB, with short fades, as float32."""
    fade = np.minimum(1.0, np.arange(1, len(x) + 1) / (FADE_S * SAMPLE_RATE_OUT))
    out: Audio = (PEAK / np.abs(x).max() * x * fade * fade[::-1]).astype(np.float32)
    return out


def chord(seconds: float = 3.0) -> Audio:
    """A held chord of four sawtooths with harmonics up to 21 kHz: ``[T]`` at 44.1 kHz."""
    t = _times(seconds)
    out = np.zeros_like(t)
    for note, hz in enumerate(CHORD_HZ):
        for k in range(1, int(21_000 / hz) + 1):
            # Different phases: all at 0 would be a click.
            out += np.sin(2 * np.pi * k * hz * t + 1.7 * k * k + note) / k
    return _finished(out)


def drums(seconds: float = 4.0) -> Audio:
    """Kick, snare and hi-hat in eighths: ``[T]`` at 44.1 kHz."""
    rng = np.random.default_rng(1)
    out = np.zeros(round(seconds * SAMPLE_RATE_OUT))
    t = _times(0.25)
    kick = np.sin(2 * np.pi * (50 * t - 4.0 * np.exp(-t / 0.03))) * np.exp(-t / 0.08)
    snare = (0.5 * rng.normal(size=len(t)) + np.sin(2 * np.pi * 190 * t)) * np.exp(-t / 0.06)
    above = scipy.signal.butter(4, 6_000, "highpass", fs=SAMPLE_RATE_OUT, output="sos")
    hat = 0.4 * scipy.signal.sosfilt(above, rng.normal(size=len(t))) * np.exp(-t / 0.03)
    eighth = round(30.0 / BEATS_PER_MINUTE * SAMPLE_RATE_OUT)
    for i, start in enumerate(range(0, len(out) - len(t), eighth)):
        sound = hat + (kick if i % 4 == 0 else snare if i % 4 == 2 else 0.0)
        out[start : start + len(t)] += sound
    return _finished(out)


def sweep(seconds: float = 4.0) -> Audio:
    """A tone from 20 Hz to 20 kHz, an octave every so often: ``[T]`` at 44.1 kHz."""
    t = _times(seconds)
    return _finished(scipy.signal.chirp(t, 20.0, seconds, 20_000.0, method="logarithmic"))


def sine(hz: float = 1_000.0, seconds: float = 3.0) -> Audio:
    """One tone at -6 dBFS: ``[T]`` at 44.1 kHz."""
    return _finished(np.sin(2 * np.pi * hz * _times(seconds)))


def room_tone(slope_db: float, *, level_db: float = -60.0, seconds: float = 4.0) -> Audio:
    """Noise at a level, its spectrum a straight line in dB per octave: ``[T]`` at 44.1 kHz."""
    n = round(seconds * SAMPLE_RATE_OUT)
    spectrum = np.fft.rfft(np.random.default_rng(2).normal(size=n))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE_OUT), 50.0) / 1_000.0)
    noise = np.fft.irfft(spectrum * 10 ** (slope_db * octaves / 20), n)
    out: Audio = (10 ** (level_db / 20) * noise / noise.std()).astype(np.float32)
    return out


MUSIC: dict[str, Callable[[], Audio]] = {"chord": chord, "drums": drums, "sweep": sweep}
