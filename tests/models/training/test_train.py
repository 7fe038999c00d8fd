"""Training on a tiny set: exact resuming, what is kept, and what is refused."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from models.errors import CheckpointError, ConfigError, DataError, TrainingError
from models.evaluation.metrics import score
from models.evaluation.validation import Validation, mean_defined
from models.losses.stft import Objective
from models.networks.unet import UNet
from models.training.checkpoint import load_checkpoint, save_atomically, trained_network
from models.training.config import DataConfig, OptimiserConfig, RunConfig, TrainConfig, UNetConfig
from models.training.ema import averaged_model
from models.training.log import CURVES, LOG, read_log
from models.training.loop import CHECKPOINT, TrainingStopped
from models.training.train import train
from models.training.trainer import Trainer, choose_device, learning_rate_factor

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """``train`` and ``val`` with short full-band sounds."""
    for name, count in (("train", 3), ("val", 2)):
        (tmp_path / name).mkdir()
        for i in range(count):
            audio = rng.normal(0.0, 0.1, 8_000 + 1_000 * i) * np.hanning(8_000 + 1_000 * i)
            soundfile.write(tmp_path / name / f"{i}.wav", audio, 44_100, subtype="FLOAT")
    return tmp_path


def tiny(folder: Path, run: str = "run", **changes: Any) -> TrainConfig:
    values = {"steps": 8, "batch_size": 2, "validate_every": 2, "ema_decay": 0.9, "device": "cpu"}
    values |= {"tensorboard": False}
    return TrainConfig(
        data=DataConfig(
            train=str(folder / "train"), validation=str(folder / "val"), segment_samples=2_048
        ),
        network=UNetConfig(width=1),
        optimiser=OptimiserConfig(learning_rate=1e-3, warmup_steps=3, decay_steps=4),
        run=RunConfig(folder=str(folder / run), **(values | changes)),
    )


def log(folder: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    times = ("seconds", "train/network_share")
    return [{k: v for k, v in row.items() if k not in times} for row in rows]


class KilledError(Exception):
    """Stands for a power cut."""


@pytest.mark.parametrize("stop_at", [4, 5], ids=["at a checkpoint", "between checkpoints"])
def test_resuming_gives_the_losses_of_an_uninterrupted_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    train(tiny(folder, "whole"), report=lambda _: None)

    train_on = Trainer.train_on

    def dying(self: Trainer, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        if self.step == stop_at:
            raise KilledError
        return train_on(self, x, y)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_on", dying)
        with pytest.raises(KilledError):
            train(tiny(folder, "parts"), report=lambda _: None)
    lines: list[str] = []
    train(tiny(folder, "parts"), report=lines.append)

    assert lines[0] == "going on from step 4"
    assert [row["step"] for row in log(folder / "parts")] == [2, 4, 6, 8]
    assert log(folder / "parts") == log(folder / "whole")
    whole, parts = (load_checkpoint(folder / name / CHECKPOINT) for name in ("whole", "parts"))
    for key in ("network", "averaged"):
        for name, value in whole[key].items():
            assert torch.equal(value, parts[key][name]), f"{key} {name}"


def stopping(monkeypatch: pytest.MonkeyPatch, number: int, *, at: int) -> None:
    """Let a signal come in the step after ``at`` steps."""
    train_on = Trainer.train_on

    def signalled(self: Trainer, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        if self.step == at:
            signal.raise_signal(number)
        return train_on(self, x, y)

    monkeypatch.setattr(Trainer, "train_on", signalled)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_training_goes_on_exactly_where_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    train(tiny(folder, "whole"), report=lambda _: None)
    with monkeypatch.context() as patch:
        stopping(patch, number, at=4)
        with pytest.raises(TrainingStopped, match="stopped at step 5; the same command"):
            train(tiny(folder, "parts"), report=lambda _: None)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert load_checkpoint(folder / "parts" / CHECKPOINT)["step"] == 5
    lines: list[str] = []
    train(tiny(folder, "parts"), report=lines.append)
    assert lines[0] == "going on from step 5"
    # The means over the steps between two validations too, half of which were before the stop.
    assert log(folder / "parts") == log(folder / "whole")
    whole, parts = (load_checkpoint(folder / name / CHECKPOINT) for name in ("whole", "parts"))
    for name, value in whole["network"].items():
        assert torch.equal(value, parts["network"][name]), name


def test_a_training_stopped_while_validating_validates_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny(folder, "whole"), report=lambda _: None)
    validate = Validation.__call__

    def signalled(self: Validation, *args: Any, **kwargs: Any) -> dict[str, float]:
        signal.raise_signal(signal.SIGINT)
        return validate(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Validation, "__call__", signalled)
        with pytest.raises(TrainingStopped, match="step 2;"):
            train(tiny(folder, "parts"), report=lambda _: None)
    assert not (folder / "parts" / LOG).exists()
    train(tiny(folder, "parts"), report=lambda _: None)
    assert log(folder / "parts") == log(folder / "whole")


def test_a_second_signal_ends_it_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(self: Trainer, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    monkeypatch.setattr(Trainer, "train_on", twice)
    with pytest.raises(KeyboardInterrupt):
        train(tiny(folder), report=lambda _: None)


def test_ctrl_c_on_the_command_line_says_one_line_and_gives_130(folder: Path) -> None:
    config = folder / "tiny.toml"
    config.write_text(
        f"[data]\ntrain = '{folder / 'train'}'\nvalidation = '{folder / 'val'}'\n"
        "segment_samples = 2048\n[network]\nwidth = 1\n[run]\n"
        f"folder = '{folder / 'run'}'\nsteps = 1000000\nbatch_size = 1\n"
        "validate_every = 1000000\ntensorboard = false\ndevice = 'cpu'\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "topoctave", "train", str(config)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stderr is not None
        assert "minutes of audio" in process.stderr.readline()
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.count("\n") == 1
    assert "the same command goes on" in rest
    assert load_checkpoint(folder / "run" / CHECKPOINT)["step"] > 0


def test_rows_behind_the_checkpoint_are_dropped_from_the_log(folder: Path) -> None:
    train(tiny(folder, steps=4), report=lambda _: None)
    before = (folder / "run" / LOG).read_text()
    with (folder / "run" / LOG).open("a") as file:
        file.write('{"step": 6, "val/lsd": 1.0}\n{"step": 7, "val')
    train(tiny(folder, steps=6), report=lambda _: None)
    rows = read_log(folder / "run")
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert "train/total" in rows[2]
    assert (folder / "run" / LOG).read_text().startswith(before)


def test_other_recordings_are_refused(folder: Path) -> None:
    train(tiny(folder, steps=2), report=lambda _: None)
    (folder / "train" / "0.wav").rename(folder / "train" / "9.wav")
    with pytest.raises(CheckpointError, match="other recordings") as error:
        train(tiny(folder), report=lambda _: None)
    assert "\n" not in str(error.value)


def test_checkpoints_of_before_go_on(folder: Path) -> None:
    train(tiny(folder, steps=2), report=lambda _: None)
    path = folder / "run" / CHECKPOINT
    state = load_checkpoint(path)
    for key in ("data", "seconds", "pending", "best_convergence", "stale"):
        del state[key]
    save_atomically(state, path)
    train(tiny(folder, steps=4), report=lambda _: None)
    assert load_checkpoint(path)["step"] == 4


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


def test_other_failures_are_not_taken_for_lack_of_memory(
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

    def told(self: Validation, *args: Any, **kwargs: Any) -> dict[str, float]:
        measures = validate(self, *args, **kwargs)
        return measures | {"loss/spectral_convergence": next(values)}

    monkeypatch.setattr(Validation, "__call__", told)
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


def test_a_failing_loader_is_heard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ValueError("no such batch")

    monkeypatch.setattr("models.training.train.training_batch", broken)
    with pytest.raises(ValueError, match="no such batch"):
        train(tiny(folder, loaders=2), report=lambda _: None)


def test_curves_are_a_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # of the fixture that leaves it out
    train(tiny(folder), report=lambda _: None)
    assert (folder / "run" / CURVES).read_bytes().startswith(b"\x89PNG")


def test_tensorboard_gets_scalars_audio_and_spectrograms(folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="the train extra is not installed")
    train(tiny(folder, steps=2, tensorboard=True), report=lambda _: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(folder / "run"))
        events.Reload()
    tags = events.Tags()
    assert {"train/total", "val/lsd", "val/loss/mse"} <= set(tags["scalars"])
    assert set(tags["audio"]) == {"clip/kaiser_fast", "clip/network", "clip/recording"}
    assert tags["images"] == ["clip/spectrograms"]


def test_without_tensorboard_a_line_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_folder: Path) -> None:
        raise ImportError("no tensorboard")

    monkeypatch.setattr("models.training.log._summary_writer", missing)
    lines: list[str] = []
    train(tiny(folder, steps=2, tensorboard=True), report=lines.append)
    assert any("pip install 'topoctave[train]'" in line for line in lines)
    assert len(log(folder / "run")) == 1


def test_the_bar_shows_loss_and_speed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    train(tiny(folder, steps=2), report=lambda _: None, progress=True)
    assert "s of audio/s" in terminal.getvalue()
    assert "loss" in terminal.getvalue()


def test_a_finished_training_returns_at_once(folder: Path) -> None:
    first = train(tiny(folder), report=lambda _: None)
    before = log(folder / "run")
    assert train(tiny(folder), report=lambda _: None) == first
    assert log(folder / "run") == before


def test_the_best_checkpoint_has_the_lowest_validation_lsd(folder: Path) -> None:
    best = load_checkpoint(train(tiny(folder), report=lambda _: None))
    rows = log(folder / "run")
    lowest = min(rows, key=lambda row: row["val/lsd"])
    assert best["step"] == lowest["step"]
    assert best["validation"]["val/lsd"] == lowest["val/lsd"] == best["best"]
    assert not list((folder / "run").glob("*.tmp"))


def test_the_thesis_recipe_over_fits_a_tiny_set(tmp_path: Path) -> None:
    # A pulse train: its upper octave follows from the lower one.
    pulses = np.zeros(6_000)
    pulses[::100] = 0.5
    for name in ("train", "val"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "a.wav", pulses, 44_100, subtype="FLOAT")
    config = tiny(tmp_path, steps=180, validate_every=10, batch_size=4, ema_decay=0.0)
    config = replace(
        config,
        data=replace(config.data, degradation="thesis"),
        network=UNetConfig(width=4, align_corners=True),
        # The thesis's but for the rate, which is for days, not for seconds.
        optimiser=OptimiserConfig(learning_rate=5e-3),
    )
    train(config, report=lambda _: None)
    rows = log(tmp_path / "run")
    assert rows[-1]["train/total"] < 0.1 * rows[0]["train/total"]
    assert min(row["val/lsd"] for row in rows) < 0.6 * rows[0]["val/lsd"]


def test_it_starts_from_the_kaiser_fast_signal(folder: Path) -> None:
    trainer = Trainer(tiny(folder))
    validation = Validation(folder / "val", 2)
    measures = validation(trainer.evaluated_network, trainer.objective, CPU)
    untouched = [score(reference, source) for source, reference in validation.pairs]
    assert measures["lsd"] == pytest.approx(np.mean([row["lsd"] for row in untouched]))


def test_a_validation_with_an_output_that_is_not_finite_is_an_error(folder: Path) -> None:
    network = UNet(width=1)
    with torch.no_grad():
        network.final.bias.fill_(torch.nan)
    with pytest.raises(TrainingError, match="output on a validation clip is not finite"):
        Validation(folder / "val", 1)(network, Objective(), CPU)


def test_validation_leaves_the_mode_as_it_was(folder: Path) -> None:
    network = UNet(width=1).train()
    Validation(folder / "val", 1)(network, Objective(), CPU)
    assert network.training


def test_validation_takes_clips_from_the_whole_folder(folder: Path) -> None:
    assert len(Validation(folder / "train", 1).pairs) == 1
    assert len(Validation(folder / "train", 99).pairs) == 3


def test_a_silent_validation_clip_does_not_hide_the_others(folder: Path) -> None:
    soundfile.write(folder / "val" / "silent.wav", np.zeros(5_000), 44_100)
    measures = Validation(folder / "val", 9)(UNet(width=1), Objective(), CPU)
    assert all(np.isfinite(v) for v in measures.values())
    assert np.isnan(mean_defined([float("nan")]))


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


def test_other_recordings_may_be_mixed_in(folder: Path) -> None:
    config = tiny(folder)
    mixed = replace(config, data=replace(config.data, also=str(folder / "val"), pool=4))
    train(mixed, report=lambda _: None)
    with pytest.raises(CheckpointError, match="other recordings"):
        train(config, report=lambda _: None)


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


def test_a_crash_while_saving_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    save_atomically({"step": 1}, path)
    before = path.read_bytes()

    def full_disk(state: object, target: Any) -> None:
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(CheckpointError, match="No space left on device; the old file is kept"):
        save_atomically({"step": 2}, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_files_that_are_no_checkpoints_are_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load_checkpoint(folder / "none.pt")
    text = folder / "text.pt"
    text.write_text("hello")
    other = folder / "other.pt"
    torch.save({"weights": torch.zeros(3)}, other)
    good = train(tiny(folder, steps=2), report=lambda _: None)
    damaged = folder / "damaged.pt"
    damaged.write_bytes(good.read_bytes()[:-2_000])
    for path in (text, other, damaged, folder):
        with pytest.raises(CheckpointError, match="not a checkpoint") as error:
            load_checkpoint(path)
        assert "\n" not in str(error.value)


def test_another_networks_checkpoint_is_refused(folder: Path) -> None:
    train(tiny(folder, steps=2), report=lambda _: None)
    other = replace(tiny(folder), network=UNetConfig(width=2))
    with pytest.raises(CheckpointError, match="another network"):
        train(other, report=lambda _: None)


def test_the_averaged_weights_are_the_ones_to_ship(folder: Path) -> None:
    state = load_checkpoint(train(tiny(folder), report=lambda _: None))
    for name, value in trained_network(state).state_dict().items():
        assert torch.equal(value, state["averaged"][name])
    plain = trained_network(state | {"averaged": None})
    assert torch.equal(plain.final.weight, state["network"]["final.weight"])


def test_averages_may_be_switched_on_later(folder: Path) -> None:
    train(tiny(folder, steps=2, ema_decay=0.0), report=lambda _: None)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["averaged"] is None
    train(tiny(folder, steps=4), report=lambda _: None)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["averaged"] is not None


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
