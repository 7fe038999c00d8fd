"""Training on a tiny set: learning, the end, and wrong input."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from models.errors import ConfigError, DataError, TrainingError
from models.evaluation.validation import Validation
from models.networks.octave import Octave
from models.training.checkpoint import load_checkpoint, trained_network
from models.training.config import (
    OctaveConfig,
    OctaveObjectiveConfig,
    OptimiserConfig,
    TrainConfig,
    UNetConfig,
)
from models.training.ema import averaged_model
from models.training.loop import CHECKPOINT
from models.training.train import train
from models.training.trainer import Trainer, choose_device, learning_rate_factor, make_optimiser
from tests.helpers.models.trainings import at_step, log, tiny


def tiny_octave(folder: Path, **changes: Any) -> TrainConfig:
    return replace(
        tiny(folder, **changes),
        network=OctaveConfig(width=2, kernel=1),
        objective=OctaveObjectiveConfig(),
        optimiser=OptimiserConfig(learning_rate=1e-2),
    )


def test_an_octave_trains_logs_its_losses_and_is_read_back(folder: Path) -> None:
    best = train(tiny_octave(folder), report=lambda _: None)
    rows = log(folder / "run")
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    assert {"train/envelope", "val/loss/envelope", "val/loss/edge", "val/lsd"} <= set(rows[0])
    assert rows[-1]["train/total"] < rows[0]["train/total"]
    state = load_checkpoint(best)
    assert state["config"]["network"] == vars(OctaveConfig(width=2, kernel=1))
    network = trained_network(state)
    assert isinstance(network, Octave)
    assert torch.equal(network.gains.weight, state["averaged"]["gains.weight"])


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (MemoryError(), TrainingError, r"^out of memory with run\.batch_size 2.*$"),
        (torch.OutOfMemoryError("CUDA"), TrainingError, r"^out of memory with .*$"),
        (RuntimeError("CPU: can't allocate memory"), TrainingError, r"^out of memory with .*$"),
        (RuntimeError("shapes do not match"), RuntimeError, "shapes"),
    ],
    ids=str,
)
def test_too_little_memory_is_one_line_and_other_failures_are_not(
    folder: Path, error: Exception, expected: type[Exception], message: str
) -> None:
    with at_step(0, Mock(side_effect=error)), pytest.raises(expected, match=message):
        train(tiny(folder), report=lambda _: None)


def test_a_failure_of_a_loader_ends_the_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Mock(side_effect=ValueError("no such batch"))
    monkeypatch.setattr("models.training.train.training_batch", broken)
    with pytest.raises(ValueError, match="no such batch"):
        train(tiny(folder, loaders=2), report=lambda _: None)


@pytest.mark.parametrize(
    ("make", "criterion"), [(tiny, "spectral_convergence"), (tiny_octave, "total")]
)
def test_it_stops_when_its_criterion_falls_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch, make: Any, criterion: str
) -> None:
    values = iter([0.5, 0.4, 0.4, 0.45, 0.1])
    validate = Validation.__call__

    def patched(self: Validation, *args: Any, **kwargs: Any) -> dict[str, float]:
        return validate(self, *args, **kwargs) | {f"loss/{criterion}": next(values)}

    monkeypatch.setattr(Validation, "__call__", patched)
    lines: list[str] = []
    config = make(folder, steps=20, patience=2)
    train(config, report=lines.append)
    name = criterion.replace("_", " ")
    assert lines[-1] == f"no lower {name} in 2 validations: finished at step 8"
    # Started again, it is still finished.
    train(config, report=lines.append)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["step"] == 8


def test_the_thesis_recipe_over_fits_a_tiny_set(tmp_path: Path, undrawn: None) -> None:
    # A pulse train: its upper octave follows from the lower one.
    pulses = np.zeros(6_000)
    pulses[::100] = 0.5
    for name in ("train", "val"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "a.wav", pulses, 44_100, subtype="FLOAT")
    config = tiny(tmp_path, steps=60, validate_every=10, batch_size=4, ema_decay=0.0)
    config = replace(
        config,
        data=replace(config.data, degradation="thesis"),
        network=UNetConfig(width=4, align_corners=True),
        # The thesis's recipe with a higher learning rate, since this training takes seconds.
        optimiser=OptimiserConfig(learning_rate=5e-3),
    )
    train(config, report=lambda _: None)
    rows = log(tmp_path / "run")
    assert rows[-1]["train/total"] < 0.1 * rows[0]["train/total"]
    assert min(row["val/lsd"] for row in rows) < 0.6 * rows[0]["val/lsd"]


def test_the_average_follows_slowly_and_faster_at_the_start() -> None:
    network = nn.Linear(1, 1)
    average = averaged_model(network, 0.9)
    nn.init.zeros_(average.module.weight)
    nn.init.ones_(network.weight)
    for steps, expected in ((1, 0.9), (10_000, 0.91)):
        average.n_averaged.fill_(steps)
        average.update_parameters(network)
        assert float(average.module.weight) == pytest.approx(expected)


def test_the_learning_rate_warms_up_and_decays(folder: Path) -> None:
    config = tiny(folder)  # 8 steps: 3 up, 4 down
    factors = [learning_rate_factor(config, step) for step in range(8)]
    assert factors == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 3 / 4, 2 / 4, 1 / 4])
    config = replace(config, optimiser=replace(config.optimiser, decay="cosine"))
    factors = [learning_rate_factor(config, step) for step in range(4, 8)]
    assert factors == pytest.approx([0.5 - 0.5 * np.cos(np.pi * k / 4) for k in (4, 3, 2, 1)])


def test_the_configuration_chooses_the_optimiser() -> None:
    assert type(make_optimiser(nn.Linear(1, 1), OptimiserConfig())) is torch.optim.Adam
    decoupled = OptimiserConfig(betas=(0.8, 0.99), decoupled_weight_decay=True, weight_decay=0.5)
    adamw = make_optimiser(nn.Linear(1, 1), decoupled)
    assert isinstance(adamw, torch.optim.AdamW)
    assert (adamw.defaults["betas"], adamw.defaults["weight_decay"]) == ((0.8, 0.99), 0.5)


def test_a_diverging_training_stops_and_keeps_its_checkpoint(folder: Path) -> None:
    config = replace(tiny(folder), optimiser=OptimiserConfig(learning_rate=1e30))
    with pytest.raises(TrainingError, match="diverged"):
        train(config, report=lambda _: None)
    assert not (folder / "run" / CHECKPOINT).exists()


def test_the_gradient_is_clipped(folder: Path, rng: np.random.Generator) -> None:
    config = tiny(folder)
    trainer = Trainer(replace(config, optimiser=replace(config.optimiser, gradient_norm=1e-3)))
    x = torch.from_numpy(rng.normal(0, 0.1, (2, 1, 2_048)).astype(np.float32))
    row = trainer.train_on(x, -x)
    gradients = [p.grad for p in trainer.network.parameters() if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients]))
    assert row["gradient_norm"] > 1e-2
    assert float(norm) == pytest.approx(1e-3, rel=1e-2)


def test_missing_audio_device_and_folder_are_refused(folder: Path) -> None:
    config = tiny(folder)
    for data in ({"train": str(folder / "nowhere")}, {"validation": str(folder / "nowhere")}):
        with pytest.raises(DataError, match="no folder"):
            train(replace(config, data=replace(config.data, **data)), report=lambda _: None)
    for name in ("abacus", *["cuda"] * (not torch.cuda.is_available())):
        with pytest.raises(ConfigError, match=f"no device '{name}'"):
            choose_device(name)
    (folder / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"run\.folder"):
        train(tiny(folder, "file"), report=lambda _: None)
