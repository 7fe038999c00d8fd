"""Training on a tiny set: learning, the end, and wrong input."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from models.errors import ConfigError, DataError, TrainingError
from models.evaluation.validation import Validation
from models.networks.unet import UNet
from models.training.checkpoint import load_checkpoint
from models.training.config import OptimiserConfig, UNetConfig
from models.training.ema import averaged_model
from models.training.loop import CHECKPOINT
from models.training.train import train
from models.training.trainer import Trainer, choose_device, learning_rate_factor
from tests.helpers.models.trainings import log, tiny

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_too_little_memory_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def hungry(*args: Any) -> dict[str, float]:
        raise error

    monkeypatch.setattr(Trainer, "train_on", hungry)
    with pytest.raises(TrainingError, match=r"out of memory with run\.batch_size 2") as raised:
        train(tiny(folder), report=lambda _: None)
    assert "\n" not in str(raised.value)


def test_other_failures_do_not_count_as_lack_of_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> dict[str, float]:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Trainer, "train_on", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        train(tiny(folder), report=lambda _: None)


def test_it_stops_when_the_spectral_convergence_falls_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.5, 0.4, 0.4, 0.45, 0.1])
    validate = Validation.__call__

    def recording_call(self: Validation, *args: Any, **kwargs: Any) -> dict[str, float]:
        measures = validate(self, *args, **kwargs)
        return measures | {"loss/spectral_convergence": next(values)}

    monkeypatch.setattr(Validation, "__call__", recording_call)
    lines: list[str] = []
    train(tiny(folder, steps=20, patience=2), report=lines.append)
    assert [row["step"] for row in log(folder / "run")] == [2, 4, 6, 8]
    assert "finished at step 8" in lines[-1]
    # Started again, it is still finished.
    train(tiny(folder, steps=20, patience=2), report=lines.append)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["step"] == 8


def test_loaders_change_nothing(folder: Path) -> None:
    train(tiny(folder, "none"), report=lambda _: None)
    train(tiny(folder, "some", loaders=3), report=lambda _: None)
    assert log(folder / "none") == log(folder / "some")


def test_a_failing_loader_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ValueError("no such batch")

    monkeypatch.setattr("models.training.train.training_batch", broken)
    with pytest.raises(ValueError, match="no such batch"):
        train(tiny(folder, loaders=2), report=lambda _: None)


def test_the_thesis_recipe_over_fits_a_tiny_set(tmp_path: Path) -> None:
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
    network = UNet(width=1)
    average = averaged_model(network, 0.9)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    before = average.module.final.weight.clone()
    average.update_parameters(network)  # decay (1 + 0) / (10 + 0)
    torch.testing.assert_close(average.module.final.weight, before + 0.9)
    average.n_averaged.fill_(10_000)
    average.update_parameters(network)
    torch.testing.assert_close(average.module.final.weight, before + 0.9 + 0.1 * 0.1)
    assert not any(p.requires_grad for p in average.module.parameters())


def test_the_learning_rate_warms_up_and_decays(folder: Path) -> None:
    config = tiny(folder)  # 8 steps: 3 up, 4 down
    factors = [learning_rate_factor(config, step) for step in range(8)]
    assert factors == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 3 / 4, 2 / 4, 1 / 4])


def test_the_learning_rate_may_fall_along_a_cosine(folder: Path) -> None:
    config = tiny(folder)
    config = replace(config, optimiser=replace(config.optimiser, decay="cosine"))
    factors = [learning_rate_factor(config, step) for step in range(4, 8)]
    assert factors == pytest.approx([0.5 - 0.5 * np.cos(np.pi * k / 4) for k in (4, 3, 2, 1)])


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
    (folder / "empty").mkdir()
    for data in (
        replace(config.data, train=str(folder / "empty")),
        replace(config.data, validation=str(folder / "empty")),
        replace(config.data, train=str(folder / "nowhere")),
    ):
        with pytest.raises(DataError, match=r"no audio files|no folder"):
            train(replace(config, data=data), report=lambda _: None)
    with pytest.raises(ConfigError, match="no device 'abacus'"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="no device 'cuda'"):
            choose_device("cuda")
    (folder / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"run\.folder"):
        train(tiny(folder, "file"), report=lambda _: None)
