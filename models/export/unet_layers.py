"""The U-Net's layers for whole signals, and for short blocks of a stream as rows.

A library's convolution of a short block has more overhead than arithmetic. Here a block is a matrix
with a row per frame and batch member: time, then batch, with contiguous channels. A window of three
frames is then contiguous memory, a block's past is the rows before it, and a convolution is one
product with ``[3 * Cin, Cout]``.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.export.fold_batch_norm import (
    constant,
    fold,
    fold_pointwise,
    group_size,
    grouped_weight,
    interpolating_weight,
    panel_count,
)
from models.networks.unet import DoubleConvolution, UpBlock, doubled

# Up to about this many weights per tap, one matrix for interpolation and convolution is faster than
# two operators (measured on AVX-512).
MERGED_WEIGHTS = 8192


def windows(rows: Tensor, first: int, count: int, frames: int, step: int, batch: int) -> Tensor:
    """``count`` windows of ``frames`` frames, every ``step`` frames from frame ``first`` on.

    Shape:
        - Input: ``[T * batch, C]``, contiguous
        - Output: ``[count * batch, frames * C]``; a view if the batch is 1
    """
    channels = rows.size(1)
    frame = batch * channels
    start = rows.storage_offset() + first * frame
    if batch == 1:
        return rows.as_strided([count, frames * channels], [step * channels, 1], start)
    strides = [step * frame, channels, frame, 1]
    view = rows.as_strided([count, batch, frames, channels], strides, start)
    return view.reshape(count * batch, frames * channels)


def ungroup(rows: Tensor, group: int, batch: int) -> Tensor:
    """Split rows of ``group`` frames: ``[n * B, group * C]`` to ``[n * group * B, C]``."""
    channels = rows.size(1) // group
    if batch == 1:
        return rows.view(-1, channels)
    split = rows.view(-1, batch, group, channels)
    return split.transpose(1, 2).reshape(-1, channels)


class Convolution(nn.Module):
    """A three-tap convolution for whole signals and for rows, without gradients.

    Args:
        weight: ``[Cout, Cin, 3]``.
        bias: ``[Cout]``.
        stride: 1 or 2.

    Shape:
        - Input: ``[B, Cin, T]``
        - Output: ``[B, Cout, ceil(T / stride)]``
    """

    taps: Tensor
    bias: Tensor
    row_weight: Tensor
    row_bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, *, stride: int = 1) -> None:
        super().__init__()
        out_channels, in_channels, _ = weight.shape
        self.stride = stride
        self.group = group_size(out_channels)
        self.panels = panel_count(in_channels, out_channels)
        # Panels, taps, inputs, outputs: if a row is one frame, the matrix for rows shares this
        # memory, in a file too.
        panels = weight.permute(2, 1, 0).reshape(3, in_channels, self.panels, -1)
        self.register_buffer("taps", constant(panels.permute(2, 0, 1, 3)))
        self.register_buffer("bias", constant(bias))
        if self.group == 1:
            row_weight, row_bias = self.taps.flatten(1, 2), self.bias.view(self.panels, 1, -1)
        else:
            row_weight = constant(grouped_weight(weight, group=self.group, stride=stride))[None]
            row_bias = constant(bias.repeat(self.group)).view(1, 1, -1)
        self.register_buffer("row_weight", row_weight)
        self.register_buffer("row_bias", row_bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a whole signal, zero-padded."""
        weight = self.taps.permute(0, 3, 2, 1).flatten(0, 1).contiguous()
        return torch.conv1d(x, weight, self.bias, self.stride, 1)

    def rows(self, x: Tensor, first: int, count: int, batch: int) -> Tensor:
        """Convolve rows ``[T * B, Cin]`` from frame ``first`` on to ``count`` frames.

        ``count`` is a multiple of ``group``.
        """
        frames = (self.group - 1) * self.stride + 3
        columns = windows(x, first, count // self.group, frames, self.group * self.stride, batch)
        if self.panels == 1:
            out = functional.linear(columns, self.row_weight[0].t(), self.row_bias[0, 0])
            return ungroup(out, self.group, batch)
        many = columns.unsqueeze(0).expand(self.panels, -1, -1)
        out = torch.baddbmm(self.row_bias, many, self.row_weight)
        return out.transpose(0, 1).flatten(1)


class Pair(nn.Module):
    """A :class:`models.networks.unet.DoubleConvolution`, for whole signals and for rows.

    Args:
        pair: the convolutions and their norms.
        final: a following 1x1 convolution, folded into the second one.

    Shape:
        - Input: ``[B, Cin, T]``
        - Output: ``[B, Cout, ceil(T / stride)]``
    """

    def __init__(self, pair: DoubleConvolution, *, final: nn.Conv1d | None = None) -> None:
        super().__init__()
        children: Any = pair  # nn.Sequential does not know the types of its children
        first, first_norm, _, second, second_norm = children
        weight, bias = fold(second, second_norm)
        if final is not None:
            weight, bias = fold_pointwise(weight, bias, final)
        self.stride = int(second.stride[0])
        self.first = Convolution(*fold(first, first_norm))
        self.second = Convolution(weight, bias, stride=self.stride)
        # The past of the first convolution's output is computed again rather than kept: a few more
        # rows in a product cost less than one more operator per block.
        self.overlap = 3 - self.stride
        self.extra = max(self.first.group, self.overlap)
        self.history = self.extra + 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a whole signal twice, zero-padded each time."""
        out: Tensor = self.second(torch.relu(self.first(x)))
        return out

    def rows(self, x: Tensor, first: int, count: int, batch: int) -> Tensor:
        """``count`` frames from ``history`` old frames at ``first`` and ``count * stride`` new."""
        h = self.first.rows(x, first, count * self.stride + self.extra, batch)
        return self.finish(h, count, batch)

    def finish(self, h: Tensor, count: int, batch: int) -> Tensor:
        """The part of :meth:`rows` after the first convolution; changes ``h``."""
        return self.second.rows(torch.relu_(h), self.extra - self.overlap, count, batch)


class Up(nn.Module):
    """A :class:`models.networks.unet.UpBlock`, for whole signals and for rows.

    Args:
        block: with ``align_corners=False``.
        skip_channels: of the skip.
        final: a following 1x1 convolution, folded in.

    Shape:
        - Input: ``[B, C1, T]`` and the skip ``[B, C2, 2 * T]``
        - Output: ``[B, Cout, 2 * T]``
    """

    matrix: Tensor
    matrix_bias: Tensor

    def __init__(
        self, block: UpBlock, *, skip_channels: int, final: nn.Conv1d | None = None
    ) -> None:
        super().__init__()
        self.pair = Pair(block.conv, final=final)
        self.group = self.pair.extra
        children: Any = block.conv
        weight, bias = fold(children[0], children[1])
        of_skip, of_below = weight[:, :skip_channels], weight[:, skip_channels:]
        self.merged = of_below.shape[0] * of_below.shape[1] <= MERGED_WEIGHTS
        matrix = torch.cat(
            [
                grouped_weight(of_skip, group=self.group),
                interpolating_weight(of_below, group=self.group),
            ]
        )
        self.below_channels = of_below.shape[1]
        self.below_history = self.group // 2 + 2
        self.register_buffer("matrix", constant(matrix[: None if self.merged else 0]).t())
        self.register_buffer("matrix_bias", constant(bias.repeat(self.group)))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Upsample ``x`` to the length of ``skip``, join and convolve them."""
        out: Tensor = self.pair(torch.cat([skip, doubled(x, False)], dim=1))
        return out

    def rows(self, skip: Tensor, first: int, below: Tensor, count: int, batch: int) -> Tensor:
        """``count`` frames.

        Args:
            skip: at least ``first + count + pair.history`` frames.
            first: first frame to read, at an odd position in time.
            below: ``count / 2 + below_history`` frames; that position is between the first two.
            count: a multiple of ``group``.
            batch: rows per frame.
        """
        group = self.group
        if self.merged:
            groups = count // group + 1
            columns = torch.cat(
                [
                    windows(skip, first, groups, group + 2, group, batch),
                    windows(below, 0, groups, group // 2 + 2, group // 2, batch),
                ],
                dim=1,
            )
            h = ungroup(functional.linear(columns, self.matrix, self.matrix_bias), group, batch)
        else:
            older, newer = below[:-batch], below[batch:]
            mixed = torch.cat([torch.lerp(older, newer, 0.25), torch.lerp(older, newer, 0.75)], 1)
            mixed = ungroup(mixed, 2, batch)
            start = first * batch
            joined = torch.cat([skip[start : start + mixed.size(0)], mixed], dim=1)
            h = self.pair.first.rows(joined, 0, count + group, batch)
        return self.pair.finish(h, count, batch)
