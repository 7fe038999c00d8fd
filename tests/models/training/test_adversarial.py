"""The adversarial phase: off by default, resumed exactly, and independent of the band below."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from models.errors import CheckpointError, ConfigError
from models.networks.discriminators import Discriminators
from models.training.adversarial import (
    Adversary,
    adversarial_loss,
    discriminator_loss,
    feature_distance,
)
from models.training.checkpoint import load_checkpoint
from models.training.config import (
    AdversarialConfig,
    DataConfig,
    OptimiserConfig,
    RunConfig,
    TrainConfig,
    UNetConfig,
    load_config,
)
from models.training.distributed import World
from models.training.loop import BEST, CHECKPOINT, REGRESSION
from models.training.train import train
from models.training.trainer import Trainer
from tests.helpers.models.trainings import log, write_sounds

FROM_HZ = 9_000.0
# Relative change of a discriminator's scores: rounding, and -110 dB of the band below.
DEAF = 1e-4
START = 3


def small(**changes: Any) -> AdversarialConfig:
    values: dict[str, Any] = {"start_step": START, "period_channels": 1, "band_channels": 2}
    return AdversarialConfig(**(values | {"crop_samples": 4_096, "learning_rate": 1e-3} | changes))


pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sounds(tmp_path, train=[12_000], val=[12_000])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, undrawn: None) -> Path:
    """Folder of trainings ``whole``, with the phase, and ``without`` it."""
    folder = write_sounds(tmp_path_factory.mktemp("trained"), train=[12_000], val=[12_000])
    train(config(folder, "whole", small()), report=lambda _: None)
    train(config(folder, "without", None), report=lambda _: None)
    return folder


def config(folder: Path, run: str, adversarial: AdversarialConfig | None, **changes: Any):
    values: dict[str, Any] = {"steps": 6, "batch_size": 2, "validate_every": 2, "ema_decay": 0.9}
    return TrainConfig(
        data=DataConfig(
            train=str(folder / "train"), validation=str(folder / "val"), segment_samples=8_192
        ),
        network=UNetConfig(width=1),
        optimiser=OptimiserConfig(learning_rate=1e-3),
        run=RunConfig(
            folder=str(folder / run), device="cpu", tensorboard=False, **(values | changes)
        ),
        adversarial=adversarial,
    )


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_there_is_none_by_default_and_before_it_begins_it_changes_nothing(
    folder: Path, trained: Path
) -> None:
    train(config(folder, "later", small(start_step=6)), report=lambda _: None)
    runs = (trained / "without", folder / "later")
    assert log(runs[0]) == log(runs[1])
    without, later = (load_checkpoint(run / CHECKPOINT) for run in runs)
    assert without["adversary"] is None
    for key in ("network", "averaged"):
        assert same(without[key], later[key])


def test_both_sides_learn_and_are_in_the_log(trained: Path) -> None:
    before, _, after = log(trained / "whole")
    heard = {"train/adversarial", "train/feature_matching", "train/discriminator"}
    assert not heard & set(before)
    assert heard <= set(after)
    fresh = Trainer(config(trained, "run", small())).state()
    state = load_checkpoint(trained / "whole" / CHECKPOINT)
    without = load_checkpoint(trained / "without" / CHECKPOINT)
    assert not same(fresh["adversary"]["network"], state["adversary"]["network"])
    assert not same(without["network"], state["network"])
    assert not same(without["averaged"], state["averaged"])


@pytest.mark.parametrize("stop_at", [2, 5], ids=["before the phase", "in the phase"])
def test_resuming_is_exact(
    folder: Path, trained: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    train_on = Trainer.train_on

    class KilledError(Exception):
        pass

    def dying(self: Trainer, x: Tensor, y: Tensor) -> dict[str, float]:
        if self.step == stop_at:
            raise KilledError
        return train_on(self, x, y)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_on", dying)
        with pytest.raises(KilledError):
            train(config(folder, "parts", small()), report=lambda _: None)
    train(config(folder, "parts", small()), report=lambda _: None)
    runs = (trained / "whole", folder / "parts")
    assert log(runs[0]) == log(runs[1])
    whole, parts = (load_checkpoint(run / CHECKPOINT) for run in runs)
    assert same(whole["adversary"]["network"], parts["adversary"]["network"])
    assert same(whole["averaged"], parts["averaged"])


def test_a_training_may_get_its_phase_afterwards(folder: Path) -> None:
    train(config(folder, "run", None, steps=4), report=lambda _: None)
    train(config(folder, "run", small(start_step=4)), report=lambda _: None)
    assert "train/discriminator" in log(folder / "run")[-1]


def test_the_best_before_the_phase_is_set_aside(folder: Path) -> None:
    train(config(folder, "run", small(start_step=4)), report=lambda _: None)
    assert load_checkpoint(folder / "run" / REGRESSION)["step"] <= 4
    assert load_checkpoint(folder / "run" / BEST)["step"] == 6


def test_discriminators_of_other_sizes_are_refused(folder: Path) -> None:
    train(config(folder, "run", small(), steps=4), report=lambda _: None)
    with pytest.raises(CheckpointError, match="discriminators have other sizes"):
        train(config(folder, "run", small(band_channels=3)), report=lambda _: None)


def test_the_networks_learning_rate_falls_with_the_phase(folder: Path) -> None:
    trainer = Trainer(config(folder, "run", small(start_step=1, generator_factor=0.25)))
    x = 0.1 * torch.randn(2, 1, 8_192)
    rates = []
    for _ in range(2):
        trainer.train_on(x, -x)
        rates.append(trainer.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 0.25e-3])


def low(rng: np.random.Generator, n: int, cutoff: float) -> Tensor:
    """Loud noise with nothing above ``cutoff``."""
    sos = scipy.signal.cheby2(16, 140, cutoff, fs=44_100, output="sos")
    return torch.from_numpy(
        scipy.signal.sosfiltfilt(sos, rng.normal(0, 0.2, (2, 1, n))).astype(np.float32)
    )


def scores(discriminators: Discriminators, x: Tensor) -> list[Tensor]:
    with torch.inference_mode():
        return [score for score, _ in discriminators(x, discriminators.level(x))]


@pytest.mark.parametrize(("cutoff", "heard"), [(7_500.0, False), (12_000.0, True)])
def test_discriminators_see_nothing_below_their_band(
    rng: np.random.Generator, cutoff: float, heard: bool
) -> None:
    torch.manual_seed(0)
    discriminators = Discriminators(from_hz=FROM_HZ, period_channels=1, band_channels=2)
    high = torch.from_numpy(rng.normal(0, 0.01, (2, 1, 8_192)).astype(np.float32))
    before = scores(discriminators, high)
    after = scores(discriminators, high + low(rng, 8_192, cutoff))
    changes = [
        float((a - b).abs().max() / b.abs().max()) for a, b in zip(after, before, strict=True)
    ]
    assert len(changes) == 5 + 3
    assert (min(changes) > 10 * DEAF) if heard else (max(changes) < DEAF)


def test_the_network_gets_no_gradient_below_the_band(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    adversary = Adversary(small(), world=World(), device=torch.device("cpu"))
    target = torch.from_numpy(rng.normal(0, 0.01, (1, 1, 8_192)).astype(np.float32))
    estimate = (0.5 * target).requires_grad_()
    adversary.generator_losses(estimate, target).total.backward()
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


def test_a_discriminator_learns_to_tell_noise_from_silence(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    eager = small(learning_rate=1e-2)
    adversary = Adversary(eager, world=World(), device=torch.device("cpu"))
    first, last = 0.0, 0.0
    for _ in range(30):
        real = torch.from_numpy(rng.normal(0, 0.01, (2, 1, 4_096)).astype(np.float32))
        last = adversary.train_step(torch.zeros_like(real), real, factor=1.0)["discriminator"]
        first = first or last
    assert last < 0.3 * first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"\[adversarial\] lacks start_step"),
        ("start_step = -1", "adversarial.start_step must not be negative"),
        ("start_step = 1\nfrom_hz = 30000", "adversarial.from_hz must be between"),
        ("start_step = 1\nperiod_channels = 0\nband_channels = 0", "must be positive"),
        ("start_step = 1\ncrop_samples = 100", "adversarial.crop_samples must be 0 or from 4096"),
        ("start_step = 1\nbetas = [0.5, 1.5]", r"adversarial.betas must be in \[0, 1\)"),
        ("start_step = 1\nlearning_rate = nan", "adversarial.learning_rate must not be negative"),
    ],
)
def test_a_mistake_in_its_section_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.toml"
    start = "[data]\ntrain = 'a'\nvalidation = 'b'\n[run]\nfolder = 'c'\nsteps = 1\n[adversarial]\n"
    path.write_text(start + text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)
