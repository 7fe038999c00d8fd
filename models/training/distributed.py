"""Training in several processes, started by `torchrun`: gloo on CPUs, NCCL on GPUs.

Each process takes an equal share of the batch. Sums over the batch (batch-norm statistics, norms in
the loss) run over all shares, so the gradients are those of one process on the joint batch, up to
rounding.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from models.errors import TrainingError

# The other processes wait while the main one validates.
TIMEOUT_S = 7200.0


class _SharedSum(torch.autograd.Function):
    """Sum over the processes. So is the gradient: every process's loss depends on every summand."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: Any, *gradients: Any) -> Any:
        total = gradients[0].contiguous().clone()
        torch.distributed.all_reduce(total)
        return total


@dataclass(frozen=True)
class World:
    """The processes of a training, seen from one of them."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Index among the processes of this machine, and of this process's GPU."""

    @property
    def is_main_process(self) -> bool:
        """Whether this process validates, writes files and reports."""
        return self.rank == 0

    def sum(self, x: Tensor) -> Tensor:
        """Sum over the processes, with gradients."""
        if self.size == 1:
            return x
        total: Tensor = _SharedSum.apply(x)  # type: ignore[no-untyped-call]  # torch's own
        return total

    def largest(self, count: int, device: torch.device) -> int:
        """The largest count of all processes; all must call this."""
        if self.size == 1:
            return count
        largest = torch.tensor([count], device=device)
        torch.distributed.all_reduce(largest, op=torch.distributed.ReduceOp.MAX)
        return int(largest.item())

    def wrap(self, network: nn.Module, device: torch.device) -> nn.Module:
        """The network with shared gradients and statistics; the same object for one process."""
        if self.size == 1:
            return network
        if device.type == "cuda":
            convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm  # has no types
            shared: nn.Module = convert(network)
            return DistributedDataParallel(shared, device_ids=[device.index])
        _share_statistics(network, self)
        return DistributedDataParallel(network, broadcast_buffers=False)


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch norm with the training statistics of the joint batch.

    torch's SyncBatchNorm does the same, but only on GPUs.
    """

    def __init__(self, norm: nn.BatchNorm1d, world: World) -> None:
        super().__init__(norm.num_features, eps=norm.eps, momentum=norm.momentum)
        self.weight, self.bias = norm.weight, norm.bias
        self.load_state_dict(norm.state_dict())
        self.world = world

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; in evaluation mode like any batch norm."""
        if not self.training:
            return super().forward(x)
        count = x.shape[0] * x.shape[2] * self.world.size
        mean = self.world.sum(x.sum(dim=(0, 2))) / count
        centred = x - mean[:, None]
        variance = self.world.sum(centred.square().sum(dim=(0, 2))) / count
        with torch.no_grad():
            momentum = self.momentum or 0.0
            self.get_buffer("running_mean").lerp_(mean, momentum)
            self.get_buffer("running_var").lerp_(variance * count / (count - 1), momentum)
            self.get_buffer("num_batches_tracked").add_(1)
        scale = self.weight * (variance + self.eps).rsqrt()
        return centred * scale[:, None] + self.bias[:, None]


def _share_statistics(module: nn.Module, world: World) -> None:
    """Replace every batch norm by a shared one."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d):
            setattr(module, name, SharedBatchNorm(child, world))
        else:
            _share_statistics(child, world)


@contextmanager
def world_of_torchrun(device: str) -> Iterator[World]:
    """Join the other processes that torchrun started; ``device`` is ``run.device``.

    Raises:
        TrainingError: if the processes do not find each other.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    cuda = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    try:
        torch.distributed.init_process_group(
            "nccl" if cuda else "gloo", timeout=timedelta(seconds=TIMEOUT_S)
        )
    except (RuntimeError, ValueError) as error:
        line = str(error).strip().splitlines()[0]
        raise TrainingError(f"the processes of torchrun do not find each other: {line}") from error
    try:
        yield World(
            rank=torch.distributed.get_rank(),
            size=size,
            local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        )
        # Leave together: a process that left early was seen to abort while another still wrote.
        torch.distributed.barrier()
    finally:
        torch.distributed.destroy_process_group()
