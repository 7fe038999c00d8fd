"""Faster arithmetic: an exact forward pass, and gradients in the direction of the exact ones."""

import pytest
import torch
from torch import Tensor

from models.networks.unet import UNet
from models.training.bf16_backward import Bf16Backward, arithmetic
from tests.helpers.models.unets import noise, trained_like

CPU = torch.device("cpu")
# bfloat16 has 8 bits: each product errs by up to 0.4 %, and errors average out in the sums.
BF16_COSINE = 0.999


def gradients(bf16_backward: bool) -> tuple[Tensor, Tensor]:
    """Output and all gradients, as one vector, of a batch."""
    torch.manual_seed(0)
    network = trained_like(UNet(width=4)).train()
    with arithmetic(CPU, bf16=False, bf16_backward=bf16_backward):
        out = network(noise(2, 1, 2048))
    out.square().mean().backward()
    parts = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
    assert len(parts) == len(list(network.parameters()))
    return out.detach(), torch.cat(parts)


def test_the_forward_pass_is_exact() -> None:
    assert torch.equal(gradients(False)[0], gradients(True)[0])


def test_gradients_are_rounded_and_keep_their_direction() -> None:
    exact, rounded = gradients(False)[1], gradients(True)[1]
    assert not torch.equal(exact, rounded)
    assert float(torch.cosine_similarity(exact, rounded, dim=0)) > BF16_COSINE


def test_full_bfloat16_rounds_the_forward_pass() -> None:
    network = trained_like(UNet(width=4))
    x = noise(1, 1, 1024)
    with arithmetic(CPU, bf16=True, bf16_backward=False):
        rounded = network(x)
    assert not torch.equal(rounded.float(), network(x))


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_in_it_gives_the_gradients_of_torch(stride: int) -> None:
    convolution = torch.nn.Conv1d(3, 5, 3, padding=1, stride=stride)
    x = noise(2, 3, 64).requires_grad_()
    grads = []
    for context in (arithmetic(CPU, bf16=False, bf16_backward=False), Bf16Backward()):
        with context:
            loss = convolution(x).square().sum()
        grads.append(torch.autograd.grad(loss, [x, convolution.weight, convolution.bias]))
    for exact, rounded in zip(*grads, strict=True):
        torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0.02 * float(exact.abs().max()))


def test_convolutions_it_cannot_replace_stay_unchanged() -> None:
    x = noise(1, 4, 64)
    for convolution in (
        torch.nn.Conv1d(4, 4, 3, dilation=2),
        torch.nn.Conv1d(4, 4, 3, groups=2),
        torch.nn.Conv1d(4, 4, 3, bias=False),
    ):
        with Bf16Backward():
            inside = convolution(x)
        assert torch.equal(inside, convolution(x))
