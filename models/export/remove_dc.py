"""Digital silence in gives digital silence out, exactly as far as single precision goes."""

import copy
from collections.abc import Callable

import torch
from torch import nn

from models.networks.unet import BLOCK_MULTIPLE, UNet

# Behind every edge: 32 steps of the grid are more than the receptive field of 1402 samples.
SETTLED_SAMPLES = 32 * BLOCK_MULTIPLE

# Corrections: the first is exact but for the rounding of folded weights, the next takes that off.
ROUNDS = 3


def answer_to_silence(network: nn.Module) -> float:
    """What a network gives far from the edges of a long digital silence.

    A constant, because a shift-equivariant network of a constant is one; the mean of a step of the
    grid where rounding makes a difference.
    """
    tensors = (*network.parameters(), *network.buffers())
    like = next((t for t in tensors if t.is_floating_point()), torch.zeros(1))
    silence = torch.zeros([1, 1, 2 * SETTLED_SAMPLES], dtype=like.dtype)
    with torch.inference_mode():
        answer = network(silence)[0, 0, SETTLED_SAMPLES : SETTLED_SAMPLES + BLOCK_MULTIPLE]
    return float(answer.double().mean())


def silenced(network: UNet, build: Callable[[UNet], nn.Module] = lambda n: n) -> UNet:
    """A copy whose answer to silence is silence: the answer is taken off the last bias.

    A trained network answers silence by a small constant, unheard (-88 dB in unet-small) but not
    what a silent input should measure. No loss asks for zero there.

    Args:
        network: in evaluation mode.
        build: makes of it what will run; its rounding is corrected as well.
    """
    out = copy.deepcopy(network).eval()
    bias = out.get_parameter("final.bias")
    with torch.no_grad():
        for _ in range(ROUNDS):
            # Non-finite weights stay as they are, for others to refuse.
            bias.sub_(answer_to_silence(build(out)))
    return out
