"""Trainings of a few steps on a tiny set."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from models.training.config import (
    AdversarialConfig,
    DataConfig,
    OptimiserConfig,
    RunConfig,
    TrainConfig,
    UNetConfig,
)
from models.training.log import LOG
from models.training.trainer import Trainer

CPU = torch.device("cpu")


def write_sounds(folder: Path) -> Path:
    """Folders ``train`` and ``val`` of short full-band sounds, the same in every call."""
    rng = np.random.default_rng(20_260)
    for name, samples in {"train": (8_000, 9_000, 10_000), "val": (8_000, 9_000)}.items():
        (folder / name).mkdir()
        for i, n in enumerate(samples):
            audio = rng.normal(0.0, 0.1, n) * np.hanning(n)
            soundfile.write(folder / name / f"{i}.wav", audio, 44_100, subtype="FLOAT")
    return folder


def tiny(
    folder: Path, run: str = "run", *, adversarial: AdversarialConfig | None = None, **changes: Any
) -> TrainConfig:
    """Eight steps on the sounds of a folder, validated after every second one."""
    values = {"steps": 8, "batch_size": 2, "validate_every": 2, "ema_decay": 0.9, "device": "cpu"}
    values |= {"tensorboard": False}
    return TrainConfig(
        data=DataConfig(
            train=str(folder / "train"),
            validation=str(folder / "val"),
            segment_samples=8_192 if adversarial else 2_048,
        ),
        network=UNetConfig(width=1),
        optimiser=OptimiserConfig(learning_rate=1e-3, warmup_steps=3, decay_steps=4),
        run=RunConfig(folder=str(folder / run), **(values | changes)),
        adversarial=adversarial,
    )


def small(**changes: Any) -> AdversarialConfig:
    """Discriminators with few channels, from the fourth step on."""
    values: dict[str, Any] = {"start_step": 3, "period_channels": 1, "band_channels": 2}
    return AdversarialConfig(**(values | {"crop_samples": 4_096, "learning_rate": 1e-3} | changes))


def write_toml(folder: Path, **changes: Any) -> Path:
    """The configuration :func:`tiny` as a file."""
    text = ""
    for section, values in asdict(tiny(folder, **changes)).items():
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in (values or {}).items()]
        text += f"[{section}]\n{''.join(lines)}" if values else ""
    (folder / "tiny.toml").write_text(text)
    return folder / "tiny.toml"


@contextmanager
def at_step(step: int, action: Callable[[], Any]) -> Iterator[None]:
    """Trainings call ``action`` before they make the step after ``step`` steps."""
    train_on = Trainer.train_on

    def interrupted(self: Trainer, x: Tensor, y: Tensor) -> dict[str, float]:
        if self.step == step:
            action()
        return train_on(self, x, y)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "train_on", interrupted)
        yield


def log(folder: Path) -> list[dict[str, float]]:
    """The rows of a training's log without what depends on the machine's speed."""
    rows = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    times = ("seconds", "train/network_share")
    return [{k: v for k, v in row.items() if k not in times} for row in rows]
