"""Averaged weights: calmer than the last ones, and better to ship."""

import copy

from torch import nn


class AveragedModel:
    """Exponential moving average of a network's weights and batch-norm statistics.

    Args:
        network: what to average; copied, with its weights as the start.
        decay: share that stays at each step, below 1.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    def update(self, network: nn.Module, step: int) -> None:
        """Move towards ``network``; faster in the first steps, which are not worth keeping."""
        decay = min(self.decay, (1 + step) / (10 + step))
        ours, theirs = self.network.state_dict(), network.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])
