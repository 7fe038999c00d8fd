"""Checkpoints of networks with weights as if trained."""

from pathlib import Path
from typing import Any

import torch

from models.networks.octave import Octave
from models.networks.registry import build_network
from models.networks.unet import UNet
from models.training.checkpoint import save_atomically
from tests.helpers.models.unets import noise, trained_like

# Standard deviation of what the tests' network adds to noise; unet-small adds 1e-3 to 3e-3.
ADDED = 2e-3
METRICS = {"vctk_dev": {"lsd": 1.04321, "visqol": None}, "other": {"snr_db": 25}}
"""Figures for a model card."""


def quiet_unet(seed: int = 6, width: int = 4, align_corners: bool = False) -> UNet:
    """A network with weights like trained ones; it adds as much as a real one.

    Many random networks have no active ReLU or amplify rounding a hundredfold; not this seed's.
    """
    torch.manual_seed(seed)
    network = trained_like(UNet(width=width, align_corners=align_corners), seed)
    x = 0.3 * noise(1, 1, 4_096)
    with torch.no_grad():
        added = (network(x) - x)[..., 1_000:3_000].std()
        network.final.weight.mul_(ADDED / added)
    return network.requires_grad_(False)


SIZES = {"kind": "octave", "width": 24, "kernel": 3}


def octave() -> Octave:
    """Weights like trained ones: all gains differ."""
    torch.manual_seed(0)
    network = build_network(SIZES)
    assert isinstance(network, Octave)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval().requires_grad_(False)


def write_checkpoint(path: Path, trained: UNet | Octave, **changes: Any) -> Path:
    """A checkpoint with these averaged weights, and untrained ones beside them."""
    sizes = SIZES
    if isinstance(trained, UNet):
        sizes = {"width": trained.width, "align_corners": trained.align_corners}
    state = {
        "network": build_network(sizes).state_dict(),
        "averaged": trained.state_dict(),
        "optimiser": {},
        "step": 1234,
        "best": 1.0,
        "config": {"network": sizes, "data": {"train": "../shared/data/speech44/train"}},
        "validation": {"step": 1234, "val/lsd": 1.0, "val/loss/mse": 2.0, "train/mse": 3.0},
    }
    save_atomically(state | changes, path)
    return path
