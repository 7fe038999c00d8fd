"""Training of the U-Net: one function, resumable, batch by batch reproducible."""

import copy
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import resampy
import torch
from torch import Tensor, nn

from models.config import TrainConfig
from models.data import Corpus, find_audio, read_recording, training_batch
from models.degrade import Degrader
from models.losses import Objective
from models.metrics import score
from models.unet import UNet

CHECKPOINT = "checkpoint.pt"
BEST = "best.pt"
LOG = "log.jsonl"


def learning_rate_factor(config: TrainConfig, step: int) -> float:
    """Linear warm-up to 1, constant, and linear decay to 0 over the last steps."""
    warmup, decay = config.optimiser.warmup_steps, config.optimiser.decay_steps
    factor = min(1.0, (step + 1) / warmup) if warmup else 1.0
    if decay:
        factor *= min(1.0, (config.run.steps - step) / decay)
    return factor


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint so that a crash or a full disk leaves the old one whole."""
    temporary = path.with_suffix(".tmp")
    try:
        torch.save(state, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class AveragedModel:
    """Exponential moving average of a network's weights and batch-norm statistics."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    def update(self, network: nn.Module, step: int) -> None:
        """Move towards ``network``; faster in the first steps, which are not worth keeping."""
        decay = min(self.decay, (1 + step) / (10 + step))
        ours, theirs = self.network.state_dict(), network.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])


class Validation:
    """Whole clips through the network, scored as in the evaluation."""

    def __init__(self, folder: Path, clips: int) -> None:
        paths = find_audio(folder)
        every = max(1, len(paths) // clips)
        self.pairs = []
        for path in paths[::every][:clips]:
            reference = read_recording(path)
            reference = reference[: len(reference) // 2 * 2]
            low = resampy.resample(reference, 44_100, 22_050, filter="kaiser_best")
            source = resampy.resample(low, 22_050, 44_100, filter="kaiser_fast")
            self.pairs.append((source.astype(np.float32), reference))

    def __call__(
        self, network: nn.Module, objective: Objective, device: torch.device
    ) -> dict[str, float]:
        """Mean losses and measures over the clips."""
        was_training = network.training
        network.eval()
        rows: list[dict[str, float]] = []
        with torch.inference_mode():
            for source, reference in self.pairs:
                x = torch.from_numpy(source).to(device)[None, None]
                y = torch.from_numpy(reference).to(device)[None, None]
                estimate = network(x)
                losses = objective(estimate, y)
                row = {f"loss/{k}": float(v) for k, v in losses._asdict().items()}
                row |= score(reference, estimate[0, 0].cpu().numpy())
                rows.append(row)
        network.train(was_training)
        return {k: float(np.mean([r[k] for r in rows])) for k in rows[0]}


def choose_device(name: str) -> torch.device:
    """The device of a run; ``auto`` prefers CUDA."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def train(config: TrainConfig, *, report: Callable[[str], None] = print) -> Path:
    """Train, or go on with a training whose checkpoint lies in the run's folder.

    Args:
        config: see :class:`models.config.TrainConfig`.
        report: called with one line of progress at a time.

    Returns:
        The checkpoint with the lowest validation LSD.

    Raises:
        ValueError: if there is no usable audio.
    """
    device = choose_device(config.run.device)
    folder = Path(config.run.folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.run.seed)
    network = UNet(width=config.network.width, align_corners=config.network.align_corners)
    nn.init.zeros_(network.final.weight)  # start from the input, not from noise
    nn.init.zeros_(network.final.bias)
    network.to(device).train()
    averaged = AveragedModel(network, config.run.ema_decay) if config.run.ema_decay else None
    optimiser = torch.optim.Adam(
        network.parameters(),
        lr=config.optimiser.learning_rate,
        weight_decay=config.optimiser.weight_decay,
    )
    objective = Objective(mse_weight=config.optimiser.mse_weight).to(device)
    first_step, best = 0, float("inf")
    if (folder / CHECKPOINT).exists():
        state = torch.load(folder / CHECKPOINT, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        if averaged:
            averaged.network.load_state_dict(state["averaged"])
        first_step, best = state["step"], state["best"]
        report(f"going on from step {first_step}")
    corpus = Corpus.read(Path(config.data.train))
    validation = Validation(Path(config.data.validation), config.data.validation_clips)
    degrader = Degrader(config.data.segment_samples, random=config.data.degradation == "random")
    report(f"{corpus.seconds / 60:.1f} minutes of audio, {len(validation.pairs)} validation clips")
    started = time.monotonic()
    sums: dict[str, float] = {}

    for step in range(first_step, config.run.steps):
        factor = learning_rate_factor(config, step)
        for group in optimiser.param_groups:
            group["lr"] = config.optimiser.learning_rate * factor
        x, y = training_batch(
            corpus, degrader, batch_size=config.run.batch_size, seed=config.run.seed, step=step
        )
        losses = training_step(network, optimiser, objective, x.to(device), y.to(device), config)
        if averaged:
            averaged.update(network, step)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value
        done = step + 1
        if done % config.run.validate_every and done != config.run.steps:
            continue
        chosen = averaged.network if averaged else network
        count = (done - first_step - 1) % config.run.validate_every + 1
        row = {"step": done, "seconds": time.monotonic() - started}
        row |= {f"train/{k}": v / count for k, v in sums.items()}
        row |= {f"val/{k}": v for k, v in validation(chosen, objective, device).items()}
        sums = {}
        with (folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        report(
            f"step {done}  loss {row['train/total']:.4f}  val LSD {row['val/lsd']:.4f}  "
            f"SNR {row['val/snr_db']:.2f} dB  {row['seconds']:.0f} s"
        )
        better = row["val/lsd"] < best
        best = min(best, row["val/lsd"])
        state = {
            "network": network.state_dict(),
            "averaged": averaged.network.state_dict() if averaged else None,
            "optimiser": optimiser.state_dict(),
            "step": done,
            "best": best,
            "config": asdict(config),
            "validation": row,
        }
        save_atomically(state, folder / CHECKPOINT)
        if better:
            save_atomically(state, folder / BEST)
    return folder / BEST


def training_step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    objective: Objective,
    x: Tensor,
    y: Tensor,
    config: TrainConfig,
) -> dict[str, float]:
    """One step of gradient descent on a batch; returns the losses."""
    with torch.autocast(x.device.type, torch.bfloat16, enabled=config.run.bf16):
        estimate = network(x)
    losses = objective(estimate.float(), y)
    optimiser.zero_grad(set_to_none=True)
    losses.total.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), config.optimiser.gradient_norm)
    optimiser.step()
    return {k: v.item() for k, v in losses._asdict().items()} | {"gradient_norm": float(norm)}
