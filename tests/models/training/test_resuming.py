"""A training that was interrupted in any way continues exactly."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from models.errors import CheckpointError
from models.evaluation.validation import Validation
from models.networks.unet import UNet
from models.training.checkpoint import load_checkpoint, save_atomically, trained_network
from models.training.config import AdversarialConfig, OctaveConfig, UNetConfig
from models.training.log import LOG, read_log
from models.training.loop import CHECKPOINT, TrainingStopped
from models.training.train import train
from tests.helpers.models.trainings import at_step, log, small, tiny, write_sounds, write_toml


class KilledError(Exception):
    """Simulates a power cut."""


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, undrawn: None
) -> Callable[[AdversarialConfig | None], Path]:
    """The folder of an uninterrupted training with these discriminators."""

    @cache
    def folder_of(adversarial: AdversarialConfig | None) -> Path:
        folder = write_sounds(tmp_path_factory.mktemp("whole"))
        train(tiny(folder, adversarial=adversarial), report=lambda _: None)
        return folder / "run"

    return folder_of


KILL = Mock(side_effect=KilledError)
INTERRUPT, TERMINATE = (partial(signal.raise_signal, n) for n in (signal.SIGINT, signal.SIGTERM))


@pytest.mark.parametrize(
    ("adversarial", "stop", "at", "continues_at"),
    [
        (None, KILL, 5, 4),
        (None, INTERRUPT, 4, 5),
        (None, TERMINATE, 4, 5),
        (small(), KILL, 2, 2),
        (small(), KILL, 5, 4),
    ],
)
def test_an_interrupted_training_continues_exactly(
    folder: Path, whole: Any, adversarial: Any, stop: Any, at: int, continues_at: int
) -> None:
    config, handler = (
        tiny(folder, "parts", adversarial=adversarial),
        signal.getsignal(signal.SIGINT),
    )
    with at_step(at, stop), pytest.raises((KilledError, TrainingStopped)) as error:
        train(config, report=lambda _: None)
    assert signal.getsignal(signal.SIGINT) is handler
    if stop is not KILL:
        assert "stopped at step 5; the same command" in str(error.value)
    lines: list[str] = []
    train(config, report=lines.append)
    assert lines[0] == f"continuing from step {continues_at}"
    # So are the means over the steps between two validations, half of which were before the stop.
    assert log(folder / "parts") == log(whole(adversarial))
    assert [row["step"] for row in log(folder / "parts")] == [2, 4, 6, 8]


def test_loaders_change_nothing(folder: Path, whole: Any) -> None:
    train(tiny(folder, loaders=3), report=lambda _: None)
    assert log(folder / "run") == log(whole(None))


def test_a_training_stopped_while_validating_validates_again(
    folder: Path, whole: Any, monkeypatch: pytest.MonkeyPatch
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
    assert log(folder / "parts") == log(whole(None))


def test_a_second_signal_ends_it_at_once(folder: Path) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    with at_step(0, twice), pytest.raises(KeyboardInterrupt):
        train(tiny(folder), report=lambda _: None)


def test_ctrl_c_on_the_command_line_prints_one_line_and_exits_with_130(folder: Path) -> None:
    config = write_toml(folder, steps=1_000_000, validate_every=1_000_000, batch_size=1)
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
    text = (folder / "run" / LOG).read_text()
    assert text.startswith(before)
    # A finished training returns at once.
    train(tiny(folder, steps=6), report=lambda _: None)
    assert (folder / "run" / LOG).read_text() == text


def test_a_checkpoint_of_another_training_is_refused(folder: Path) -> None:
    config = tiny(folder, steps=2, adversarial=small(start_step=0))
    config = replace(config, data=replace(config.data, also=str(folder / "val"), pool=4))
    train(config, report=lambda _: None)
    for message, changes in (
        ("another network", {"network": UNetConfig(width=2)}),
        ("another network", {"network": OctaveConfig()}),
        ("discriminators have other sizes", {"adversarial": small(band_channels=3)}),
        ("other recordings", {"data": replace(config.data, also="")}),
        ("other recordings", {}),
    ):
        if not changes:  # the same recordings in another order
            (folder / "train" / "0.wav").rename(folder / "train" / "9.wav")
        with pytest.raises(CheckpointError, match=message) as error:
            train(replace(config, **changes), report=lambda _: None)
        assert "\n" not in str(error.value)


def test_checkpoints_of_earlier_versions_go_on(folder: Path) -> None:
    train(tiny(folder, steps=2), report=lambda _: None)
    path = folder / "run" / CHECKPOINT
    state = load_checkpoint(path)
    for key in ("adversary", "data", "seconds", "pending", "best_convergence", "stale"):
        del state[key]
    del state["config"]["network"]["kind"]
    save_atomically(state, path)
    assert isinstance(trained_network(state), UNet)
    train(tiny(folder, steps=4), report=lambda _: None)
    assert load_checkpoint(path)["step"] == 4


def test_averages_and_discriminators_may_be_added_later(folder: Path) -> None:
    train(tiny(folder, steps=2, ema_decay=0.0), report=lambda _: None)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["averaged"] is None
    train(tiny(folder, steps=4, adversarial=small(start_step=2)), report=lambda _: None)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["averaged"] is not None
    assert "train/discriminator" in log(folder / "run")[-1]
