"""One process of two that share a batch: writes its gradients in each phase, for test_ddp.py."""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from models.training.config import AdversarialConfig, TrainConfig, UNetConfig
from models.training.distributed import World, world_of_torchrun
from models.training.trainer import Trainer
from tests.helpers.models.trainings import tiny
from tests.helpers.models.unets import noise

BATCH = 4
LENGTH = 2_048

# No crop, because every process would draw another one; fewer discriminators than usual.
ADVERSARIAL = AdversarialConfig(
    start_step=0, period_channels=2, band_channels=0, crop_samples=0, gradient_norm=1e6
)
PHASES = {"plain": None, "adversarial": ADVERSARIAL}


def config(phase: str = "plain") -> TrainConfig:
    """A training of a tiny network."""
    made = tiny(Path(), batch_size=BATCH, adversarial=PHASES[phase])
    return replace(made, network=UNetConfig(width=2))


def first_step(phase: str, world: World | None = None) -> dict[str, Tensor]:
    """Gradients, losses, and weights and statistics after the first step of a training."""
    trainer = Trainer(config(phase), world=world)
    with torch.no_grad():
        # A last convolution that is not zero: all layers get gradients.
        trainer.network.get_parameter("final.weight").fill_(0.1)
    # Clips of very different levels, so that shares differ in every statistic.
    levels = torch.tensor([0.02, 0.1, 0.5, 0.05])[:, None, None]
    x, y = (levels * noise(BATCH, 1, LENGTH, seed=seed) for seed in (0, 99))
    n = BATCH // trainer.world.size
    share = slice(trainer.world.rank * n, (trainer.world.rank + 1) * n)
    row = trainer.train_on(x[share], y[share])
    out = {f"loss.{k}": torch.tensor(v) for k, v in row.items()}
    out |= {f"after.{k}": v.clone() for k, v in trainer.network.state_dict().items()}
    networks = {"gradient": trainer.network}
    if trainer.adversary:
        networks["opponent"] = trainer.adversary.network
    for kind, network in networks.items():
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None
            out[f"{kind}.{name}"] = parameter.grad
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    with world_of_torchrun("cpu") as world:
        for phase in PHASES:
            torch.save(first_step(phase, world), Path(sys.argv[1]) / f"{phase}-{world.rank}.pt")
