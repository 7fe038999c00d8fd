"""A training that was interrupted in any way continues exactly."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.errors import CheckpointError
from models.evaluation.validation import Validation
from models.training.checkpoint import load_checkpoint, save_atomically
from models.training.config import UNetConfig
from models.training.log import LOG, read_log
from models.training.loop import CHECKPOINT, TrainingStopped
from models.training.train import train
from models.training.trainer import Trainer
from tests.helpers.models.trainings import SOUNDS, log, tiny, write_sounds

pytestmark = pytest.mark.usefixtures("undrawn")


class KilledError(Exception):
    """Simulates a power cut."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, undrawn: None) -> Path:
    """Folder of an uninterrupted training."""
    folder = write_sounds(tmp_path_factory.mktemp("whole"), **SOUNDS)
    train(tiny(folder), report=lambda _: None)
    return folder / "run"


def assert_same_weights(first: Path, second: Path) -> None:
    """The checkpoints of two trainings have the same network and average."""
    one, other = (load_checkpoint(folder / CHECKPOINT) for folder in (first, second))
    for key in ("network", "averaged"):
        for name, value in one[key].items():
            assert torch.equal(value, other[key][name]), f"{key} {name}"


@pytest.mark.parametrize("stop_at", [4, 5], ids=["at a checkpoint", "between checkpoints"])
def test_resuming_gives_the_losses_of_an_uninterrupted_run(
    folder: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
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

    assert lines[0] == "continuing from step 4"
    assert [row["step"] for row in log(folder / "parts")] == [2, 4, 6, 8]
    assert log(folder / "parts") == log(whole)
    assert_same_weights(whole, folder / "parts")


def stopping(monkeypatch: pytest.MonkeyPatch, number: int, *, at: int) -> None:
    """Send a signal in the step after ``at`` steps."""
    train_on = Trainer.train_on

    def signalled(self: Trainer, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        if self.step == at:
            signal.raise_signal(number)
        return train_on(self, x, y)

    monkeypatch.setattr(Trainer, "train_on", signalled)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_training_continues_exactly(
    folder: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with monkeypatch.context() as patch:
        stopping(patch, number, at=4)
        with pytest.raises(TrainingStopped, match="stopped at step 5; the same command"):
            train(tiny(folder, "parts"), report=lambda _: None)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert load_checkpoint(folder / "parts" / CHECKPOINT)["step"] == 5
    lines: list[str] = []
    train(tiny(folder, "parts"), report=lines.append)
    assert lines[0] == "continuing from step 5"
    # So are the means over the steps between two validations, half of which were before the stop.
    assert log(folder / "parts") == log(whole)
    assert_same_weights(whole, folder / "parts")


def test_a_training_stopped_while_validating_validates_again(
    folder: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    assert log(folder / "parts") == log(whole)


def test_a_second_signal_ends_it_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(self: Trainer, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    monkeypatch.setattr(Trainer, "train_on", twice)
    with pytest.raises(KeyboardInterrupt):
        train(tiny(folder), report=lambda _: None)


def test_ctrl_c_on_the_command_line_prints_one_line_and_exits_with_130(folder: Path) -> None:
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
    assert "the same command continues" in rest
    assert load_checkpoint(folder / "run" / CHECKPOINT)["step"] > 0


def test_rows_after_the_checkpoint_are_dropped_from_the_log(folder: Path) -> None:
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


def test_a_finished_training_returns_at_once(folder: Path) -> None:
    first = train(tiny(folder), report=lambda _: None)
    before = log(folder / "run")
    assert train(tiny(folder), report=lambda _: None) == first
    assert log(folder / "run") == before


def test_other_recordings_may_be_mixed_in(folder: Path) -> None:
    config = tiny(folder)
    mixed = replace(config, data=replace(config.data, also=str(folder / "val"), pool=4))
    train(mixed, report=lambda _: None)
    with pytest.raises(CheckpointError, match="other recordings"):
        train(config, report=lambda _: None)


def test_another_networks_checkpoint_is_refused(folder: Path) -> None:
    train(tiny(folder, steps=2), report=lambda _: None)
    other = replace(tiny(folder), network=UNetConfig(width=2))
    with pytest.raises(CheckpointError, match="another network"):
        train(other, report=lambda _: None)


def test_averages_may_be_switched_on_later(folder: Path) -> None:
    train(tiny(folder, steps=2, ema_decay=0.0), report=lambda _: None)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["averaged"] is None
    train(tiny(folder, steps=4), report=lambda _: None)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["averaged"] is not None
