"""The training objective of the thesis: multi-resolution STFT loss and mean squared error."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.training.distributed import World

# (FFT size, window, hop) in samples: Table 1 in docs/thesis.md.
RESOLUTIONS = ((512, 240, 50), (1024, 600, 120), (2048, 1200, 240))

# Powers are clamped here, so that the logarithm and the root have finite gradients.
POWER_FLOOR = 1e-7


class Losses(NamedTuple):
    """The parts of the objective, each a scalar tensor; ``total`` is minimised."""

    total: Tensor
    spectral_convergence: Tensor
    log_magnitude: Tensor
    mse: Tensor


class StftLoss(nn.Module):
    r"""Spectral convergence and log magnitude distance at one STFT resolution.

    .. math::
        L_{sc} = \frac{\lVert |Y| - |X| \rVert_F}{\lVert |Y| \rVert_F}, \qquad
        L_{mag} = \frac{1}{N} \lVert \ln |Y| - \ln |X| \rVert_1

    Args:
        fft_size: FFT length in samples.
        window: length of the Hann window in samples, centred in the FFT.
        hop: in samples.
        world: the processes that share a batch; norms are over the joint batch.

    Shape:
        - Input: ``[B, T]`` generated and ``[B, T]`` target
        - Output: two scalars

    Source:
        The thesis (docs/thesis.md); Yamamoto, Song and Kim, Parallel WaveGAN (2020).
    """

    window: Tensor

    def __init__(self, fft_size: int, window: int, hop: int, *, world: World | None = None) -> None:
        super().__init__()
        self.world = world or World()
        self.fft_size = fft_size
        self.hop = hop
        self.window_length = window
        self.register_buffer("window", torch.hann_window(window), persistent=False)

    def _magnitude(self, x: Tensor) -> Tensor:
        spectrum = torch.stft(
            x, self.fft_size, self.hop, self.window_length, self.window, return_complex=True
        )
        power = spectrum.real.square() + spectrum.imag.square()
        return power.clamp_min(POWER_FLOOR).sqrt()

    def _norm(self, magnitude: Tensor) -> Tensor:
        if self.world.size == 1:
            alone: Tensor = torch.linalg.vector_norm(magnitude)
            return alone
        return self.world.sum(magnitude.square().sum()).clamp_min(POWER_FLOOR).sqrt()

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return (spectral convergence, log magnitude) of ``x`` against the target ``y``."""
        x_magnitude = self._magnitude(x)
        y_magnitude = self._magnitude(y)
        convergence = self._norm(y_magnitude - x_magnitude) / self._norm(y_magnitude)
        log_magnitude = (y_magnitude.log() - x_magnitude.log()).abs().mean()
        log_magnitude = self.world.sum(log_magnitude) / self.world.size
        return convergence, log_magnitude


class Objective(nn.Module):
    """Mean of the three STFT losses plus ``mse_weight`` times the mean squared error.

    Args:
        mse_weight: 100 in the thesis: signals in [-1, 1] have small squared errors.
        world: the processes that share a batch.

    Shape:
        - Input: ``[B, 1, T]`` generated and ``[B, 1, T]`` target
        - Output: :class:`Losses`

    Source:
        The thesis (docs/thesis.md), section 2.5 and Table 1.
    """

    def __init__(self, *, mse_weight: float = 100.0, world: World | None = None) -> None:
        super().__init__()
        self.mse_weight = mse_weight
        self.world = world or World()
        self.stft_losses = nn.ModuleList(StftLoss(*r, world=self.world) for r in RESOLUTIONS)

    def forward(self, x: Tensor, y: Tensor) -> Losses:
        """Score ``x`` against the target ``y``."""
        x, y = x.squeeze(1), y.squeeze(1)
        parts = [loss(x, y) for loss in self.stft_losses]
        convergence = torch.stack([c for c, _ in parts]).mean()
        log_magnitude = torch.stack([m for _, m in parts]).mean()
        mse = self.world.sum((x - y).square().mean()) / self.world.size
        total = convergence + log_magnitude + self.mse_weight * mse
        return Losses(total, convergence, log_magnitude, mse)
