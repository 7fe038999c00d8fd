"""The kinds of networks that can be trained, and the one place where they are built."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from models.networks.octave import Octave
from models.networks.unet import UNet


def _unet(*, width: int, align_corners: bool) -> nn.Module:
    network = UNet(width=width, align_corners=align_corners)
    network.start_as_identity()  # start from the input, not from noise
    return network


@dataclass(frozen=True)
class NetworkKind:
    """What training, validation and export have to know of a kind of network.

    Attributes:
        build: makes a fresh network; takes the fields of the kind's configuration as keywords.
        front_end: what its input has been through, one of :data:`models.data.front_end.FRONT_ENDS`.
    """

    build: Callable[..., nn.Module]
    front_end: str


NETWORKS: dict[str, NetworkKind] = {
    "unet": NetworkKind(_unet, "kaiser_fast"),
    "octave": NetworkKind(Octave, "none"),
}


def with_kind(sizes: Mapping[str, Any]) -> dict[str, Any]:
    """A network's configuration as a checkpoint holds it; those of before name no kind."""
    return {"kind": "unet"} | dict(sizes)


def build_network(sizes: Mapping[str, Any]) -> nn.Module:
    """A fresh network.

    Args:
        sizes: ``[network]`` of a configuration as a dictionary, with its kind.

    Raises:
        ValueError: if a size is wrong.
    """
    sizes = with_kind(sizes)
    return NETWORKS[sizes.pop("kind")].build(**sizes)
