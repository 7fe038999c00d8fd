"""The steps of the timed training, and its fast pass, on the CPU."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from models.data.corpus import Corpus
from scripts.unet.device_corpus import DeviceCorpus, Studio
from scripts.unet.fast_unet import FastUNet
from scripts.unet.timed_trainer import (
    CHUNK_STEPS,
    TimedConfig,
    TimedTrainer,
)
from tests.helpers.models.trainings import CPU

# Sums in another order.
SAME = 1e-4
TINY = TimedConfig(width=2, segment_samples=8_192, batch_size=2, pool=0)


@pytest.fixture
def trainer() -> TimedTrainer:
    rng = np.random.default_rng(0)
    samples = (3_000 * rng.standard_normal(60_000)).clip(-32_000, 32_000).astype(np.int16)
    studio = Studio("noise", Corpus(samples, np.array([0, 60_000])), 1.0)
    return TimedTrainer(TINY, DeviceCorpus([studio], device=CPU), CPU)


def test_the_loss_falls_and_the_averages_follow(trainer: TimedTrainer) -> None:
    chunk = trainer.chunk_of(torch.float32)
    means = []
    for _ in range(3):
        chunk(2.0)
        means.append(trainer.mean_losses())
    assert trainer.step == 3 * CHUNK_STEPS
    assert means[-1]["total"] < 0.9 * means[0]["total"]
    assert all(np.isfinite(list(row.values())).all() for row in means)
    weight = trainer.averaged.module.final.weight
    assert 0 < weight.abs().max() < 2 * trainer.network.final.weight.abs().max()


def test_an_overflow_changes_no_weights(trainer: TimedTrainer) -> None:
    batch = trainer.batch

    def broken() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, y, lossy = batch()
        return x * torch.inf, y, lossy

    trainer.batch = broken  # type: ignore[method-assign]
    before = copy.deepcopy(list(trainer.network.parameters()))
    trainer.chunk_of(torch.float32)(1.0)
    assert trainer.mean_losses()["overflow"] == 1.0
    for a, b in zip(before, trainer.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_outputs_gradients_and_statistics_of_the_fast_pass_are_the_networks(
    trainer: TimedTrainer,
) -> None:
    # Its biases before batch norms are zero.
    network = trainer.network
    nn.init.ones_(network.final.weight)
    other = copy.deepcopy(network)
    x = torch.randn(2, 1, 128 * 12)
    ours, theirs = FastUNet(network)(x), other(x)
    assert (ours - theirs).abs().max() < SAME
    ours.square().mean().backward()
    theirs.square().mean().backward()
    pairs = zip(network.parameters(), other.parameters(), strict=True)
    errors = [(a.grad - b.grad).abs().max() for a, b in pairs if a.grad is not None is not b.grad]
    assert len(errors) > 90
    assert max(errors) < SAME
    for a, b in zip(network.buffers(), other.buffers(), strict=True):
        if a.is_floating_point():
            assert (a - b).abs().max() < SAME
