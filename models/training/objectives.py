"""The kinds of training objectives."""

from torch import nn

from models.losses.octave import OctaveObjective
from models.losses.stft import Objective
from models.training.config import ObjectiveConfig, ThesisObjectiveConfig
from models.training.distributed import World


def build_objective(config: ObjectiveConfig, *, world: World) -> nn.Module:
    """The objective of a configuration's section.

    ``forward`` takes estimate and target, ``[B, 1, T]`` at 44.1 kHz, and returns a NamedTuple of
    scalars. ``total`` is minimised, and all are logged under their names.
    """
    if isinstance(config, ThesisObjectiveConfig):
        return Objective(mse_weight=config.mse_weight, world=world)
    # Its losses are means over the batch: the gradients need no sums over the processes.
    return OctaveObjective()
