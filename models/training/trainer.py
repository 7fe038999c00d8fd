"""The state of a training, and its step."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from models.errors import CheckpointError, ConfigError, TrainingError
from models.networks.registry import build_network, with_kind
from models.training.adversarial import Adversary
from models.training.bf16_backward import arithmetic
from models.training.checkpoint import load_checkpoint
from models.training.config import OptimiserConfig, TrainConfig
from models.training.distributed import World
from models.training.ema import averaged_model
from models.training.objectives import build_objective


def learning_rate_factor(config: TrainConfig, step: int) -> float:
    """Linear warm-up to 1, constant, and decay to 0 over the last steps."""
    optimiser = config.optimiser
    warmup, decay = optimiser.warmup_steps, optimiser.decay_steps
    factor = min(1.0, (step + 1) / warmup) if warmup else 1.0
    if decay:
        left = min(1.0, (config.run.steps - step) / decay)
        factor *= 0.5 - 0.5 * math.cos(math.pi * left) if optimiser.decay == "cosine" else left
    return factor


def choose_device(name: str, *, local_rank: int = 0) -> torch.device:
    """The device of a run; ``auto`` prefers CUDA. Each process of a machine gets its own GPU.

    Raises:
        ConfigError: if this machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", local_rank)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        raise ConfigError(f"run.device: there is no device {name!r} here") from error
    return device


def make_optimiser(module: nn.Module, config: OptimiserConfig) -> torch.optim.Optimizer:
    """Adam, or AdamW."""
    kind = torch.optim.AdamW if config.decoupled_weight_decay else torch.optim.Adam
    rate, decay = config.learning_rate, config.weight_decay
    return kind(module.parameters(), lr=rate, betas=config.betas, weight_decay=decay)


class Trainer:
    """Network, averaged weights, optimiser, and the losses since the last validation.

    Args:
        config: see :class:`models.training.config.TrainConfig`.
        world: the processes that share each batch.
        data: fingerprint of the recordings; ``resume`` rejects a checkpoint with another one.

    Attributes:
        step: number of completed steps.
        step_logs: losses and norms of each step since the last validation.
        best: lowest validation LSD so far.
        best_convergence: lowest validation spectral convergence so far; lowest total loss if the
            objective has no spectral convergence.
        validations_without_improvement: validations since ``best_convergence``.
        validation: the last row of the log.
        seconds: duration of the training so far.

    Raises:
        ConfigError: if the device is missing.
    """

    def __init__(self, config: TrainConfig, *, world: World | None = None, data: str = "") -> None:
        self.config = config
        self.world = world or World()
        self.data = data
        self.device = choose_device(config.run.device, local_rank=self.world.local_rank)
        if self.device.type == "cuda":
            # "high" is TF32: finer than bfloat16, and several times faster than float32.
            torch.set_float32_matmul_precision("high" if config.run.tf32 else "highest")
            torch.backends.cudnn.allow_tf32 = config.run.tf32
            torch.cuda.set_device(self.device)
        torch.manual_seed(config.run.seed)
        self.network = build_network(asdict(config.network)).to(self.device).train()
        self.averaged: AveragedModel | None = None
        if config.run.ema_decay:
            self.averaged = averaged_model(self.network, config.run.ema_decay)
        self.shared = self.world.wrap(self.network, self.device)
        if isinstance(self.shared, nn.parallel.DistributedDataParallel):
            self.network = self.shared.module
        self.optimiser = make_optimiser(self.network, config.optimiser)
        self.objective = build_objective(config.objective, world=self.world).to(self.device)
        # One process scores all clips, without sums over the processes.
        self.validation_objective = build_objective(config.objective, world=World()).to(self.device)
        # Built after the network, so that the network's initial weights do not depend on it.
        self.adversary: Adversary | None = None
        if config.adversarial:
            self.adversary = Adversary(config.adversarial, world=self.world, device=self.device)
        self.step = 0
        self.step_logs: list[dict[str, float]] = []
        self.best = math.inf
        self.best_convergence = math.inf
        self.validations_without_improvement = 0
        self.validation: dict[str, float] = {}
        self.seconds = 0.0

    @property
    def evaluated_network(self) -> nn.Module:
        """The network that is validated and exported: averaged weights if there are any."""
        return self.averaged.module if self.averaged else self.network

    @property
    def criterion(self) -> str:
        """The validation loss that ends a training with ``run.patience``."""
        key = "spectral_convergence"
        return key if f"val/loss/{key}" in self.validation else "total"

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            CheckpointError: if it is damaged, or has another network or other recordings.
        """
        state = load_checkpoint(path, device=self.device)
        ours, theirs = asdict(self.config.network), with_kind(state["config"]["network"])
        if ours != theirs:
            raise CheckpointError(
                f"{path} holds another network ({theirs}, not {ours}); choose another run.folder"
            )
        # Old checkpoints have no fingerprint.
        if self.data and state.get("data", self.data) != self.data:
            raise CheckpointError(
                f"{path} was trained on other recordings than data.train holds now "
                f"({self.config.data.train}); choose another run.folder"
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.averaged:
            self.averaged.module.load_state_dict(state["averaged"] or state["network"])
            self.averaged.n_averaged.fill_(1 + state["step"])
        # An adversarial phase may be added to a training that began without one.
        if self.adversary and state.get("adversary"):
            self.adversary.resume(state["adversary"])
        self.step, self.best = state["step"], state["best"]
        self.validation = state["validation"]
        self.seconds = state.get("seconds", self.validation.get("seconds", 0.0))
        self.step_logs = state.get("pending", [])
        self.best_convergence = state.get("best_convergence", math.inf)
        self.validations_without_improvement = state.get("stale", 0)

    def add_validation(self, row: dict[str, float]) -> bool:
        """Record a validation's row; returns whether it has the lowest LSD."""
        self.validation = row
        convergence = row[f"val/loss/{self.criterion}"]
        self.validations_without_improvement += 1
        if convergence < self.best_convergence:
            self.validations_without_improvement = 0
        self.best_convergence = min(self.best_convergence, convergence)
        better = row["val/lsd"] < self.best
        self.best = min(self.best, row["val/lsd"])
        return better

    def state(self) -> dict[str, Any]:
        """The contents of a checkpoint."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.module.state_dict() if self.averaged else None,
            "optimiser": self.optimiser.state_dict(),
            "adversary": self.adversary.state() if self.adversary else None,
            "step": self.step,
            "best": self.best,
            "config": asdict(self.config),
            "validation": self.validation,
            "seconds": self.seconds,
            "pending": self.step_logs,
            "best_convergence": self.best_convergence,
            "stale": self.validations_without_improvement,
            "data": self.data,
        }

    def train_on(self, x: Tensor, y: Tensor) -> dict[str, float]:
        """One step of gradient descent on this process's share of a batch; returns its losses.

        Raises:
            TrainingError: if the loss is not finite.
        """
        factor = learning_rate_factor(self.config, self.step)
        phase = self.config.adversarial
        adversary = self.adversary if phase and self.step >= phase.start_step else None
        if adversary and self.step == adversary.config.start_step:
            # Scores with and without discriminators cannot be compared.
            self.best = self.best_convergence = math.inf
            self.validations_without_improvement = 0
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.optimiser.learning_rate * factor
            if adversary:
                group["lr"] *= adversary.config.generator_factor
        run = self.config.run
        # Networks may draw noise. A seed per step keeps resuming exact.
        seed = np.random.SeedSequence([run.seed, self.step, self.world.rank]).generate_state(1)
        torch.manual_seed(int(seed[0]))
        with arithmetic(self.device, bf16=run.bf16, bf16_backward=run.bf16_backward):
            estimate = self.shared(x.to(self.device, non_blocking=True)).float()
        target = y.to(self.device, non_blocking=True)
        losses = self.objective(estimate, target)
        row = {k: torch.as_tensor(v).item() for k, v in losses._asdict().items()}
        total = losses.total
        if adversary:
            crop, real = adversary.crop(estimate, target)
            row |= adversary.train_step(crop.detach(), real, factor=factor)
            added, parts = adversary.generator_losses(crop, real)
            row |= parts
            total = total + added
        if not math.isfinite(total.item()):
            raise TrainingError(
                f"the loss of step {self.step + 1} is {total.item()}: the training diverged; "
                "a lower optimiser.learning_rate may help"
            )
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        limit = self.config.optimiser.gradient_norm
        row["gradient_norm"] = float(nn.utils.clip_grad_norm_(self.network.parameters(), limit))
        self.optimiser.step()
        if self.averaged:
            self.averaged.update_parameters(self.network)
        self.step += 1
        return row
