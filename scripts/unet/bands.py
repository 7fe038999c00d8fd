"""The objective of the width-16 U-Net: the thesis's losses and levels of gammatone bands.

ViSQOL compares frames of 80 ms in gammatone bands by their local correlation over 3 x 3 cells
(Hines et al., ViSQOL, 2015). The mean log spectrum of noise lies 2.5 dB below its power: a network
whose output has no such dips becomes too quiet if it is trained on mean log spectra. So each cell
here is the logarithm of a mean power.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.losses.stft import Objective
from realtime.sample_rates import SAMPLE_RATE_OUT

# (FFT size, window, hop) in samples: 80 ms every 20 ms as in ViSQOL, and 20 ms every 10 ms.
LONG = (4096, 3528, 882)
SHORT = (1024, 882, 441)

# ViSQOL's 32 bands: centres from 50 Hz to 24 kHz, equally spaced on the ERB scale. Those from
# FIRST_CENTRE_HZ up to half the sample rate are used; the input is complete up to 9 kHz.
BANDS, LOWEST_HZ, HIGHEST_HZ = 32, 50.0, 24_000.0
FIRST_CENTRE_HZ = 8_000.0
EAR_Q, MIN_BANDWIDTH_HZ = 9.26449, 24.7

# Mean power per cell: noise of -100 dBFS, below ViSQOL's own floor.
POWER_FLOOR = 1e-10

# The squared error counts below this frequency only. Above it the output is noise, whose squared
# error is least for silence.
MSE_BELOW_HZ = 11_500

# Speech: frames whose power from 0.2 to 9 kHz is within 35 dB of the segment's loudest.
ACTIVE_HZ = (200.0, 9_000.0)
ACTIVE_RANGE = 10**-3.5

# Cost per dB: an error of -3 dB lowers ViSQOL 1.4 times as much as one of +3 dB.
TOO_QUIET, TOO_LOUD = 1.2, 0.8

# ViSQOL's weights of 3 x 3 cells are products of these.
NEIGHBOUR, CENTRE = 0.1065, 0.787
# In dB^2: differences of 0.3 dB between neighbouring cells are no structure.
VARIANCE_FLOOR = 0.1
SIMILARITY_FLOOR_DB, INTENSITY_FLOOR = -100.0, 0.01

MSE_WEIGHT = 3000.0
LEVEL_WEIGHT, BIAS_WEIGHT, SHAPE_WEIGHT, SIMILARITY_WEIGHT = 1.0, 0.5, 0.5, 3.0
PAUSE_WEIGHT = 0.5


def band_centres_hz() -> Tensor:
    """Centres of the bands used, rising."""
    offset = EAR_Q * MIN_BANDWIDTH_HZ
    low = torch.tensor(LOWEST_HZ + offset, dtype=torch.float64).log()
    high = torch.tensor(HIGHEST_HZ + offset, dtype=torch.float64).log()
    steps = torch.arange(1, BANDS + 1, dtype=torch.float64) / BANDS
    centres = ((high + (low - high) * steps).exp() - offset).flip(0)
    return centres[(centres >= FIRST_CENTRE_HZ) & (centres < SAMPLE_RATE_OUT / 2)]


def gammatone_weights(fft_size: int) -> Tensor:
    """Power responses of fourth-order gammatones, ``[F, bands]``; each column sums to 1."""
    hz = torch.arange(fft_size // 2 + 1, dtype=torch.float64) * SAMPLE_RATE_OUT / fft_size
    centres = band_centres_hz()
    bandwidth = 1.019 * (centres / EAR_Q + MIN_BANDWIDTH_HZ)
    response = (1.0 + ((hz[:, None] - centres) / bandwidth).square()) ** -4
    return (response / response.sum(dim=0)).float()


class BandLevels(nn.Module):
    """Levels of gammatone bands in dB, and the frames with speech.

    Args:
        fft_size, window, hop: of the STFT, in samples; Hann.

    Shape:
        - Input: ``[B, T]`` at 44.1 kHz
        - Output: ``[B, bands, N]``, white noise of variance 1 has 0 dB; and ``[B, 1, N]``, 1.0 for
          frames with speech, 0.0 for the others
    """

    window: Tensor
    weights: Tensor

    def __init__(self, fft_size: int, window: int, hop: int) -> None:
        super().__init__()
        self.fft_size, self.hop = fft_size, hop
        hann = torch.hann_window(window)
        self.register_buffer("window", hann / hann.square().sum().sqrt(), persistent=False)
        self.register_buffer("weights", gammatone_weights(fft_size), persistent=False)
        low, high = (round(hz * fft_size / SAMPLE_RATE_OUT) for hz in ACTIVE_HZ)
        self.active_bins = slice(low, high + 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Levels of whole segments, with reflect padding."""
        spectrum = torch.stft(
            x, self.fft_size, self.hop, len(self.window), self.window, return_complex=True
        )
        power = spectrum.real.square() + spectrum.imag.square()
        levels = 10.0 * torch.log10(torch.matmul(self.weights.T, power) + POWER_FLOOR)
        active = power[:, self.active_bins].mean(dim=1, keepdim=True)
        loudest = active.amax(dim=2, keepdim=True)
        return levels, (active >= (loudest * ACTIVE_RANGE).clamp_min(POWER_FLOOR)).float()


def level_cost(difference_db: Tensor) -> Tensor:
    """Cost of a level error; about 1 for 10 dB, smooth at 0."""
    size = (difference_db.square() + 1.0).sqrt() - 1.0
    return size * torch.where(difference_db < 0, TOO_QUIET, TOO_LOUD) / 10.0


def _local_mean(values: Tensor) -> Tensor:
    """Weighted means over 3 x 3 cells of ``[B, bands, N]``; the edges are repeated."""
    x = functional.pad(values, (1, 1, 1, 1), mode="replicate")
    x = CENTRE * x[:, 1:-1] + NEIGHBOUR * (x[:, :-2] + x[:, 2:])
    return CENTRE * x[:, :, 1:-1] + NEIGHBOUR * (x[:, :, :-2] + x[:, :, 2:])


def similarity(x_db: Tensor, y_db: Tensor) -> Tensor:
    """ViSQOL's similarity of levels ``[B, bands, N]``: intensity times local correlation.

    ViSQOL takes the logarithm of amplitudes, which halves all decibels. Its constants are 1e-4 and
    4.5e-4; those here are larger, so that gradients stay finite where cells are alike.
    """
    x, y = (0.5 * (levels - SIMILARITY_FLOOR_DB) for levels in (x_db, y_db))
    x_mean, y_mean = _local_mean(x), _local_mean(y)
    squares = x_mean.square() + y_mean.square()
    intensity = (2.0 * x_mean * y_mean + INTENSITY_FLOOR) / (squares + INTENSITY_FLOOR)
    # Variances are computed around the mean, because float32 has few digits for squares.
    centre = y.mean()
    x, y, x_mean, y_mean = x - centre, y - centre, x_mean - centre, y_mean - centre
    x_variance = (_local_mean(x.square()) - x_mean.square()).clamp_min(0.0)
    y_variance = (_local_mean(y.square()) - y_mean.square()).clamp_min(0.0)
    covariance = _local_mean(x * y) - x_mean * y_mean
    spread = ((x_variance + VARIANCE_FLOOR) * (y_variance + VARIANCE_FLOOR)).sqrt()
    return intensity * (covariance + VARIANCE_FLOOR) / spread


def low_mse(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error of ``[B, T]`` below :data:`MSE_BELOW_HZ`, a scalar."""
    n = x.shape[1]
    spectrum = torch.fft.rfft(x - y)[:, : MSE_BELOW_HZ * n // SAMPLE_RATE_OUT]
    power = spectrum.real.square() + spectrum.imag.square()
    # Parseval: all bins but the first occur twice.
    mean: Tensor = (2.0 * power.sum(dim=1) - power[:, 0]).mean() / n**2
    return mean


class BandLosses(NamedTuple):
    """The parts of the objective, each a scalar tensor; ``total`` is minimised."""

    total: Tensor
    spectral_convergence: Tensor
    log_magnitude: Tensor
    low_mse: Tensor
    level: Tensor
    bias: Tensor
    shape: Tensor
    dissimilarity: Tensor


class BandObjective(nn.Module):
    """The thesis's STFT losses, ``low_mse``, and costs of the level errors d in dB.

    - ``level``: the cost of d per cell of 20 ms and of 80 ms.
    - ``bias``: the cost of the mean of d over a segment, per band.
    - ``shape``: the cost of d minus its mean over the bands of the frame.
    - ``dissimilarity``: 1 minus :func:`similarity`, for cells of 80 ms.

    Each is a mean over frames with speech plus :data:`PAUSE_WEIGHT` times one over the others.

    Shape:
        - Input: ``[B, 1, T]`` generated and ``[B, 1, T]`` target at 44.1 kHz
        - Output: :class:`BandLosses`
    """

    def __init__(self) -> None:
        super().__init__()
        self.stft = Objective(mse_weight=0.0)
        self.long, self.short = BandLevels(*LONG), BandLevels(*SHORT)

    def forward(self, x: Tensor, y: Tensor) -> BandLosses:
        """Score ``x`` against the target ``y``."""
        stft = self.stft(x, y)
        x, y = x.squeeze(1), y.squeeze(1)
        level = shape = torch.zeros((), device=x.device)
        for bands in (self.short, self.long):
            with torch.no_grad():
                wanted, speech = bands(y)
            got, _ = bands(x)
            d = got - wanted
            level = level + _mean(level_cost(d), speech)
            shape = shape + _mean(level_cost(d - d.mean(dim=1, keepdim=True)), speech)
        bias, unlike = _bias(d, speech), _mean(1.0 - similarity(got, wanted), speech)
        low = low_mse(x, y)
        total = stft.total + MSE_WEIGHT * low + LEVEL_WEIGHT * level + BIAS_WEIGHT * bias
        total = total + SHAPE_WEIGHT * shape + SIMILARITY_WEIGHT * unlike
        parts = (stft.spectral_convergence, stft.log_magnitude, low, level, bias, shape, unlike)
        return BandLosses(total, *parts)


def _mean(cost: Tensor, speech: Tensor) -> Tensor:
    """The weighted sum of means over frames with speech and over the others."""
    total = torch.zeros((), device=cost.device)
    for mask, weight in ((speech, 1.0), (1.0 - speech, PAUSE_WEIGHT)):
        count = (mask.sum() * cost.shape[1]).clamp_min(1.0)
        total = total + weight * (cost * mask).sum() / count
    return total


def _bias(difference: Tensor, speech: Tensor) -> Tensor:
    """Cost of the mean error of each band in each segment, weighted like :func:`_mean`."""
    total = torch.zeros((), device=difference.device)
    for mask, weight in ((speech, 1.0), (1.0 - speech, PAUSE_WEIGHT)):
        mean = (difference * mask).sum(dim=2) / mask.sum(dim=2).clamp_min(1.0)
        total = total + weight * level_cost(mean).mean()
    return total
