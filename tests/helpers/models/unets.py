"""U-Nets with weights like trained ones, and streams through them."""

from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor, nn

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
    """A network with weights like trained ones, which adds up to 0.5 to noise.

    In many small random networks no ReLU is active, or only biases remain. The first seed without
    this is taken.
    """
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


def scripted(network: nn.Module) -> torch.jit.ScriptModule:
    return torch.jit.script(network.eval())


def run(network: nn.Module, x: Tensor, blocks: int | Iterable[int], *, lead: int = 128) -> Tensor:
    """Stream a signal in blocks; the output with its latency, without what precedes the lead."""
    x = torch.cat([torch.zeros(x.shape[0], 1, 128 - lead), x], dim=2)
    state = network.initial_state(x.shape[0], lead)
    out, at = [], 0
    sizes = iter([blocks] * x.shape[2] if isinstance(blocks, int) else blocks)
    while at < x.shape[2]:
        n = min(next(sizes), (x.shape[2] - at) // 128 * 128)
        if n == 0:
            break
        y, state = network.stream(x[:, :, at : at + n], state)
        out.append(y)
        at += n
    return torch.cat(out, dim=2)[:, :, 128 - lead :]


def assert_delayed(streamed: Tensor, whole: Tensor, latency: int) -> None:
    """Equal except for the delay, away from the edges, where the whole signal is padded."""
    length = streamed.shape[2] - latency
    found = streamed[:, :, latency:][:, :, LOOK_BACK_SAMPLES:]
    expected = whole[:, :, LOOK_BACK_SAMPLES:length]
    assert found.shape[2] > 1000
    torch.testing.assert_close(found, expected, rtol=0, atol=STREAMED)
