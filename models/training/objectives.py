"""The kinds of training objectives."""

from collections.abc import Callable
from dataclasses import asdict

from torch import nn

from models.losses.octave import OctaveObjective
from models.losses.stft import Objective
from models.training.config import ObjectiveConfig
from models.training.distributed import World

# Arguments: the fields of the configuration's section, and ``world``. ``forward`` takes estimate
# and target, ``[B, 1, T]`` at 44.1 kHz, and returns a NamedTuple of scalars. ``total`` is
# minimised, and all are logged under their names.
OBJECTIVES: dict[str, Callable[..., nn.Module]] = {
    "thesis": Objective,
    # Its losses are means over the batch: the mean of all processes' gradients is the joint
    # batch's, without any sums over the processes.
    "octave": lambda world: OctaveObjective(),  # noqa: ARG005 - an argument of all objectives
}


def build_objective(config: ObjectiveConfig, *, world: World) -> nn.Module:
    """The objective of a configuration's section."""
    weights = asdict(config)
    return OBJECTIVES[weights.pop("kind")](world=world, **weights)
