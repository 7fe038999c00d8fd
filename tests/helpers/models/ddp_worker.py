"""One process of two that share a batch: writes its gradients in each phase, for test_ddp.py."""

import sys
from pathlib import Path

import torch

from models.training.config import AdversarialConfig, DataConfig, RunConfig, TrainConfig, UNetConfig
from models.training.distributed import world_of_torchrun
from models.training.trainer import Trainer
from tests.helpers.models.unets import noise

BATCH = 4
LENGTH = 2_048


# No crop, because every process would draw another one; fewer discriminators than usual.
ADVERSARIAL = AdversarialConfig(
    start_step=0, period_channels=2, band_channels=0, crop_samples=0, gradient_norm=1e6
)
PHASES = {"plain": None, "adversarial": ADVERSARIAL}


def config(adversarial: AdversarialConfig | None = None) -> TrainConfig:
    """A configuration of a tiny network whose gradients are not clipped."""
    return TrainConfig(
        adversarial=adversarial,
        data=DataConfig(train="", validation="", segment_samples=LENGTH),
        network=UNetConfig(width=2),
        run=RunConfig(folder="", steps=10, batch_size=BATCH, device="cpu", ema_decay=0.9),
    )


def joint_batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips of very different levels, so that shares differ in every statistic."""
    levels = torch.tensor([0.02, 0.1, 0.5, 0.05])[:, None, None]
    return levels * noise(BATCH, 1, LENGTH, seed=step), levels * noise(BATCH, 1, LENGTH, seed=99)


def awake(trainer: Trainer) -> Trainer:
    """A last convolution that is not zero: all layers get gradients."""
    with torch.no_grad():
        trainer.network.get_parameter("final.weight").fill_(0.1)
    return trainer


def results(trainer: Trainer, steps: int) -> dict[str, torch.Tensor]:
    """Gradients of the first step, losses and weights and statistics after all of them."""
    world = trainer.world
    share = slice(world.rank * BATCH // world.size, (world.rank + 1) * BATCH // world.size)
    out: dict[str, torch.Tensor] = {}
    for step in range(steps):
        x, y = joint_batch(step)
        row = trainer.train_on(x[share], y[share])
        out |= {f"{k}.{step}": torch.tensor(v) for k, v in row.items()}
        if step == 0:
            for name, parameter in trainer.network.named_parameters():
                assert parameter.grad is not None
                out[f"gradient.{name}"] = parameter.grad.clone()
        if step == 0 and trainer.adversary:
            for name, parameter in trainer.adversary.network.named_parameters():
                assert parameter.grad is not None
                out[f"opponent.{name}"] = parameter.grad.clone()
    out |= {f"after.{k}": v.clone() for k, v in trainer.network.state_dict().items()}
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    with world_of_torchrun("cpu") as world:
        for name, adversarial in PHASES.items():
            trainer = awake(Trainer(config(adversarial), world=world))
            torch.save(results(trainer, 1), Path(sys.argv[1]) / f"{name}-{world.rank}.pt")
