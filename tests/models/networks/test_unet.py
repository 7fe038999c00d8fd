"""The U-Net of the thesis: its size, its alignment and its receptive field."""

import pytest
import torch
from torch import nn

from models.networks.unet import BLOCK_MULTIPLE, LOOK_AHEAD_SAMPLES, LOOK_BACK_SAMPLES, UNet
from tests.helpers.models.unets import noise, trained_like

# Float32 sums in another order differ by a few units in the last place per layer.
SAME = 1e-5
# Far above rounding, and far below the effect of a misaligned network on noise.
DIFFERENT = 1e-3


@pytest.mark.parametrize(("width", "count"), [(16, 17_850_593), (4, 1_120_265)])
def test_parameters_are_as_many_as_the_thesis_has(width: int, count: int) -> None:
    network = UNet(width=width)
    assert sum(p.numel() for p in network.parameters()) == count
    # A block ends with batch norm and no ReLU.
    layers = [type(layer) for layer in network.inp]
    assert layers == [nn.Conv1d, nn.BatchNorm1d, nn.ReLU, nn.Conv1d, nn.BatchNorm1d]


def test_any_length_comes_back_and_rows_and_scripts_give_the_same() -> None:
    network = trained_like(UNet(width=1)).requires_grad_(False)
    scripted = torch.jit.script(network)
    for length in (1, 127, 128, 129, 1000, 4096):
        x = noise(3, 1, length)
        y = network(x)
        assert y.shape == x.shape
        atol = SAME * float(y.abs().max())
        torch.testing.assert_close(scripted(x), y, rtol=0, atol=atol)
        rows = torch.cat([network(row[None]) for row in x])
        torch.testing.assert_close(rows, y, rtol=0, atol=atol)


def edge_free_difference(align_corners: bool, first: int) -> float:
    """Largest difference between a window and the whole signal, where all context is inside."""
    torch.manual_seed(3)
    network = trained_like(UNet(width=4, align_corners=align_corners))
    x = noise(1, 1, 16_384)
    length = 5 * 1024
    with torch.inference_mode():
        whole, window = network(x), network(x[..., first : first + length])
    inside = slice(LOOK_BACK_SAMPLES, length - LOOK_AHEAD_SAMPLES)
    difference = (whole[..., first : first + length] - window)[..., inside].abs().max()
    return float(difference / whole.abs().max())


@pytest.mark.parametrize("first", [128, 1024, 5 * 128])
def test_a_window_gives_the_samples_of_the_whole_unless_corners_are_aligned(first: int) -> None:
    assert edge_free_difference(False, first) < SAME
    assert edge_free_difference(True, first) > DIFFERENT
    # Nor does it off the grid.
    assert edge_free_difference(False, first + 1) > DIFFERENT


def test_it_looks_764_samples_back_and_637_ahead() -> None:
    torch.manual_seed(5)
    # Positive weights and no inactive ReLU: no path's gradient can vanish or cancel.
    network = UNet(width=1).double().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv1d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.constant_(module.bias, 1.0)
    back, ahead = 0, 0
    # Every position in the grid of 128 samples, since the receptive field depends on it.
    for at in range(2048, 2048 + BLOCK_MULTIPLE):
        x = noise(1, 1, 4096).double().abs().requires_grad_()
        (gradient,) = torch.autograd.grad(network(x)[0, 0, at], x)
        used = gradient[0, 0].nonzero()[:, 0]
        back, ahead = max(back, at - int(used[0])), max(ahead, int(used[-1]) - at)
    assert (back, ahead) == (LOOK_BACK_SAMPLES, LOOK_AHEAD_SAMPLES)
