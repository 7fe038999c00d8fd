"""Trainings of a few steps on a tiny set."""

import json
from pathlib import Path
from typing import Any

import torch

from models.training.config import DataConfig, OptimiserConfig, RunConfig, TrainConfig, UNetConfig
from models.training.log import LOG

CPU = torch.device("cpu")


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
