"""Training pairs from 44.1 kHz audio: recording conditions, a low-pass, and the front end.

All filters are linear and applied in batches in the frequency domain. A network trained on one
low-pass and one studio fails on others (Sulun and Davies, 2021), so both are random.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import resampy
import scipy.fft
import scipy.signal
import torch
from torch import Tensor

from models.data.front_end import DOWNSAMPLERS
from models.evaluation.metrics import Floats
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

Complexes = npt.NDArray[np.complex128]

# Length of the sharp low-passes.
SHARP_TAPS = 401

# Audio on both sides of a segment, longer than the ringing of every filter.
MARGIN_SAMPLES = 768

# Seed of the pools: the same in every training.
POOL_SEED = 20_260


def padded_samples(segment_samples: int) -> int:
    """An even length that is fast for an FFT and holds a segment with both margins."""
    n = segment_samples + 2 * MARGIN_SAMPLES
    while (m := int(scipy.fft.next_fast_len(n, real=True))) % 2:
        n = m + 1
    return m


def _centred_response(taps: Floats, centre: int, n: int) -> Complexes:
    """Zero-phase frequency response, ``[n // 2 + 1]``, of taps whose time zero is ``centre``."""
    wrapped = np.zeros(n)
    wrapped[np.arange(len(taps)) - centre] = taps
    return np.fft.rfft(wrapped)


@cache
def resampler_response(name: str, n: int) -> Complexes:
    """Measured response of a downsampler's low-pass, ``[n // 2 + 1]``.

    Impulses at an even and at an odd position show the two halves of its impulse response.
    """
    half = 2 * MARGIN_SAMPLES
    taps = np.zeros(2 * half)
    for offset in (0, 1):
        impulse = np.zeros(2 * half)
        impulse[half + offset] = 1.0
        # Output m is tap 2m - (half + offset) of a symmetric filter centred at index half.
        y = DOWNSAMPLERS[name](impulse)
        lags = 2 * np.arange(len(y)) - (half + offset)
        keep = np.abs(lags) < MARGIN_SAMPLES
        taps[half + lags[keep]] = y[keep]
    return _centred_response(taps, half, n)


@cache
def kaiser_fast_response(n: int) -> Complexes:
    """Response of resampy's kaiser-fast x2 interpolation of zero-stuffed audio."""
    half = MARGIN_SAMPLES
    impulse = np.zeros(half)
    impulse[half // 2] = 1.0
    taps = resampy.resample(impulse, SAMPLE_RATE_IN, SAMPLE_RATE_OUT, filter="kaiser_fast")
    return _centred_response(taps, half, n)


def random_low_pass(rng: np.random.Generator, n: int) -> Complexes:
    """A random anti-aliasing filter: a resampler's, a classical zero-phase design, or a sinc."""
    if rng.random() < 0.6:
        names = list(DOWNSAMPLERS)
        name = names[0] if rng.random() < 0.4 else names[rng.integers(len(names))]
        return resampler_response(name, n)
    # Some cut far below the edge of the front end.
    low, high = (8_500, 11_000) if rng.random() < 0.8 else (7_400, 8_500)
    hz = rng.uniform(low, high)
    if rng.random() < 0.25:
        # An encoder's or an editor's low-pass: a windowed sinc with 600 Hz of transition.
        taps = scipy.signal.firwin(SHARP_TAPS, hz, window=("kaiser", 9.0), fs=SAMPLE_RATE_OUT)
        return _centred_response(taps, SHARP_TAPS // 2, n)
    cutoff = hz / (SAMPLE_RATE_OUT / 2)
    order = int(rng.integers(3, 9))
    match rng.integers(4):
        case 0:
            sos = scipy.signal.butter(order, cutoff, output="sos")
        case 1:
            sos = scipy.signal.cheby1(order, rng.choice([1e-3, 0.05, 0.5]), cutoff, output="sos")
        case 2:
            sos = scipy.signal.ellip(order, 0.05, rng.uniform(50, 80), cutoff, output="sos")
        case _:
            sos = scipy.signal.bessel(order, cutoff, output="sos", norm="mag")
    _, response = scipy.signal.freqz_sos(sos, worN=np.linspace(0.0, np.pi, n // 2 + 1))
    squared: Complexes = np.abs(response) ** 2 + 0j
    return squared


def _smooth_curve_db(rng: np.random.Generator, n: int, spread_db: float) -> Floats:
    """A random curve over ``n // 2 + 1`` bins: linear between nodes an octave apart."""
    nodes_hz = 22_050 / 2.0 ** np.arange(8, -1, -1)
    nodes_db = rng.normal(0.0, spread_db, len(nodes_hz))
    bins_hz = np.linspace(1.0, 22_050, n // 2 + 1)
    return np.interp(np.log2(bins_hz), np.log2(nodes_hz), nodes_db)


def _octaves_above(hz: float, n: int) -> Floats:
    """Per bin the octaves above a frequency; 0 below it."""
    octaves: Floats = np.log2(np.maximum(np.linspace(1.0, 22_050, n // 2 + 1) / hz, 1.0))
    return octaves


def random_equaliser(
    rng: np.random.Generator, n: int, variety: float = 1.0, air_db: float = 0.0
) -> Floats:
    """Gain per bin of a random microphone: smooth bends, and tilts above 3 and 11 kHz.

    40 % leave the recording as it is.

    Args:
        rng: source of randomness.
        n: length of the signals.
        variety: factor on all spreads.
        air_db: mean tilt above 11 kHz, in dB per octave; half of it is the tilt's spread.
    """
    if rng.random() < 0.4:
        return np.ones(n // 2 + 1)
    gain_db = _smooth_curve_db(rng, n, 1.5 * variety)
    gain_db += rng.normal(0.0, 2.5 * variety) * _octaves_above(3_000, n)
    gain_db += rng.normal(air_db, air_db / 2) * _octaves_above(11_000, n)
    return 10.0 ** (gain_db / 20)


def random_noise_floor(rng: np.random.Generator, n: int, variety: float = 1.0) -> Floats:
    """Standard deviation per bin of a coloured noise floor, relative to a signal of power 1.

    A tilt with smooth bends. 30 % also rise towards the top, like the shaped noise of many
    converters. The level is that at 4 kHz.
    """
    if rng.random() < 0.4:
        return np.zeros(n // 2 + 1)
    bins_hz = np.linspace(1.0, 22_050, n // 2 + 1)
    shape_db = rng.uniform(-7, 4) * np.log2(np.maximum(bins_hz, 200) / 4_000)
    shape_db += _smooth_curve_db(rng, n, 1.2 * variety)
    if rng.random() < 0.3:
        shape_db += rng.uniform(0, 9) * _octaves_above(rng.uniform(3_000, 9_000), n)
    # Limits the level of loud hum.
    level_db = min(rng.uniform(-80, -45), -25 - shape_db.max())
    shape = 10.0 ** (shape_db / 20)
    # For white noise of power 1, E|X_k|^2 = n; half of it is in the real part.
    deviation: Floats = shape * 10.0 ** (level_db / 20) * np.sqrt(n / 2)
    return deviation


class Responses:
    """Random frequency responses for signals of length ``n``, ``[n // 2 + 1]`` each.

    They are drawn for every segment, or chosen from ``pool`` responses drawn in advance.
    """

    def __init__(
        self, draw: Callable[[np.random.Generator, int], Any], n: int, *, pool: int
    ) -> None:
        self._draw = draw
        self._n = n
        self._pool: Tensor | None = None
        if pool:
            self._pool = self._fresh(np.random.default_rng(POOL_SEED), pool)

    def _fresh(self, rng: np.random.Generator, count: int) -> Tensor:
        drawn = torch.from_numpy(np.stack([self._draw(rng, self._n) for _ in range(count)]))
        return drawn.to(torch.complex64 if drawn.is_complex() else torch.float32)

    def __call__(self, rng: np.random.Generator, count: int) -> Tensor:
        """``[count, n // 2 + 1]``, complex64 or float32."""
        if self._pool is None:
            return self._fresh(rng, count)
        return self._pool[torch.from_numpy(rng.integers(0, len(self._pool), count))]


class Degrader:
    """Makes pairs of a network's input and full-band audio.

    Args:
        segment_samples: length of the output at 44.1 kHz; even.
        random: whether level, equaliser, noise floor and low-pass are random. Otherwise the
            low-pass is resampy's kaiser_best and nothing else changes.
        front_end: ``kaiser_fast`` upsamples the network's input, ``none`` leaves it at 22.05 kHz.
        pool: number of random filters drawn in advance, for networks that train faster than
            filters are designed; 0 draws new ones for every segment.
        variety: factor on the spread of equalisers and noise floors.
        air_db: mean tilt of the equalisers above 11 kHz, in dB per octave.

    Shape:
        - Input: ``[B, padded_samples(segment_samples)]`` at 44.1 kHz, peak 1
        - Output: the network's input, ``[B, 1, segment_samples]`` (half as long without a front
          end), and its target, ``[B, 1, segment_samples]``
    """

    def __init__(
        self,
        segment_samples: int,
        *,
        random: bool,
        front_end: str = "kaiser_fast",
        pool: int = 0,
        variety: float = 1.0,
        air_db: float = 0.0,
    ) -> None:
        self.segment_samples = segment_samples
        self.random = random
        self.n = padded_samples(segment_samples)
        self.front_end = front_end
        pool = pool if random else 0
        self._low_passes = Responses(random_low_pass, self.n, pool=pool)
        equaliser = partial(random_equaliser, variety=variety, air_db=air_db)
        floor = partial(random_noise_floor, variety=variety)
        self._equalisers = Responses(equaliser, self.n, pool=pool)
        self._floors = Responses(floor, self.n, pool=pool)
        kaiser_best = torch.from_numpy(resampler_response("kaiser_best", self.n))
        kaiser_fast = torch.from_numpy(kaiser_fast_response(self.n))
        self._kaiser_best = kaiser_best.to(torch.complex64)
        self._kaiser_fast = kaiser_fast.to(torch.complex64)

    def __call__(
        self, audio: Tensor, rng: np.random.Generator, *, clean: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Degrade a batch; the first ``clean`` segments get no noise floor."""
        kaiser_fast = None if self.front_end == "none" else self._kaiser_fast
        if self.random:
            batch = len(audio)
            equaliser, floor = self._equalisers(rng, batch), self._floors(rng, batch)
            noise = torch.from_numpy(rng.standard_normal((2, *floor.shape), dtype=np.float32))
            floor[:clean] = 0.0
            level = torch.from_numpy(10.0 ** (rng.uniform(-30, 0, (batch, 1)) / 20)).float()
            spectrum = recorded(audio, equaliser, torch.complex(noise[0], noise[1]) * floor, level)
            low_pass = self._low_passes(rng, batch)
        else:
            spectrum, low_pass = torch.fft.rfft(audio), self._kaiser_best
        return training_pair(spectrum, low_pass, kaiser_fast, self.segment_samples)


def recorded(audio: Tensor, equaliser: Tensor, noise: Tensor, level: Tensor) -> Tensor:
    """Spectra of ``[B, n]`` recorded by other microphones.

    Args:
        audio: ``[B, n]``.
        equaliser: gains, ``[B, n // 2 + 1]``.
        noise: spectra of noise floors, for audio of power 1.
        level: peaks of the result, ``[B, 1]``.
    """
    rms = audio.square().mean(dim=1, keepdim=True).clamp_min(1e-6).sqrt()
    spectrum = torch.fft.rfft(audio) * equaliser + noise * rms
    peak = torch.fft.irfft(spectrum, audio.shape[1]).abs().amax(dim=1, keepdim=True)
    out: Tensor = spectrum * level / peak.clamp_min(1e-6)
    return out


def training_pair(
    spectrum: Tensor, low_pass: Tensor, kaiser_fast: Tensor | None, segment_samples: int
) -> tuple[Tensor, Tensor]:
    """The network's input and its target: the middle of signals with these spectra.

    Without ``kaiser_fast``, the front end's response, the input stays at 22.05 kHz.
    """
    n = padded_samples(segment_samples)
    target, low = torch.fft.irfft(spectrum, n), torch.fft.irfft(spectrum * low_pass, n)
    start = (n - segment_samples) // 2 // 2 * 2
    end = start + segment_samples
    if kaiser_fast is None:
        source = low[:, start:end:2]
    else:
        low[:, 1::2] = 0.0
        source = torch.fft.irfft(torch.fft.rfft(low) * kaiser_fast, n)[:, start:end]
    return source[:, None].contiguous(), target[:, None, start:end].contiguous()
