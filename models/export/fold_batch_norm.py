"""Weights of the U-Net, batch norm folded in, laid out as matrices for short blocks."""

import copy

import torch
from torch import Tensor, nn

from models.networks.unet import DoubleConvolution, UNet

# Matrices of more than 2 MB do not stay in a core's own cache; they are cut into panels.
PANELLED_WEIGHTS = 2**19
PANEL_COLUMNS = 256

# Floats in a 512-bit register. A product with fewer columns wastes the rest of it, so layers with
# fewer channels compute several neighbouring frames per row (measured at width 4: 2 to 3 times
# faster, although some of the products are with zeros).
ROW_COLUMNS = 16


def fold_batch_norm(network: UNet) -> UNet:
    """A copy with every batch norm folded into its convolution; for inference only.

    Identities take the norms' places.
    """
    out = copy.deepcopy(network).eval()
    for block in double_convolutions(out):
        for i in (0, 3):
            convolution, norm = block[i], block[i + 1]
            assert isinstance(convolution, nn.Conv1d)
            assert isinstance(norm, nn.BatchNorm1d | nn.Identity)
            weight, bias = fold(convolution, norm)
            convolution.weight = nn.Parameter(constant(weight))
            convolution.bias = nn.Parameter(constant(bias))
            block[i + 1] = nn.Identity()
    return out.requires_grad_(False)


def double_convolutions(network: UNet) -> list[DoubleConvolution]:
    """All pairs of convolutions of a U-Net."""
    return [m for m in network.modules() if isinstance(m, DoubleConvolution)]


def fold(convolution: nn.Conv1d, norm: nn.BatchNorm1d | nn.Identity) -> tuple[Tensor, Tensor]:
    """Weight ``[Cout, Cin, 3]`` and bias ``[Cout]``, float64, of a convolution and its norm.

    Args:
        convolution: with a bias.
        norm: with running statistics; the identity where it is folded already.

    Raises:
        ValueError: if the convolution has no bias or the norm no statistics.
    """
    if convolution.bias is None:
        raise ValueError("folding needs a bias")
    if isinstance(norm, nn.Identity):
        return convolution.weight.double(), convolution.bias.double()
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("folding needs running statistics")
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = convolution.weight.double() * scale[:, None, None]
    bias = (convolution.bias.double() - norm.running_mean.double()) * scale + norm.bias.double()
    return weight, bias


def fold_pointwise(weight: Tensor, bias: Tensor, final: nn.Conv1d) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the 1x1 convolution ``final`` behind it.

    Raises:
        ValueError: if ``final`` has no bias.
    """
    if final.bias is None:
        raise ValueError("folding needs a bias")
    mix = final.weight.double()[:, :, 0]
    return torch.einsum("oc,cik->oik", mix, weight), mix @ bias + final.bias.double()


def constant(value: Tensor) -> Tensor:
    """A copy to keep: contiguous, float32, without gradient."""
    return value.detach().to(torch.float32, copy=True).contiguous()


def group_size(out_channels: int) -> int:
    """Frames per row: the largest power of two that keeps a row within a register, or 1."""
    group = 1
    while 2 * group * out_channels <= ROW_COLUMNS:
        group *= 2
    return group


def panel_count(in_channels: int, out_channels: int) -> int:
    """Into how many column panels a matrix is cut so that reading it goes straight through memory.

    Large matrices are read from memory in every block; in one of 1024 columns the rows lie a
    memory page apart, and a product that walks down a few columns at a time misses the page table
    at every step (measured at width 16: panels are up to a third faster there, slower elsewhere).
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
    """Linear interpolation by two and a convolution behind it, as one matrix.

    With ``align_corners=False`` frames 2i - 1 and 2i of the interpolated signal are 3:1 and 1:3
    mixtures of frames i - 1 and i.

    Shape:
        - Input: ``[Cout, Cin, 3]``
        - Output: ``[(group / 2 + 2) * Cin, group * Cout]``, for ``group`` output frames from an
          even one on

    Raises:
        ValueError: if ``group`` is odd.
    """
    if group % 2:
        raise ValueError(f"group must be even, got {group}")
    frames = group + 2  # interpolated frames that a group looks at; the first one is odd
    mix = weight.new_zeros(frames, group // 2 + 2)
    for frame in range(frames):
        first = frame // 2
        mix[frame, first : first + 2] = weight.new_tensor(
            [0.75, 0.25] if frame % 2 == 0 else [0.25, 0.75]
        )
    dense = grouped_weight(weight, group=group).view(frames, weight.shape[1], -1)
    return torch.einsum("fi,fco->ico", mix, dense).flatten(0, 1)
