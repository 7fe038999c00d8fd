"""Averaged weights: calmer than the last ones, and better to ship."""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged_model(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of a network's weights and batch-norm statistics.

    It moves faster in the first steps, whose weights are not worth keeping.

    Args:
        network: what to average; copied, with its weights as the start.
        decay: share that stays at each step, below 1.
    """

    def update(averaged: Tensors, current: Tensors, count: Tensor | int) -> None:
        n = int(count)
        get_ema_multi_avg_fn(min(decay, n / (9 + n)))(averaged, current, n)

    model = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    # The start counts as one: at 0 the first update would be a copy.
    model.n_averaged.fill_(1)
    return model.eval().requires_grad_(False)
