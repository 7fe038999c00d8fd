"""The training objective of Octave: log spectra of its output above 8.7 kHz."""

from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.evaluation.metrics import POWER_FLOOR
from realtime.sample_rates import SAMPLE_RATE_OUT

# (window, hop) in samples. The first is the window of LSD.
RESOLUTIONS = ((2048, 512), (1024, 256), (512, 192), (256, 96))

# The network leaves the band below as it is.
LOWEST_HZ = 8_700
# Upper end of the input's band, and the resolution of the loss on its edge.
SEAM_HZ = 11_025
EDGE_WINDOW, EDGE_HOP = 1024, 256
# Envelopes are means over 4 frames, and over bands of a 64th of the window in bins.
ENVELOPE_FRAMES = 4


class OctaveLosses(NamedTuple):
    """The parts of the objective, each a scalar tensor; ``total`` is minimised."""

    total: Tensor
    lsd: Tensor
    log_power: Tensor
    envelope: Tensor
    edge: Tensor


class _Spectrum(torch.autograd.Function):
    """A real FFT whose gradient is an inverse real FFT, four times as fast as torch's own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.n = x.shape[-1]
        spectrum: Tensor = torch.fft.rfft(x)
        return spectrum

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        half = 0.5 * gradients[0]
        # All bins but 0 and n / 2 occur twice in the full spectrum.
        half[..., 0] *= 2.0
        half[..., -1] *= 2.0
        gradient: Tensor = torch.fft.irfft(half, ctx.n, norm="forward")
        return gradient


class LogSpectrum(nn.Module):
    """log10 of the power from ``LOWEST_HZ`` up, clamped as LSD is.

    Args:
        window: of the STFT in samples; Hann.
        hop: in samples.

    Shape:
        - Input: ``[B, T]`` at 44.1 kHz
        - Output: ``[B, N, F]``
    """

    window: Tensor

    def __init__(self, window: int, hop: int) -> None:
        super().__init__()
        self.size = window
        self.hop = hop
        self.first_bin = LOWEST_HZ * window // SAMPLE_RATE_OUT
        # The power of noise is proportional to the window's length.
        self.floor = POWER_FLOOR * window / RESOLUTIONS[0][0]
        self.register_buffer("window", torch.hann_window(window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Log spectra of whole clips, with reflect padding."""
        power = self.power(x)
        return power.clamp_min(self.floor).log10()

    def power(self, x: Tensor) -> Tensor:
        """Power spectra, not clamped."""
        half = self.size // 2
        padded = functional.pad(x.unsqueeze(1), (half, half), mode="reflect")[:, 0]
        frames = padded.unfold(1, self.size, self.hop) * self.window
        spectrum: Any = _Spectrum.apply(frames)  # type: ignore[no-untyped-call]  # torch's own
        kept: Tensor = spectrum[..., self.first_bin :]
        return kept.real.square() + kept.imag.square()


def band_means(bins: int, bands: int) -> Tensor:
    """A matrix ``[bins, bands]`` of means over neighbouring bins."""
    edges = torch.arange(bands + 1) * bins // bands
    matrix = torch.zeros(bins, bands)
    for band, (low, high) in enumerate(pairwise(edges)):
        matrix[low:high, band] = 1.0 / float(high - low)
    return matrix


class OctaveObjective(nn.Module):
    r"""Differences d of log10 power at four resolutions, three ways.

    .. math::
        2 \cdot LSD_{2048} + \sum_{w < 2048} (0.5 \cdot LSD_w + 0.3 \cdot |d_w|)
        + 0.5 \sum_w |\overline{d_w}| + 0.5 \log_{10}(1 + |X - Y|^2 / |Y|^2)

    LSD is the root of the mean square over bins, averaged over frames. The overlined d is averaged
    over four frames and a band, which removes most of the randomness of noise. The spectra are of
    the output, because overlapping frames may cancel, which a loss on predicted spectra would miss.
    The last term compares the power of each frame between 8.7 and 11 kHz: the anti-aliasing
    filter leaves a part of the original there, which is better than noise of the same power.

    Shape:
        - Input: ``[B, 1, T]`` generated and ``[B, 1, T]`` target at 44.1 kHz
        - Output: :class:`OctaveLosses`
    """

    def __init__(self) -> None:
        super().__init__()
        self.spectra = nn.ModuleList(LogSpectrum(*r) for r in RESOLUTIONS)
        for i, (window, _) in enumerate(RESOLUTIONS):
            bins = window // 2 + 1 - LOWEST_HZ * window // SAMPLE_RATE_OUT
            bands = max(1, bins // max(3, window // 64))
            self.register_buffer(f"bands{i}", band_means(bins, bands), persistent=False)
        self.edge = LogSpectrum(EDGE_WINDOW, EDGE_HOP)
        self.edge_bins = SEAM_HZ * EDGE_WINDOW // SAMPLE_RATE_OUT + 1 - self.edge.first_bin

    def forward(self, x: Tensor, y: Tensor) -> OctaveLosses:
        """Score ``x`` against the target ``y``."""
        x, y = x.squeeze(1), y.squeeze(1)
        distances, log_powers, envelopes = [], [], []
        for i, spectrum in enumerate(self.spectra):
            with torch.no_grad():
                wanted = spectrum(y)
            d = spectrum(x) - wanted
            distances.append((d.square().mean(dim=2) + 1e-6).sqrt().mean())
            log_powers.append(d.abs().mean())
            means = torch.matmul(d, getattr(self, f"bands{i}"))
            whole = means.shape[1] // ENVELOPE_FRAMES
            grouped = means[:, : whole * ENVELOPE_FRAMES].view(len(d), whole, ENVELOPE_FRAMES, -1)
            envelopes.append(grouped.mean(dim=2).abs().mean())
        lsd = distances[0]
        log_power = torch.stack(log_powers[1:]).sum()
        envelope = torch.stack(envelopes).sum()
        edge = self._edge(x, y)
        total = 2.0 * lsd + 0.5 * torch.stack(distances[1:]).sum() + 0.3 * log_power
        return OctaveLosses(total + 0.5 * (envelope + edge), lsd, log_power, envelope, edge)

    def _edge(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.edge.power(y)[..., : self.edge_bins].sum(dim=2)
        error = self.edge.power(x - y)[..., : self.edge_bins].sum(dim=2)
        return (1.0 + error / (wanted + self.edge_bins * self.edge.floor)).log10().mean()
