"""Faster arithmetic: an exact forward pass, and gradients in the direction of the exact ones."""

import torch
from torch import Tensor

from models.networks.unet import UNet
from models.training.bf16_backward import arithmetic
from tests.helpers.models.trainings import CPU
from tests.helpers.models.unets import noise, trained_like

# bfloat16 has 8 bits: each product errs by up to 0.4 %, and errors average out in the sums.
BF16_COSINE = 0.999


def output_and_gradients(*, bf16: bool = False, bf16_backward: bool = False) -> list[Tensor]:
    """Output and all gradients, as one vector each, of a batch."""
    torch.manual_seed(0)
    network = trained_like(UNet(width=4)).train()
    with arithmetic(CPU, bf16=bf16, bf16_backward=bf16_backward):
        out = network(noise(2, 1, 2048)).float()
    out.square().mean().backward()
    parts = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
    assert len(parts) == len(list(network.parameters()))
    return [out.detach(), torch.cat(parts)]


def test_the_forward_pass_is_exact_and_gradients_keep_their_direction() -> None:
    (y, exact), (same, rounded) = (output_and_gradients(bf16_backward=on) for on in (False, True))
    assert torch.equal(y, same)
    assert not torch.equal(exact, rounded)
    assert float(torch.cosine_similarity(exact, rounded, dim=0)) > BF16_COSINE
    # Full bfloat16 rounds the forward pass too.
    assert not torch.equal(output_and_gradients(bf16=True)[0], y)
