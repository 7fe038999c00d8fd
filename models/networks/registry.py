"""The kinds of networks that can be trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from models.networks.octave import Octave
from models.networks.unet import UNet


def _unet(*, width: int, align_corners: bool) -> nn.Module:
    network = UNet(width=width, align_corners=align_corners)
    network.start_as_identity()
    return network


@dataclass(frozen=True)
class NetworkKind:
    """A kind of network.

    Attributes:
        build: makes a network; its keywords are the fields of the kind's configuration.
        front_end: a key of :data:`models.data.front_end.FRONT_ENDS`.
    """

    build: Callable[..., nn.Module]
    front_end: str


NETWORKS: dict[str, NetworkKind] = {
    "unet": NetworkKind(_unet, "kaiser_fast"),
    "octave": NetworkKind(Octave, "none"),
}


def with_kind(sizes: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's network configuration; old checkpoints have no kind."""
    return {"kind": "unet"} | dict(sizes)


def build_network(sizes: Mapping[str, Any]) -> nn.Module:
    """An untrained network, from the section ``[network]`` of a configuration.

    Raises:
        ValueError: if a size is wrong.
    """
    sizes = with_kind(sizes)
    return NETWORKS[sizes.pop("kind")].build(**sizes)
