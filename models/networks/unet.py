"""The U-Net of the thesis (docs/thesis.md)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.tone_guard import ToneGuard

# Each down block halves the rate.
DOWN_BLOCKS = 7
BLOCK_MULTIPLE = 2**DOWN_BLOCKS

# Receptive field of an output sample without aligned corners, derived from the convolutions and
# interpolations; a test compares it with measured gradients.
LOOK_BACK_SAMPLES = 764
LOOK_AHEAD_SAMPLES = 637


def doubled(x: Tensor, align_corners: bool) -> Tensor:
    """Linear interpolation by two, ``[B, C, T]`` to ``[B, C, 2 * T]``.

    It equals :func:`torch.nn.functional.interpolate`. A script of that function contains all its
    modes, and an older torch does not load a file with a mode it lacks.
    """
    out: Tensor = torch.ops.aten.upsample_linear1d(x, None, align_corners, [2.0])
    return out


class DoubleConvolution(nn.Sequential):
    """Two convolutions of three taps, each with batch norm, and one ReLU between them.

    As in the thesis, no ReLU follows the second batch norm.

    Args:
        in_channels: channels of the input.
        out_channels: channels of both convolutions.
        stride: of the second convolution; 2 halves the rate.

    Shape:
        - Input: ``[B, in_channels, T]``
        - Output: ``[B, out_channels, ceil(T / stride)]``
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv1d(in_channels, out_channels, kernel_size=3, padding=1),
            nn.BatchNorm1d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv1d(out_channels, out_channels, kernel_size=3, padding=1, stride=stride),
            nn.BatchNorm1d(out_channels),
        )


class UpBlock(nn.Module):
    """Linear upsampling by two, concatenation with the skip, and a double convolution.

    Args:
        in_channels: channels of the skip plus those of the upsampled input.
        out_channels: channels of the output.
        align_corners: of the linear interpolation; see :class:`UNet`.

    Shape:
        - Input: ``[B, C1, T]`` and the skip ``[B, C2, 2 * T]`` with ``C1 + C2 == in_channels``
        - Output: ``[B, out_channels, 2 * T]``
    """

    def __init__(self, in_channels: int, out_channels: int, *, align_corners: bool) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.conv = DoubleConvolution(in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Upsample ``x`` to the length of ``skip``, join and convolve them."""
        out: Tensor = self.conv(torch.cat([skip, doubled(x, self.align_corners)], dim=1))
        return out


class UNet(nn.Module):
    """Adds the missing octave to audio that kaiser-fast upsampled.

    An input block at ``width`` channels, seven stride-2 blocks down (2, 4, 8, 16, 32, 64 and 64
    times the width), seven linear x2 upsamplings with concatenated skips (32, 16, 8, 4, 2, 1 and
    1 times the width), and a 1x1 convolution whose result is added to the input.

    Args:
        width: channels of the input block; the thesis has 16 (17 850 593 parameters).
        align_corners: of the seven linear interpolations. With True, as in the thesis, every output
            sample depends on the length of the window. With False, as in the shipped models, the
            network is shift-equivariant by multiples of 128 samples and looks 764 samples back and
            637 ahead.

    Attributes:
        guard: fades out what is added to isolated tones; None during training.

    Shape:
        - Input: ``[B, 1, T]`` at 44.1 kHz; zero-padded inside to a multiple of 128
        - Output: ``[B, 1, T]``

    Raises:
        ValueError: if width is not positive.

    Source:
        The thesis (docs/thesis.md), section 2.4 and Appendix A.
    """

    def __init__(self, *, width: int = 16, align_corners: bool = False) -> None:
        if width < 1:
            raise ValueError(f"width must be positive, got {width}")
        super().__init__()
        self.width = width
        self.align_corners = align_corners
        w = width
        downs = [w, 2 * w, 4 * w, 8 * w, 16 * w, 32 * w, 64 * w, 64 * w]
        ups = [32 * w, 16 * w, 8 * w, 4 * w, 2 * w, w, w]
        self.inp = DoubleConvolution(1, w)
        self.down = nn.ModuleList(DoubleConvolution(a, b, stride=2) for a, b in pairwise(downs))
        below = [downs[-1], *ups[:-1]]
        self.up = nn.ModuleList(
            UpBlock(a + skip, b, align_corners=align_corners)
            for a, skip, b in zip(below, downs[-2::-1], ups, strict=True)
        )
        self.final = nn.Conv1d(w, 1, kernel_size=1)
        self.guard: ToneGuard | None = None

    def start_as_identity(self) -> None:
        """Set the last convolution to 0, so that the output is the input."""
        for parameter in self.final.parameters():
            nn.init.zeros_(parameter)

    def forward(self, signal: Tensor) -> Tensor:
        """Restore a whole signal or window."""
        length = signal.shape[-1]
        # 128 is BLOCK_MULTIPLE; TorchScript sees no module-level names.
        padded = functional.pad(signal, [0, -length % 128])
        x = self.inp(padded)
        skips = [x]
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for up in self.up:
            x = up(x, skips.pop())
        residual: Tensor = self.final(x)[:, :, :length]
        if self.guard is not None:
            residual = residual * self.guard(signal[:, 0])
        return signal + residual
