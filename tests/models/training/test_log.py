"""The progress of a training: curves, TensorBoard, a bar."""

import io
import sys
import warnings
from pathlib import Path

import pytest

from models.evaluation.plots import curves, png
from models.training.log import CURVES
from models.training.train import train
from tests.helpers.models.trainings import log, tiny


def test_a_training_shows_a_bar_with_loss_and_speed_and_draws_curves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.training.log.curves", curves)
    monkeypatch.setattr("models.training.log.png", png)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    train(tiny(folder, steps=2), report=lambda _: None, progress=True)
    assert "s of audio/s" in terminal.getvalue()
    assert "loss" in terminal.getvalue()
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


def test_missing_tensorboard_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_folder: Path) -> None:
        raise ImportError("no tensorboard")

    monkeypatch.setattr("models.training.log._summary_writer", missing)
    lines: list[str] = []
    train(tiny(folder, steps=2, tensorboard=True), report=lines.append)
    assert any("pip install 'topoctave[train]'" in line for line in lines)
    assert len(log(folder / "run")) == 1
