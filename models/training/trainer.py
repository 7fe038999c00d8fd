"""A network with everything that changes while it trains."""

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
    """The device of a run; ``auto`` prefers CUDA. Processes of one machine take a GPU each.

    Raises:
        ConfigError: if there is no such device here.
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
    return kind(
        module.parameters(),
        lr=config.learning_rate,
        betas=config.betas,
        weight_decay=config.weight_decay,
    )


class Trainer:
    """Network, averaged weights, optimiser and the measures since the last validation.

    Args:
        config: see :class:`models.training.config.TrainConfig`.
        world: the processes that share each batch.
        data: fingerprint of the recordings; a checkpoint of others is refused.

    Attributes:
        adversary: the discriminators, where the configuration has any.
        step: how many steps are done.
        pending: measures of the steps since the last validation.
        best: lowest validation LSD so far.
        best_convergence: lowest validation spectral convergence so far; where the objective has
            none, its lowest total.
        stale: validations since then.
        validation: the last row of the log.
        seconds: time the training has taken.

    Raises:
        ConfigError: if the device is missing.
    """

    def __init__(self, config: TrainConfig, *, world: World | None = None, data: str = "") -> None:
        self.config = config
        self.world = world or World()
        self.data = data
        self.device = choose_device(config.run.device, local_rank=self.world.local_rank)
        if self.device.type == "cuda":
            # Products of 11-bit numbers: far finer than bf16, and several times faster than not.
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
        # Behind the network, whose first weights are the same with it and without.
        self.adversary: Adversary | None = None
        if config.adversarial:
            self.adversary = Adversary(config.adversarial, world=self.world, device=self.device)
        self.step = 0
        self.pending: list[dict[str, float]] = []
        self.best = math.inf
        self.best_convergence = math.inf
        self.stale = 0
        self.validation: dict[str, float] = {}
        self.seconds = 0.0

    @property
    def chosen(self) -> nn.Module:
        """The network that is validated and shipped."""
        return self.averaged.module if self.averaged else self.network

    @property
    def criterion(self) -> str:
        """The validation loss that decides when a training is over."""
        key = "spectral_convergence"
        return key if f"val/loss/{key}" in self.validation else "total"

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointError: if it is damaged, of another network or of other recordings.
        """
        state = load_checkpoint(path, device=self.device)
        ours, theirs = asdict(self.config.network), with_kind(state["config"]["network"])
        if ours != theirs:
            raise CheckpointError(
                f"{path} holds another network ({theirs}, not {ours}); choose another run.folder"
            )
        # Checkpoints of before have no fingerprint.
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
        # A training may get its adversarial phase afterwards.
        if self.adversary and state.get("adversary"):
            self.adversary.resume(state["adversary"])
        self.step, self.best = state["step"], state["best"]
        self.validation = state["validation"]
        self.seconds = state.get("seconds", self.validation.get("seconds", 0.0))
        self.pending = state.get("pending", [])
        self.best_convergence = state.get("best_convergence", math.inf)
        self.stale = state.get("stale", 0)

    @property
    def objective_alone(self) -> nn.Module:
        """The losses of one process's own clips."""
        if self.world.size == 1:
            return self.objective
        return build_objective(self.config.objective, world=World()).to(self.device)

    def validated(self, row: dict[str, float]) -> bool:
        """Take note of a validation's row; True if it is the best."""
        self.validation = row
        convergence = row[f"val/loss/{self.criterion}"]
        self.stale = 0 if convergence < self.best_convergence else self.stale + 1
        self.best_convergence = min(self.best_convergence, convergence)
        better = row["val/lsd"] < self.best
        self.best = min(self.best, row["val/lsd"])
        return better

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
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
            "pending": self.pending,
            "best_convergence": self.best_convergence,
            "stale": self.stale,
            "data": self.data,
        }

    def train_on(self, x: Tensor, y: Tensor) -> dict[str, float]:
        """One step of gradient descent on a batch, or on our share of it; returns its losses.

        Raises:
            TrainingError: if the loss is not finite.
        """
        factor = learning_rate_factor(self.config, self.step)
        adversary = self.adversary if self.adversary and self.adversary.begun(self.step) else None
        if adversary and self.step == adversary.config.start_step:
            # What was best without discriminators is no measure for what comes.
            self.best, self.best_convergence, self.stale = math.inf, math.inf, 0
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.optimiser.learning_rate * factor
            if adversary:
                group["lr"] *= adversary.config.generator_factor
        run = self.config.run
        # Networks may draw noise: the same for the same step, so resuming stays exact.
        seed = np.random.SeedSequence([run.seed, self.step, self.world.rank]).generate_state(1)
        torch.manual_seed(int(seed[0]))
        with arithmetic(self.device, bf16=run.bf16, bf16_backward=run.bf16_backward):
            estimate = self.shared(x.to(self.device, non_blocking=True)).float()
        target = y.to(self.device, non_blocking=True)
        losses = self.objective(estimate, target)
        row = {k: torch.as_tensor(v).item() for k, v in losses._asdict().items()}
        total = losses.total
        if adversary:
            cut, real = adversary.cut(estimate, target)
            row |= adversary.learn(cut.detach(), real, factor=factor)
            verdicts = adversary.judge(cut, real)
            row |= {k: v.item() for k, v in verdicts._asdict().items() if k != "total"}
            total = total + verdicts.total
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
