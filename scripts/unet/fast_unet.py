"""The training pass of the U-Net in the memory layout of tensor cores.

cuDNN transposes channels-last half-precision tensors before and after each 1-D convolution, but not
for 2-D convolutions of height 1. Parameters and results are those of the network.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.unet import UNet


def _doubled(x: Tensor) -> Tensor:
    """Linear interpolation by two along time, ``[B, C, 1, T]``, as in the U-Net."""
    x = x.permute(0, 2, 3, 1)
    earlier = torch.cat([x[:, :, :1], x[:, :, :-1]], dim=2)
    later = torch.cat([x[:, :, 1:], x[:, :, -1:]], dim=2)
    pairs = torch.stack([torch.lerp(x, earlier, 0.25), torch.lerp(x, later, 0.25)], dim=3)
    return pairs.flatten(2, 3).permute(0, 3, 1, 2)


class FastUNet(nn.Module):
    """Runs a U-Net in training mode; parameters and statistics stay the network's.

    Args:
        network: without aligned corners, and with zero biases before its batch norms.
        dtype: of the activations; half precision is computed with channels last. The first and
            the last convolution and the sum are in float32, because the network's contribution
            may be 60 dB below its input.

    Shape:
        - Input: ``[B, 1, T]`` at 44.1 kHz, T a multiple of 128, float32
        - Output: ``[B, 1, T]``, float32
    """

    def __init__(self, network: UNet, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype
        exact = dtype == torch.float32
        self.layout = torch.contiguous_format if exact else torch.channels_last

    def forward(self, signal: Tensor) -> Tensor:
        """One pass with the statistics of the batch."""
        network: Any = self.network  # nn.ModuleList does not know the types of its children
        x = self._block(network.inp, signal.unsqueeze(2))
        skips = [x]
        for down in network.down:
            x = self._block(down, x)
            skips.append(x)
        x = skips.pop()
        for up in network.up:
            joined = torch.cat([skips.pop(), _doubled(x)], dim=1)
            x = self._block(up.conv, joined.contiguous(memory_format=self.layout))
        residual = functional.conv1d(x.squeeze(2).float(), network.final.weight, network.final.bias)
        return signal + residual

    def _block(self, block: Any, x: Tensor) -> Tensor:
        first, first_norm, _, second, second_norm = block
        x = functional.relu(self._norm(first_norm, self._convolution(first, x)))
        return self._norm(second_norm, self._convolution(second, x))

    def _convolution(self, convolution: nn.Conv1d, x: Tensor) -> Tensor:
        dtype = torch.float32 if convolution.in_channels == 1 else self.dtype
        weight = convolution.weight.unsqueeze(2).to(dtype, memory_format=self.layout)
        # Every convolution of the network has a padding of 1.
        out = functional.conv2d(x.to(dtype), weight, None, (1, convolution.stride[0]), (0, 1))
        return out.to(self.dtype, memory_format=self.layout)

    def _norm(self, norm: nn.BatchNorm1d, x: Tensor) -> Tensor:
        assert norm.momentum is not None
        statistics = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        return functional.batch_norm(x, *statistics, True, norm.momentum, norm.eps)
