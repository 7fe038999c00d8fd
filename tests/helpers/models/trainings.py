"""Trainings of a few steps on a tiny set."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from models.training.config import DataConfig, OptimiserConfig, RunConfig, TrainConfig, UNetConfig
from models.training.log import LOG

CPU = torch.device("cpu")


SOUNDS = {"train": [8_000, 9_000, 10_000], "val": [8_000, 9_000]}


def write_sounds(folder: Path, **lengths: list[int]) -> Path:
    """Folders of full-band sounds with these lengths in samples, the same in every call."""
    rng = np.random.default_rng(20_260)
    for name, samples in lengths.items():
        (folder / name).mkdir()
        for i, n in enumerate(samples):
            audio = rng.normal(0.0, 0.1, n) * np.hanning(n)
            soundfile.write(folder / name / f"{i}.wav", audio, 44_100, subtype="FLOAT")
    return folder


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
