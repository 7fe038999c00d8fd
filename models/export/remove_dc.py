"""Removes a U-Net's DC offset, so that its output for digital silence is digital silence."""

import copy
from collections.abc import Callable

import torch
from torch import nn

from models.networks.unet import BLOCK_MULTIPLE, UNet

# Distance from the edges, larger than the receptive field of 1402 samples.
SETTLED_SAMPLES = 32 * BLOCK_MULTIPLE

# The second round corrects the rounding of folded weights in the first.
CORRECTIONS = 3


def dc_offset(network: nn.Module) -> float:
    """A network's output for a long digital silence, away from its edges.

    A shift-equivariant network gives a constant; the mean over 128 samples averages rounding.
    """
    silence = torch.zeros([1, 1, 2 * SETTLED_SAMPLES])
    with torch.inference_mode():
        y = network(silence)[0, 0, SETTLED_SAMPLES : SETTLED_SAMPLES + BLOCK_MULTIPLE]
    return float(y.double().mean())


def without_dc(network: UNet, build: Callable[[UNet], nn.Module] = lambda n: n) -> UNet:
    """A copy whose last bias is lowered by the DC offset.

    Trained networks have a small offset (-88 dB in unet-small), because no loss penalises it. It is
    inaudible, but meters show it.

    Args:
        network: in evaluation mode.
        build: makes the module that will run, whose rounding is then corrected too.
    """
    out = copy.deepcopy(network).eval()
    bias = out.get_parameter("final.bias")
    with torch.no_grad():
        for _ in range(CORRECTIONS):
            bias.sub_(dc_offset(build(out)))
    return out
