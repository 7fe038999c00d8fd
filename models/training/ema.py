"""Averaged weights: less noisy than the last step's."""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged_model(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of a network's weights and batch-norm statistics.

    The decay is smaller in the first steps, so that the initial weights are soon forgotten.

    Args:
        network: copied; its weights are the start of the average.
        decay: share of the average that stays at each step, below 1.
    """

    def update(averaged: Tensors, current: Tensors, count: Tensor | int) -> None:
        n = int(count)
        get_ema_multi_avg_fn(min(decay, n / (9 + n)))(averaged, current, n)

    model = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    # At 0 the first update would be a copy.
    model.n_averaged.fill_(1)
    return model.eval().requires_grad_(False)
