"""U-Nets with weights like trained ones, and streams through them."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.unet import LOOK_BACK_SAMPLES, UNet

# Largest difference between a stream and the whole signal (docs/architecture.md, Processor).
# Measured: 1e-5. A skip or a history that is one frame off, at any level, makes 1e-3 or more.
STREAMED = 1e-4

LENGTH = 40 * 128
# Root mean square of the signals; what the networks add has half as much.
LEVEL = 0.2


def trained_like(network: UNet, seed: int = 0) -> UNet:
    """Weights and statistics like trained ones: nothing is zero, one or symmetric."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv1d):
            # Keeps the level from layer to layer, so that the deepest ones affect the output.
            nn.init.kaiming_normal_(module.weight, generator=generator)
        elif isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_(0.0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
            nn.init.normal_(module.bias, 0.3, 0.3, generator=generator)
    return network.eval()


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@cache
def unet(width: int = 4) -> UNet:
    """A network like a trained one; the first seed with active ReLUs, which adds up to 0.5."""
    x = signal(1, 4096)
    for seed in range(100):
        torch.manual_seed(seed)
        network = trained_like(UNet(width=width), seed).requires_grad_(False)
        added = network(x) - x
        network.final.weight.div_(2 * added.abs().max())
        network.final.bias.div_(2 * added.abs().max())
        if float((network(x) - x).std()) > LEVEL / 4:
            return network
    raise AssertionError(f"no lively network of width {width}")


def signal(batch: int, length: int = LENGTH) -> Tensor:
    return LEVEL * noise(batch, 1, length)


def streamed(network: Any, x: Tensor, blocks: int | list[int], *, lead: int = 128) -> Tensor:
    """Stream a signal ``[B, 1, T]`` in whole blocks; the output with its latency.

    ``lead`` is the number of samples of the signal in the first 128 of the stream of a U-Net.
    """
    x = functional.pad(x, [128 - lead, 0])
    sizes = [blocks] * (x.shape[2] // blocks) if isinstance(blocks, int) else blocks
    state = network.initial_state(len(x), *[lead] * (lead < 128))
    out = []
    for block in x[:, :, : sum(sizes)].split(sizes, dim=2):
        y, state = network.stream(block, state)
        out.append(y)
    return torch.cat(out, dim=2)[:, :, 128 - lead :]


def random_blocks(seed: int) -> list[int]:
    """Lengths of random blocks of a signal of ``LENGTH`` samples."""
    generator = torch.Generator().manual_seed(seed)
    ends = (torch.rand(12, generator=generator) * LENGTH // 128).unique() * 128
    edges = torch.cat([torch.zeros(1), ends, torch.full((1,), LENGTH)]).unique().long()
    return edges.diff().tolist()


def assert_delayed(
    found: Tensor,
    whole: Tensor,
    latency: int,
    *,
    atol: float = STREAMED,
    skip: int = LOOK_BACK_SAMPLES,
) -> None:
    """Equal except for the delay, from where on the whole signal does not see its padding."""
    found = found[:, :, latency:]
    assert found.shape[2] > 1000
    expected = whole[:, :, : found.shape[2]]
    torch.testing.assert_close(found[:, :, skip:], expected[:, :, skip:], rtol=0, atol=atol)
