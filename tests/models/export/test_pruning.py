"""Pruned U-Nets: narrower, with the same output."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

import models.export.pruning
from models.errors import CheckpointError, DataError
from models.export.export import PARITY, export
from models.export.half_precision import error_db
from models.export.pruning import BELOW_ADDED_DB, MIN_CHANNELS, MULTIPLE, pruned, pruning_input
from models.networks.unet import UNet
from realtime.inference.model_file import find_model
from tests.helpers.models.checkpoints import octave, quiet_unet, write_checkpoint
from tests.helpers.models.unets import noise

# A width with channels to remove.
WIDTH = 8


def pairs(network: UNet) -> list[Any]:
    children: Any = network
    return [network.inp, *children.down, *(up.conv for up in children.up)]


def widths(network: UNet) -> list[tuple[int, int]]:
    return [(pair[0].out_channels, pair[3].out_channels) for pair in pairs(network)]


def with_idle_channels(*, shut: bool) -> UNet:
    """Three quarters of the deep levels' channels are constant, or never pass their ReLU."""
    network = quiet_unet(width=WIDTH)
    # Levels with 16 channels or more in a quarter.
    for pair in pairs(network)[4:10]:
        for norm, constant in ((pair[1], -1.0 if shut else 0.3), (pair[4], 0.3)):
            idle = torch.arange(norm.num_features) % 4 > 0
            norm.weight[idle] = 0.01 if shut and norm is pair[1] else 0.0
            norm.bias[idle] = constant
    return network


def pruning_error_db(narrow: UNet, network: UNet, x: Tensor) -> float:
    y = network(x)
    return error_db(narrow(x), y, y - x)


def sounds(seed: int = 1) -> Tensor:
    return 0.3 * noise(4, 1, 8_192, seed=seed)


@pytest.mark.parametrize("shut", [False, True])
def test_idle_channels_are_removed_inaudibly(shut: bool) -> None:
    network = with_idle_channels(shut=shut)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    narrow = pruned(network, sounds())
    for old, new in list(zip(widths(network), widths(narrow), strict=True))[4:10]:
        for a, b in zip(old, new, strict=True):
            assert b <= max(a // 4, MIN_CHANNELS)
            assert b == a or (b >= MIN_CHANNELS and b % MULTIPLE == 0)
    assert pruning_error_db(narrow, network, sounds()) <= -BELOW_ADDED_DB
    # Also for a signal that it was not pruned by.
    assert pruning_error_db(narrow, network, sounds(2)) <= 10 - BELOW_ADDED_DB
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_a_diverged_network_is_left_for_others_to_refuse() -> None:
    network = quiet_unet()
    network.final.weight.fill_(torch.nan)
    assert widths(pruned(network, sounds())) == widths(network)


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(models.export.pruning, "SEGMENTS", 2)
    monkeypatch.setattr(models.export.pruning, "SEGMENT_SAMPLES", 16_384)
    folder = tmp_path / "recordings"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        soundfile.write(folder / f"{name}.wav", 0.1 * rng.normal(size=100_000), 44_100)
    return folder


def test_a_pruned_file_states_its_number_of_parameters(tmp_path: Path, recordings: Path) -> None:
    path = write_checkpoint(tmp_path / "c.pt", with_idle_channels(shut=False))
    metadata = export(path, tmp_path / "m.ts", half=False, prune=recordings)
    assert metadata["parameters"] < 0.5 * metadata["trained_parameters"]
    assert metadata["parity"] <= PARITY
    assert find_model(str(tmp_path / "m.ts")).parameters == metadata["parameters"]
    assert "pruned from" in (tmp_path / "m.md").read_text()

    assert torch.equal(pruning_input(recordings), pruning_input(recordings))


def test_what_cannot_be_pruned_is_refused(tmp_path: Path, recordings: Path) -> None:
    out = tmp_path / "m.ts"
    with pytest.raises(DataError, match="there is no folder"):
        export(write_checkpoint(tmp_path / "u.pt", quiet_unet()), out, prune=tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="only U-Nets"):
        export(write_checkpoint(tmp_path / "o.pt", octave()), out, prune=recordings)
    assert not out.exists()
