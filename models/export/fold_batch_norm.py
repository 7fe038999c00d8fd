"""Folds batch norms into the U-Net's convolutions, and lays weights out as matrices."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.unet import DoubleConvolution, UNet

# Larger matrices (2 MB) do not fit a core's own cache; they are split into panels.
PANELLED_WEIGHTS = 2**19
PANEL_COLUMNS = 256

# Floats in a 512-bit register. Layers with fewer channels compute several neighbouring frames per
# row to fill it (2 to 3 times faster at width 4, although some of the products are with zeros).
ROW_COLUMNS = 16


def fold_batch_norm(network: UNet) -> UNet:
    """A copy with all batch norms folded and replaced by identities, for inference only."""
    out = copy.deepcopy(network).eval()
    for block in double_convolutions(out):
        for i in (0, 3):
            convolution: Any = block[i]
            norm: Any = block[i + 1]
            weight, bias = fold(convolution, norm)
            convolution.weight = nn.Parameter(constant(weight))
            convolution.bias = nn.Parameter(constant(bias))
            block[i + 1] = nn.Identity()
    return out.requires_grad_(False)


def double_convolutions(network: UNet) -> list[DoubleConvolution]:
    """All double convolutions of a U-Net."""
    return [m for m in network.modules() if isinstance(m, DoubleConvolution)]


def fold(convolution: nn.Conv1d, norm: nn.BatchNorm1d | nn.Identity) -> tuple[Tensor, Tensor]:
    """Weight ``[Cout, Cin, 3]`` and bias ``[Cout]``, float64, of a convolution and its norm.

    The norm is an identity if it is folded already.
    """
    weight, bias = convolution.weight.double(), convolution.get_parameter("bias").double()
    if isinstance(norm, nn.Identity):
        return weight, bias
    mean, variance = (norm.get_buffer(f"running_{name}").double() for name in ("mean", "var"))
    scale = norm.weight.double() / (variance + norm.eps).sqrt()
    return weight * scale[:, None, None], (bias - mean) * scale + norm.bias.double()


def fold_pointwise(weight: Tensor, bias: Tensor, final: nn.Conv1d) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution followed by the 1x1 convolution ``final``."""
    mix = final.weight.double()[:, :, 0]
    final_bias = final.get_parameter("bias").double()
    return torch.einsum("oc,cik->oik", mix, weight), mix @ bias + final_bias


def constant(value: Tensor) -> Tensor:
    """A contiguous float32 copy without gradient."""
    return value.detach().to(torch.float32, copy=True).contiguous()


def group_size(out_channels: int) -> int:
    """Frames per row: the largest power of two whose row fits a register, at least 1."""
    return 1 << max(0, (ROW_COLUMNS // out_channels).bit_length() - 1)


def panel_count(in_channels: int, out_channels: int) -> int:
    """Number of column panels of a matrix.

    Large matrices are read from memory in every block. The rows of one with 1024 columns lie a
    memory page apart, and a product that reads a few columns at a time misses the TLB at every row
    (measured at width 16: panels are up to a third faster there, slower elsewhere).
    """
    large = 3 * in_channels * out_channels > PANELLED_WEIGHTS
    return out_channels // PANEL_COLUMNS if large and out_channels % PANEL_COLUMNS == 0 else 1


def grouped_weight(weight: Tensor, *, group: int, stride: int = 1) -> Tensor:
    """A convolution as a matrix from a window of input frames to ``group`` output frames.

    Shape:
        - Input: ``[Cout, Cin, 3]``
        - Output: ``[((group - 1) * stride + 3) * Cin, group * Cout]``
    """
    out_channels, in_channels, taps = weight.shape
    matrix = weight.new_zeros((group - 1) * stride + taps, in_channels, group, out_channels)
    for g in range(group):
        matrix[g * stride : g * stride + taps, :, g] = weight.permute(2, 1, 0)
    return matrix.flatten(2).flatten(0, 1)


def interpolating_weight(weight: Tensor, *, group: int) -> Tensor:
    """Linear interpolation by two followed by a convolution, as one matrix.

    With ``align_corners=False`` the interpolated frames 2i - 1 and 2i are 3:1 and 1:3 mixtures of
    frames i - 1 and i.

    Shape:
        - Input: ``[Cout, Cin, 3]``
        - Output: ``[(group / 2 + 2) * Cin, group * Cout]``, for ``group`` output frames; their
          number and the first one are even
    """
    frames = group + 2  # interpolated frames that a group reads; the first is odd
    mix = weight.new_zeros(frames, group // 2 + 2)
    for frame in range(frames):
        first = frame // 2
        mix[frame, first : first + 2] = weight.new_tensor(
            [0.75, 0.25] if frame % 2 == 0 else [0.25, 0.75]
        )
    dense = grouped_weight(weight, group=group).view(frames, weight.shape[1], -1)
    return torch.einsum("fi,fco->ico", mix, dense).flatten(0, 1)
