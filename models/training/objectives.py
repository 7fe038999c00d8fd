"""The kinds of training objectives, and the one place where they are built."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from torch import nn

from models.losses.octave import OctaveObjective
from models.losses.stft import Objective
from models.training.config import ObjectiveConfig
from models.training.distributed import World


def _octave(*, world: World, **weights: Any) -> nn.Module:
    # Its losses are means over the batch, so the mean of all processes' gradients, which is what
    # they share anyway, is the joint batch's.
    del world
    return OctaveObjective(**weights)


# Each takes the fields of its configuration and the processes that share a batch as keywords. Its
# forward takes an estimate and a target, both ``[B, 1, T]`` at 44.1 kHz, and returns a NamedTuple
# of scalars; the first is ``total``, and the others are logged by their names.
OBJECTIVES: dict[str, Callable[..., nn.Module]] = {"thesis": Objective, "octave": _octave}


def build_objective(config: ObjectiveConfig, *, world: World) -> nn.Module:
    """The objective of a configuration, for the processes of ``world``."""
    weights = asdict(config)
    return OBJECTIVES[weights.pop("kind")](world=world, **weights)
