"""The U-Net's blocks on rows, against the same blocks on whole signals."""

import pytest
import torch
from torch import Tensor

import models.export.fold_batch_norm
import models.export.unet_layers
from models.export.unet_layers import Convolution, Pair, Up, ungroup, windows
from models.networks.unet import DoubleConvolution, UpBlock
from tests.helpers.models.unets import noise, trained_like

# Float32 sums in another order.
SAME = 1e-5


def to_rows(x: Tensor) -> Tensor:
    """``[B, C, T]`` to ``[T * B, C]``."""
    return x.permute(2, 0, 1).reshape(-1, x.shape[1]).contiguous()


def to_signal(rows: Tensor, batch: int) -> Tensor:
    return rows.view(-1, batch, rows.shape[1]).permute(1, 2, 0)


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("step", [1, 2])
def test_windows_hold_neighbouring_frames_of_one_signal(batch: int, step: int) -> None:
    x = noise(batch, 3, 20)
    found = windows(to_rows(x), 2, 4, 5, step, batch)
    for j in range(4):
        for b in range(batch):
            expected = x[b, :, 2 + j * step : 7 + j * step].t().flatten()
            assert torch.equal(found[j * batch + b], expected)


def test_windows_of_a_slice_start_in_the_slice() -> None:
    rows = to_rows(noise(1, 3, 20))
    assert torch.equal(windows(rows[7:], 1, 4, 3, 1, 1), windows(rows, 8, 4, 3, 1, 1))


@pytest.mark.parametrize("batch", [1, 2])
def test_ungrouped_rows_are_in_the_order_of_time(batch: int) -> None:
    x = noise(batch, 3, 8)
    grouped = x.unflatten(2, (4, 2)).permute(2, 0, 3, 1).reshape(4 * batch, 6)
    assert torch.equal(ungroup(grouped, 2, batch), to_rows(x))


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
