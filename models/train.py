"""Training of the U-Net: one function, resumable, batch by batch reproducible."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.averaging import AveragedModel
from models.checkpoint import load_checkpoint, save_atomically
from models.config import TrainConfig
from models.data import Corpus, training_batch
from models.degrade import Degrader
from models.losses import Objective
from models.precision import arithmetic
from models.unet import UNet
from models.validation import Validation

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


def choose_device(name: str) -> torch.device:
    """The device of a run; ``auto`` prefers CUDA.

    Raises:
        ValueError: if there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        raise ValueError(f"run.device: there is no device {name!r} here") from error
    return device


class Trainer:
    """A network with everything that changes while it trains.

    Args:
        config: see :class:`models.config.TrainConfig`.

    Raises:
        ValueError: if the device is missing.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.device = choose_device(config.run.device)
        torch.manual_seed(config.run.seed)
        network = UNet(width=config.network.width, align_corners=config.network.align_corners)
        network.start_as_identity()  # start from the input, not from noise
        self.network = network.to(self.device).train()
        self.averaged: AveragedModel | None = None
        if config.run.ema_decay:
            self.averaged = AveragedModel(self.network, config.run.ema_decay)
        self.optimiser = torch.optim.Adam(
            self.network.parameters(),
            lr=config.optimiser.learning_rate,
            weight_decay=config.optimiser.weight_decay,
        )
        self.objective = Objective(mse_weight=config.optimiser.mse_weight).to(self.device)
        self.step = 0
        self.best = float("inf")
        self.seconds = 0.0

    @property
    def chosen(self) -> nn.Module:
        """The network that is validated and shipped."""
        return self.averaged.network if self.averaged else self.network

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            ValueError: if it is damaged or of another network.
        """
        state = load_checkpoint(path, device=self.device)
        ours, theirs = asdict(self.config.network), state["config"]["network"]
        if ours != theirs:
            raise ValueError(
                f"{path} holds another network ({theirs}, not {ours}); choose another run.folder"
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.averaged:
            self.averaged.network.load_state_dict(state["averaged"] or state["network"])
        self.step, self.best = state["step"], state["best"]
        self.seconds = state["validation"]["seconds"]

    def state(self, validation: dict[str, float]) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.network.state_dict() if self.averaged else None,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "best": self.best,
            "config": asdict(self.config),
            "validation": validation,
        }

    def train_on(self, x: Tensor, y: Tensor) -> dict[str, float]:
        """One step of gradient descent on a batch; returns its losses.

        Raises:
            ValueError: if the loss is not finite.
        """
        factor = learning_rate_factor(self.config, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.optimiser.learning_rate * factor
        run = self.config.run
        with arithmetic(self.device, bf16=run.bf16, bf16_backward=run.bf16_backward):
            estimate = self.network(x.to(self.device))
        losses = self.objective(estimate.float(), y.to(self.device))
        row = {k: v.item() for k, v in losses._asdict().items()}
        if not math.isfinite(row["total"]):
            raise ValueError(
                f"the loss of step {self.step + 1} is {row['total']}: the training diverged; "
                "a lower optimiser.learning_rate may help"
            )
        self.optimiser.zero_grad(set_to_none=True)
        losses.total.backward()
        limit = self.config.optimiser.gradient_norm
        row["gradient_norm"] = float(nn.utils.clip_grad_norm_(self.network.parameters(), limit))
        self.optimiser.step()
        if self.averaged:
            self.averaged.update(self.network, self.step)
        self.step += 1
        return row


def train(config: TrainConfig, *, report: Callable[[str], None] = print) -> Path:
    """Train, or go on with a training whose checkpoint lies in the run's folder.

    The folder gets ``checkpoint.pt`` (to go on from), ``best.pt`` (lowest validation LSD) and
    ``log.jsonl`` (one object per validation). Stopped at any time and started again, a training
    sees the same batches and losses as one that was never stopped.

    Args:
        config: see :class:`models.config.TrainConfig`.
        report: called with one line of progress at a time.

    Returns:
        The checkpoint with the lowest validation LSD.

    Raises:
        ValueError: if there is no usable audio or device, the run's folder cannot be written or
            holds the checkpoint of another network, or the training diverges.
    """
    folder = Path(config.run.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"run.folder: cannot make {folder}: {error.strerror}") from error
    trainer = Trainer(config)
    if (folder / CHECKPOINT).exists():
        trainer.resume(folder / CHECKPOINT)
        report(f"going on from step {trainer.step}")
    corpus = Corpus.read(Path(config.data.train))
    validation = Validation(Path(config.data.validation), config.data.validation_clips)
    degrader = Degrader(config.data.segment_samples, random=config.data.degradation == "random")
    report(f"{corpus.seconds / 60:.1f} minutes of audio, {len(validation.pairs)} validation clips")
    started = time.monotonic() - trainer.seconds
    rows: list[dict[str, float]] = []

    while trainer.step < config.run.steps:
        x, y = training_batch(
            corpus,
            degrader,
            batch_size=config.run.batch_size,
            seed=config.run.seed,
            step=trainer.step,
        )
        rows.append(trainer.train_on(x, y))
        if trainer.step % config.run.validate_every and trainer.step != config.run.steps:
            continue
        measures = validation(trainer.chosen, trainer.objective, trainer.device)
        row = {"step": trainer.step, "seconds": time.monotonic() - started}
        row |= {f"train/{k}": sum(r[k] for r in rows) / len(rows) for k in rows[0]}
        row |= {f"val/{k}": v for k, v in measures.items()}
        rows = []
        _keep(trainer, row, folder)
        report(
            f"step {trainer.step}  loss {row['train/total']:.4f}  val LSD {row['val/lsd']:.4f}  "
            f"SNR {row['val/snr_db']:.2f} dB  {row['seconds']:.0f} s"
        )
    return folder / BEST


def _keep(trainer: Trainer, row: dict[str, float], folder: Path) -> None:
    """Log a validation and write the checkpoints."""
    better = row["val/lsd"] < trainer.best
    trainer.best = min(trainer.best, row["val/lsd"])
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(row) + "\n")
    state = trainer.state(row)
    save_atomically(state, folder / CHECKPOINT)
    if better:
        save_atomically(state, folder / BEST)
