"""The adversarial phase of a training: discriminators that are trained against the network."""

from typing import Any

import torch
from torch import Tensor, nn

from models.errors import CheckpointError
from models.networks.discriminators import Discriminators, Judgement
from models.training.config import AdversarialConfig
from models.training.distributed import World

# Added to the mean size of features: a dead layer's is 0.
EPSILON = 1e-7


def discriminator_loss(real: list[Judgement], fake: list[Judgement]) -> Tensor:
    r"""Least squares, mean over the discriminators.

    .. math::
        L_D = E[(D(y) - 1)^2] + E[D(\hat y)^2]

    Source:
        Mao et al., Least Squares Generative Adversarial Networks (2017).
    """
    losses = [
        (1 - a).square().mean() + b.square().mean()
        for (a, _), (b, _) in zip(real, fake, strict=True)
    ]
    return torch.stack(losses).mean()


def adversarial_loss(fake: list[Judgement]) -> Tensor:
    """The network's counterpart of :func:`discriminator_loss`: it is 0 for scores of 1."""
    return torch.stack([(1 - score).square().mean() for score, _ in fake]).mean()


def feature_distance(real: list[Judgement], fake: list[Judgement], world: World) -> Tensor:
    """Mean absolute difference of feature maps, relative to the mean size of the real ones.

    Source:
        Larsen et al. (2016); relative as in Défossez et al., EnCodec (2022), equation 3.
    """
    parts = []
    for (_, ours), (_, theirs) in zip(real, fake, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            size = world.sum(a.abs().mean()) / world.size
            parts.append(world.sum((a - b).abs().mean()) / world.size / (size + EPSILON))
    return torch.stack(parts).mean()


class Adversary:
    """The discriminators, their optimiser, and the losses of both sides."""

    def __init__(self, config: AdversarialConfig, *, world: World, device: torch.device) -> None:
        self.config = config
        self.world = world
        self.network = Discriminators(
            from_hz=config.from_hz,
            period_channels=config.period_channels,
            band_channels=config.band_channels,
        ).to(device)
        self.shared = world.wrap(self.network, device)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, betas=config.betas
        )

    def crop(self, estimate: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same random part of both."""
        n = self.config.crop_samples
        if not n or n >= target.shape[2]:
            return estimate, target
        start = int(torch.randint(target.shape[2] - n + 1, ()))
        return estimate[:, :, start : start + n], target[:, :, start : start + n]

    def train_step(self, estimate: Tensor, target: Tensor, *, factor: float) -> dict[str, float]:
        """One step of the discriminators; returns their loss and gradient norm.

        Args:
            estimate: ``[B, 1, T]``, without gradients.
            target: ``[B, 1, T]``.
            factor: on the learning rate.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * factor
        level = self.network.level(target)
        # DistributedDataParallel allows one forward call per backward call.
        both = self.shared(torch.cat([target, estimate]), torch.cat([level, level]))
        loss = discriminator_loss(*_halves(both))
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_norm)
        self.optimiser.step()
        return {"discriminator": loss.item(), "discriminator_gradient_norm": float(norm)}

    def generator_losses(self, estimate: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The network's loss and its parts; the discriminators get no gradients from it."""
        self.network.requires_grad_(False)
        try:
            level = self.network.level(target)
            both = self.network(torch.cat([target, estimate]), torch.cat([level, level]))
        finally:
            self.network.requires_grad_(True)
        real, fake = _halves(both)
        adversarial = adversarial_loss(fake)
        matching = feature_distance(real, fake, self.world)
        weights = self.config.adversarial_weight, self.config.feature_weight
        row = {"adversarial": adversarial.item(), "feature_matching": matching.item()}
        return weights[0] * adversarial + weights[1] * matching, row

    def state(self) -> dict[str, Any]:
        """The adversary's part of a checkpoint."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from a checkpoint.

        Raises:
            CheckpointError: if its discriminators have other sizes.
        """
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError as error:
            raise CheckpointError(
                "the checkpoint's discriminators have other sizes than in [adversarial]"
            ) from error
        self.optimiser.load_state_dict(state["optimiser"])


def _halves(both: list[Judgement]) -> tuple[list[Judgement], list[Judgement]]:
    """Judgements of the first and of the second half of a batch."""
    halves = [(score.chunk(2), [f.chunk(2) for f in features]) for score, features in both]
    first, second = ([(s[i], [f[i] for f in features]) for s, features in halves] for i in (0, 1))
    return first, second
