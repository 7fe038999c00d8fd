"""The fast pass against the network's own."""

import copy

import torch
from torch import nn

from models.networks.unet import UNet
from scripts.unet.fast_unet import FastUNet

# Sums in another order.
SAME = 1e-4


def test_outputs_gradients_and_statistics_are_those_of_the_network() -> None:
    torch.manual_seed(0)
    network = UNet(width=2)
    for module in network.modules():
        if isinstance(module, nn.Conv1d) and module is not network.final:
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    other = copy.deepcopy(network)
    x = torch.randn(2, 1, 128 * 12)
    ours, theirs = FastUNet(network)(x), other(x)
    assert (ours - theirs).abs().max() < SAME
    ours.square().mean().backward()
    theirs.square().mean().backward()
    compared = 0
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        if a.grad is not None and b.grad is not None:
            assert (a.grad - b.grad).abs().max() < SAME
            compared += 1
    assert compared > 90
    for a, b in zip(network.buffers(), other.buffers(), strict=True):
        if a.is_floating_point():
            assert (a - b).abs().max() < SAME
