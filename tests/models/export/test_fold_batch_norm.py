"""Folded weights and the matrices made of them, against torch's own layers."""

import pytest
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
from models.networks.unet import DoubleConvolution
from tests.helpers.models.unets import noise, trained_like

# Both sides in float64: what remains is rounding of sums of a few dozen products.
EXACT = 1e-12


def double_weight(out_channels: int, in_channels: int) -> Tensor:
    return noise(out_channels, in_channels, 3).double()


def test_a_folded_convolution_is_the_convolution_and_its_norm() -> None:
    first, norm, *_ = trained_like(nn.Sequential(DoubleConvolution(3, 5))).double()[0]
    x = noise(2, 3, 40).double()
    weight, bias = fold(first, norm)
    expected = norm(first(x))
    torch.testing.assert_close(
        functional.conv1d(x, weight, bias, padding=1), expected, rtol=0, atol=EXACT
    )
    assert weight.dtype == torch.float64


def test_a_pointwise_convolution_folds_into_the_one_before_it() -> None:
    first, final = nn.Conv1d(3, 5, 3).double(), nn.Conv1d(5, 2, 1).double()
    weight, bias = fold_pointwise(first.weight, first.bias, final)
    x = noise(1, 3, 30).double()
    torch.testing.assert_close(
        functional.conv1d(x, weight, bias), final(first(x)), rtol=0, atol=EXACT
    )


@pytest.mark.parametrize("group", [1, 2, 4, 16])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_grouped_matrix_computes_neighbouring_frames(group: int, stride: int) -> None:
    weight = double_weight(5, 3)
    frames = (group - 1) * stride + 3
    x = noise(1, 3, frames).double()
    rows = x[0].t().reshape(1, -1) @ grouped_weight(weight, group=group, stride=stride)
    expected = functional.conv1d(x, weight, stride=stride)
    torch.testing.assert_close(rows.view(group, 5).t(), expected[0], rtol=0, atol=EXACT)


@pytest.mark.parametrize("group", [2, 4, 16])
def test_an_interpolating_matrix_is_interpolation_and_convolution(group: int) -> None:
    weight = double_weight(5, 3)
    x = noise(1, 3, group // 2 + 6).double()
    up = functional.interpolate(x, scale_factor=2.0, mode="linear", align_corners=False)
    whole = functional.conv1d(up, weight, padding=1)
    window = x[0, :, 2 : 2 + group // 2 + 2].t().reshape(1, -1)
    rows = window @ interpolating_weight(weight, group=group)
    # The second frame of the window, number 3, is where output frame 6 is.
    torch.testing.assert_close(
        rows.view(group, 5).t(), whole[0, :, 6 : 6 + group], rtol=0, atol=EXACT
    )


@pytest.mark.parametrize(
    ("channels", "group"), [(1, 16), (2, 8), (3, 4), (4, 4), (5, 2), (8, 2), (9, 1), (512, 1)]
)
def test_groups_fill_a_register_and_no_more(channels: int, group: int) -> None:
    assert group_size(channels) == group


def test_only_large_matrices_are_cut_into_panels() -> None:
    assert panel_count(1024, 1024) == 4
    assert panel_count(2048, 512) == 2
    assert panel_count(512, 128) == 1  # narrow
    assert panel_count(64, 256) == 1  # small
    assert panel_count(1000, 1000) == 1  # not of whole panels


def test_constants_share_nothing_with_what_is_trained() -> None:
    trained = nn.Parameter(torch.ones(2, 3))
    kept = constant(trained)
    assert not kept.requires_grad
    with torch.no_grad():
        trained.add_(1.0)
    assert torch.equal(kept, torch.ones(2, 3))
