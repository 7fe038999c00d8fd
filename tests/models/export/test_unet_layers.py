"""The U-Net's blocks on rows, against the same blocks on whole signals."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import models.export.fold_batch_norm
import models.export.unet_layers
from models.export.fold_batch_norm import fold, fold_pointwise, group_size, panel_count
from models.export.unet_layers import Convolution, Pair, Up
from models.networks.unet import DoubleConvolution, UpBlock
from tests.helpers.models.unets import noise, trained_like

# Float32 sums in another order.
SAME = 1e-5
# Both sides in float64: what remains is rounding of sums of a few dozen products.
EXACT = 1e-12


def to_rows(x: Tensor) -> Tensor:
    """``[B, C, T]`` to ``[T * B, C]``."""
    return x.permute(2, 0, 1).reshape(-1, x.shape[1]).contiguous()


def to_signal(rows: Tensor, batch: int) -> Tensor:
    return rows.view(-1, batch, rows.shape[1]).permute(1, 2, 0)


def test_folded_convolutions_are_exact() -> None:
    first, norm, *_ = trained_like(nn.Sequential(DoubleConvolution(3, 5))).double()[0]
    final = nn.Conv1d(5, 2, 1).double()
    x = noise(2, 3, 40).double()
    weight, bias = fold(first, norm)
    assert weight.dtype == torch.float64
    found = functional.conv1d(x, weight, bias, padding=1)
    torch.testing.assert_close(found, norm(first(x)), rtol=0, atol=EXACT)
    found = functional.conv1d(x, *fold_pointwise(weight, bias, final), padding=1)
    torch.testing.assert_close(found, final(norm(first(x))), rtol=0, atol=EXACT)


def test_rows_fill_a_register_and_only_large_matrices_are_cut_into_panels() -> None:
    groups = {1: 16, 2: 8, 3: 4, 4: 4, 5: 2, 8: 2, 9: 1, 512: 1}
    assert {channels: group_size(channels) for channels in groups} == groups
    assert panel_count(1024, 1024) == 4
    assert panel_count(2048, 512) == 2
    assert panel_count(512, 128) == 1  # narrow
    assert panel_count(64, 256) == 1  # small
    assert panel_count(1000, 1000) == 1  # not of whole panels


@pytest.mark.parametrize("panelled", [False, True])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [(1, 1), (3, 5), (6, 32)])
def test_rows_are_convolved_like_signals(
    channels: tuple[int, int],
    stride: int,
    batch: int,
    panelled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if panelled:
        monkeypatch.setattr(models.export.fold_batch_norm, "PANELLED_WEIGHTS", 6 * 32)
        monkeypatch.setattr(models.export.fold_batch_norm, "PANEL_COLUMNS", 8)
    inputs, outputs = channels
    layer = Convolution(noise(outputs, inputs, 3), noise(outputs), stride=stride)
    assert (layer.panels == 4) == (panelled and outputs == 32)
    x = noise(batch, inputs, 66)
    expected = layer(x)[:, :, 1:33]  # the first one sees the padding
    rows = layer.rows(to_rows(x), stride - 1, 32 // stride, batch)
    torch.testing.assert_close(
        to_signal(rows, batch), expected[:, :, : 32 // stride], rtol=0, atol=SAME
    )


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [(1, 2), (5, 24)])
def test_a_pair_of_rows_is_a_pair_of_signals(
    channels: tuple[int, int], stride: int, batch: int
) -> None:
    network = trained_like(DoubleConvolution(*channels, stride=stride))
    pair = Pair(network)
    x = noise(batch, channels[0], 128)
    expected = network(x)
    torch.testing.assert_close(pair(x), expected, rtol=0, atol=SAME)
    # New frames are 63 to 94; two convolutions reach two frames less far.
    rows = pair.rows(to_rows(x[:, :, :95]), 63 - pair.history, 32 // stride, batch)
    end = 92 // stride + 1
    torch.testing.assert_close(
        to_signal(rows, batch), expected[:, :, end - 32 // stride : end], rtol=0, atol=SAME
    )


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("channels", [(2, 3, 2), (6, 10, 20)])
def test_up_blocks_of_rows_are_those_of_signals(
    channels: tuple[int, int, int], batch: int, merged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.export.unet_layers, "MERGED_WEIGHTS", 10**9 if merged else 0)
    skip_channels, below_channels, outputs = channels
    block = trained_like(UpBlock(skip_channels + below_channels, outputs, align_corners=False))
    up = Up(block, skip_channels=skip_channels)
    assert up.merged == merged
    below, skip = noise(batch, below_channels, 64), noise(batch, skip_channels, 128, seed=2)
    expected = block(below, skip)
    torch.testing.assert_close(up(below, skip), expected, rtol=0, atol=SAME)
    # New frames of the level below: 32 to 47. Interpolation reaches frame 94, two convolutions 92.
    rows = up.rows(
        to_rows(skip[:, :, :95]),
        95 - 32 - up.pair.history,
        to_rows(below[:, :, 32 - up.below_history : 48]),
        32,
        batch,
    )
    torch.testing.assert_close(
        to_signal(rows, batch), expected[:, :, 93 - 32 : 93], rtol=0, atol=SAME
    )
