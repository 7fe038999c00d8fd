"""The adversarial phase: off by default, and independent of the band below."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.training.adversarial import (
    Adversary,
    adversarial_loss,
    discriminator_loss,
    feature_distance,
)
from models.training.checkpoint import load_checkpoint
from models.training.distributed import World
from models.training.loop import BEST, CHECKPOINT, REGRESSION
from models.training.train import train
from models.training.trainer import Trainer
from tests.helpers.models.trainings import CPU, log, small, tiny


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_there_is_none_by_default_and_both_sides_learn_from_its_start_on(folder: Path) -> None:
    config = tiny(folder, adversarial=small(start_step=4), steps=6)
    plain = replace(config, adversarial=None, run=replace(config.run, folder=str(folder / "plain")))
    for each in (config, plain):
        train(each, report=lambda _: None)
    rows, without = log(folder / "run"), log(folder / "plain")
    assert rows[:2] == without[:2]
    heard = {"train/adversarial", "train/feature_matching", "train/discriminator"}
    assert set(rows[2]) >= heard
    assert not heard & set(without[2])
    state, other = (load_checkpoint(folder / run / CHECKPOINT) for run in ("run", "plain"))
    assert other["adversary"] is None
    fresh = Trainer(config).state()["adversary"]["network"]
    assert not same(fresh, state["adversary"]["network"])
    for key in ("network", "averaged"):
        assert not same(state[key], other[key])
    # The best checkpoint from before the phase is kept.
    assert load_checkpoint(folder / "run" / REGRESSION)["step"] <= 4
    assert load_checkpoint(folder / "run" / BEST)["step"] == 6


def test_the_networks_learning_rate_falls_with_the_phase(folder: Path) -> None:
    trainer = Trainer(tiny(folder, adversarial=small(start_step=1, generator_factor=0.25)))
    for expected in (1e-3 / 3, 0.25e-3 * 2 / 3):  # three steps of warm-up
        trainer.train_on(torch.ones(2, 1, 8_192), torch.zeros(2, 1, 8_192))
        assert trainer.optimiser.param_groups[0]["lr"] == pytest.approx(expected)


def test_the_network_gets_no_gradient_below_the_band(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    adversary = Adversary(small(), world=World(), device=CPU)
    target = torch.from_numpy(rng.normal(0, 0.01, (1, 1, 8_192)).astype(np.float32))
    estimate = (0.5 * target).requires_grad_()
    adversary.generator_losses(estimate, target)[0].backward()
    assert estimate.grad is not None
    power = torch.fft.rfft(estimate.grad[0, 0] * torch.hann_window(8_192)).abs().square()
    hz = torch.linspace(0, 22_050, len(power))
    assert float(power[hz < 7_000].mean() / power[hz > 10_000].mean()) < 1e-8
    assert all(p.grad is None for p in adversary.network.parameters())


def test_losses_are_their_formulas() -> None:
    def verdict(score: float, feature: float) -> list[tuple[Tensor, list[Tensor]]]:
        return [(torch.tensor([score]), [torch.tensor([feature, -feature])])]

    real, fake = verdict(0.75, 2.0), verdict(0.5, 1.0)
    assert float(discriminator_loss(real, fake)) == pytest.approx(0.25**2 + 0.5**2)
    assert float(adversarial_loss(fake)) == pytest.approx(0.5**2)
    assert float(feature_distance(real, fake, World())) == pytest.approx(0.5)
