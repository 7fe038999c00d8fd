"""Discriminators of the missing band: of its waveform, and of its spectrogram.

A high-pass before them removes the band below, so the network gets no gradient there.
"""

from typing import Any

import numpy as np
import scipy.signal
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from realtime.sample_rates import SAMPLE_RATE_OUT

PERIODS = (2, 3, 5, 7, 11)
# (FFT size, hop) in samples.
RESOLUTIONS = ((512, 128), (1024, 256), (2048, 512))
SLOPE = 0.1

# Attenuation of the high-pass, reached TRANSITION_HZ below the band.
STOP_BAND_DB = 110.0
TRANSITION_HZ = 1_000.0

# Signals are divided by the target's level in the band; levels below -80 dB count as -80 dB.
LEVEL_FLOOR = 1e-4
# Added to the power per bin, relative to a signal of power 1.
POWER_FLOOR = 1e-6

# A discriminator's score ``[B, ...]`` and feature maps.
Judgement = tuple[Tensor, list[Tensor]]


def high_pass_taps(from_hz: float) -> Tensor:
    """Symmetric taps of a high-pass: pass band above ``from_hz``, stop band 1 kHz below it."""
    taps, beta = scipy.signal.kaiserord(STOP_BAND_DB, TRANSITION_HZ / (SAMPLE_RATE_OUT / 2))
    made = scipy.signal.firwin(
        taps | 1,
        from_hz - TRANSITION_HZ / 2,
        window=("kaiser", beta),
        fs=SAMPLE_RATE_OUT,
        pass_zero=False,
    )
    return torch.from_numpy(np.asarray(made, np.float32))


def _judge(h: Tensor, layers: nn.ModuleList, last: nn.Module) -> Judgement:
    features = []
    for layer in layers:
        h = functional.leaky_relu(layer(h), SLOPE)
        features.append(h)
    return last(h), features


class PeriodDiscriminator(nn.Module):
    """Convolves over every ``period``-th sample: 2-d convolutions of the folded signal.

    Args:
        period: in samples.
        channels: of the first layer; 32 in the paper.

    Shape:
        - Input: ``[B, 1, T]``
        - Output: scores ``[B, 1, T', period]`` and five feature maps

    Source:
        Kong, Kim and Bae, HiFi-GAN (2020), section 2.3.
    """

    def __init__(self, period: int, *, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = [1, channels, 4 * channels, 16 * channels, 32 * channels, 32 * channels]
        strides = [3, 3, 3, 3, 1]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (stride, 1), (2, 0)))
            for a, b, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.last = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), 1, (1, 0)))

    def forward(self, x: Tensor) -> Judgement:
        """Scores and feature maps of signals."""
        rows = x.shape[2] // self.period
        h = x[:, :, : rows * self.period].reshape(len(x), 1, rows, self.period)
        return _judge(h, self.layers, self.last)


class BandDiscriminator(nn.Module):
    """Convolves over the log-magnitude spectrogram above a frequency, at one resolution.

    Phases are left out because the phase of the missing band cannot be known; several resolutions
    together still show attacks.

    Args:
        fft_size: in samples, also the length of the Hann window.
        hop: in samples.
        from_hz: the lowest bin's frequency.
        channels: of every layer; 32 in the papers.

    Shape:
        - Input: ``[B, 1, T]``, with a power of about 1 in the band
        - Output: scores ``[B, 1, N', F']`` and four feature maps

    Source:
        Jang et al., UnivNet (2021), section 2.2, here for part of the spectrum, with the
        convolutions over time and frequency of Défossez et al., EnCodec (2022), section 3.4.
    """

    window: Tensor

    def __init__(self, fft_size: int, hop: int, *, from_hz: float, channels: int) -> None:
        super().__init__()
        self.fft_size = fft_size
        self.hop = hop
        self.first_bin = int(np.ceil(from_hz * fft_size / SAMPLE_RATE_OUT))
        self.register_buffer("window", torch.hann_window(fft_size), persistent=False)
        shapes: list[tuple[int, Any]] = [(1, (1, 2)), (channels, (1, 2)), (channels, (2, 2))]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, channels, (3, 5), stride, (1, 2))) for a, stride in shapes
        )
        self.layers.append(weight_norm(nn.Conv2d(channels, channels, 3, 1, 1)))
        self.last = weight_norm(nn.Conv2d(channels, 1, 3, 1, 1))

    def forward(self, x: Tensor) -> Judgement:
        """Scores and feature maps of signals."""
        # No padding: mirrored ends are not natural sound.
        spectrum = torch.stft(
            x[:, 0], self.fft_size, self.hop, window=self.window, center=False, return_complex=True
        )[:, self.first_bin :]
        power = spectrum.real.square() + spectrum.imag.square()
        power = power / self.window.square().sum() + POWER_FLOOR
        h = 0.5 * power.log10().transpose(1, 2)[:, None]
        return _judge(h, self.layers, self.last)


class Discriminators(nn.Module):
    """All discriminators of the missing band.

    Args:
        from_hz: lower end of the band.
        period_channels: of :class:`PeriodDiscriminator`; 0 for none.
        band_channels: of :class:`BandDiscriminator`; 0 for none.

    Shape:
        - Input: ``[B, 1, T]``, T at least 2048 plus the length of the high-pass; the target's
          level in the band, ``[B, 1, 1]``, from :meth:`level`
        - Output: a score and feature maps of each discriminator
    """

    taps: Tensor

    def __init__(self, *, from_hz: float, period_channels: int, band_channels: int) -> None:
        super().__init__()
        self.register_buffer("taps", high_pass_taps(from_hz)[None, None], persistent=False)
        each: list[nn.Module] = []
        if period_channels:
            each += [PeriodDiscriminator(p, channels=period_channels) for p in PERIODS]
        if band_channels:
            each += [
                BandDiscriminator(size, hop, from_hz=from_hz, channels=band_channels)
                for size, hop in RESOLUTIONS
            ]
        self.each = nn.ModuleList(each)

    def high_passed(self, x: Tensor) -> Tensor:
        """The band alone, shorter by the filter's length - 1."""
        return functional.conv1d(x, self.taps)

    def level(self, target: Tensor) -> Tensor:
        """Root mean square of a target in the band, at least -80 dB: ``[B, 1, 1]``."""
        power = self.high_passed(target).square().mean(dim=2, keepdim=True)
        return power.sqrt().clamp_min(LEVEL_FLOOR)

    def forward(self, x: Tensor, level: Tensor) -> list[Judgement]:
        """Scores and feature maps of signals."""
        band = self.high_passed(x) / level
        return [discriminator(band) for discriminator in self.each]
