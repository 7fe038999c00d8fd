"""Kinds of networks and objectives in the training system, with stand-ins for the octave's."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import resampy
import torch
from torch import Tensor, nn

from models.data.degrade import Degrader
from models.data.front_end import FRONT_ENDS
from models.errors import CheckpointError
from models.evaluation.validation import Validation
from models.networks import registry as networks
from models.networks.registry import NetworkKind, build_network
from models.networks.unet import UNet
from models.training import objectives
from models.training.checkpoint import load_checkpoint, trained_network
from models.training.config import (
    DataConfig,
    OctaveConfig,
    OctaveObjectiveConfig,
    OptimiserConfig,
    RunConfig,
    ThesisObjectiveConfig,
    TrainConfig,
    UNetConfig,
    load_config,
)
from models.training.train import train
from models.training.trainer import Trainer, make_optimiser
from tests.helpers.models.trainings import log, write_sounds

# Float32 FFTs of signals of size one, and resampy's table that is interpolated in float32.
SAME = 2e-4


class Doubling(nn.Module):
    """Replaces the octave: two output samples per input sample, and a little noise."""

    def __init__(self, *, width: int, kernel: int, **_: int) -> None:
        super().__init__()
        self.layers = nn.Conv1d(1, 2, 2 * width * kernel + 1, padding=width * kernel)

    def forward(self, x: Tensor) -> Tensor:
        """[B, 1, n] to [B, 1, 2n]."""
        y: Tensor = self.layers(x + 1e-3 * torch.randn_like(x))
        return y.transpose(1, 2).flatten(1)[:, None]


class Parts(NamedTuple):
    total: Tensor
    envelope: Tensor
    seconds: float


class Distance(nn.Module):
    """Replaces the octave's objective."""

    def forward(self, estimate: Tensor, target: Tensor) -> Parts:
        """Mean squared error under another name, with a part that is no tensor."""
        assert estimate.shape == target.shape
        error = (estimate - target).square().mean()
        return Parts(2 * error, error, 3.0)


pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(networks.NETWORKS, "octave", NetworkKind(Doubling, "none"))
    monkeypatch.setitem(objectives.OBJECTIVES, "octave", lambda **_: Distance())


def octave(folder: Path, run: str = "run", **changes: int) -> TrainConfig:
    return TrainConfig(
        data=DataConfig(
            train=str(folder / "train"), validation=str(folder / "val"), segment_samples=2_048
        ),
        network=OctaveConfig(width=2, kernel=1),
        objective=OctaveObjectiveConfig(),
        optimiser=OptimiserConfig(learning_rate=1e-2, betas=(0.8, 0.99)),
        run=RunConfig(
            folder=str(folder / run),
            device="cpu",
            tensorboard=False,
            ema_decay=0.5,
            **({"steps": 8, "batch_size": 2, "validate_every": 2} | changes),
        ),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sounds(tmp_path, train=[9_000, 9_000], val=[9_000, 9_000])


def test_another_kind_trains_logs_its_losses_and_is_read_back(
    folder: Path, stand_ins: None
) -> None:
    best = train(octave(folder), report=lambda _: None)
    rows = log(folder / "run")
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    assert {"train/envelope", "val/loss/envelope", "val/loss/seconds", "val/lsd"} <= set(rows[0])
    assert rows[-1]["train/total"] < rows[0]["train/total"]
    state = load_checkpoint(best)
    assert state["config"]["network"] == vars(octave(folder).network)
    network = trained_network(state)
    assert isinstance(network, Doubling)
    assert torch.equal(network.layers.weight, state["averaged"]["layers.weight"])


def test_a_network_that_draws_noise_resumes_exactly(folder: Path, stand_ins: None) -> None:
    train(octave(folder, "whole"), report=lambda _: None)
    train(octave(folder, "parts", steps=4), report=lambda _: None)
    torch.manual_seed(123)  # another process draws other noise
    train(octave(folder, "parts"), report=lambda _: None)
    assert log(folder / "parts") == log(folder / "whole")


def test_patience_looks_at_the_total_where_there_is_no_spectral_convergence(
    folder: Path, stand_ins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.5, 0.4, 0.4, 0.45, 0.1])
    validate = Validation.__call__

    def recording_call(self: Validation, *args, **kwargs) -> dict[str, float]:
        return validate(self, *args, **kwargs) | {"loss/total": next(values)}

    monkeypatch.setattr(Validation, "__call__", recording_call)
    config = octave(folder, steps=20)
    lines: list[str] = []
    train(replace(config, run=replace(config.run, patience=2)), report=lines.append)
    assert lines[-1] == "no lower total in 2 validations: finished at step 8"


def test_checkpoints_that_name_no_kind_are_u_nets(folder: Path) -> None:
    assert isinstance(build_network({"width": 1, "align_corners": True}), UNet)
    config = replace(octave(folder), network=UNetConfig(width=1), objective=ThesisObjectiveConfig())
    trainer = Trainer(config)
    state = trainer.state()
    del state["config"]["network"]["kind"]
    torch.save(state, folder / "old.pt")
    trainer.resume(folder / "old.pt")
    assert isinstance(trained_network(load_checkpoint(folder / "old.pt")), UNet)


@pytest.mark.parametrize(
    "network", [{"kind": "gru"}, {"width": 0, "align_corners": False}, {"depth": 3}], ids=str
)
def test_a_configuration_that_no_network_has_is_refused(network: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="do not fit"):
        trained_network({"config": {"network": network}, "averaged": None, "network": {}})


def test_another_kind_of_network_is_refused(folder: Path, stand_ins: None) -> None:
    train(octave(folder, steps=2), report=lambda _: None)
    other = replace(octave(folder), network=UNetConfig(width=2))
    with pytest.raises(CheckpointError, match="another network"):
        train(other, report=lambda _: None)


def test_without_a_front_end_the_input_is_the_decimated_signal(rng: np.random.Generator) -> None:
    random = [np.random.default_rng(5) for _ in range(2)]
    fast, none = (Degrader(4_096, random=True, front_end=name) for name in ("kaiser_fast", "none"))
    audio = torch.from_numpy(rng.uniform(-0.9, 0.9, (3, fast.n)).astype(np.float32))
    low, target = none(audio, random[0])
    high, same_target = fast(audio, random[1])
    assert low.shape == (3, 1, 2_048)
    assert torch.equal(target, same_target)
    upsampled = FRONT_ENDS["kaiser_fast"](low[1, 0].numpy())
    inside = slice(200, -200)  # away from the ends of the cut, beyond which the signal continues
    np.testing.assert_allclose(upsampled[inside], high[1, 0].numpy()[inside], rtol=0, atol=SAME)


def test_validation_gives_networks_what_they_were_trained_on(folder: Path) -> None:
    fast = Validation(folder / "val", 2).pairs
    none = Validation(folder / "val", 2, front_end="none").pairs
    for (high, reference), (low, same) in zip(fast, none, strict=True):
        assert np.array_equal(reference, same)
        assert 2 * len(low) == len(high) == len(reference)
        expected = resampy.resample(low, 22_050, 44_100, filter="kaiser_fast")
        np.testing.assert_allclose(high, expected, rtol=0, atol=SAME)


def test_the_configuration_chooses_network_objective_and_optimiser(tmp_path: Path) -> None:
    path = tmp_path / "octave.toml"
    path.write_text(
        "[data]\ntrain = 'a'\nvalidation = 'b'\n[run]\nfolder = 'c'\nsteps = 1\n"
        "[network]\nkind = 'octave'\nwidth = 7\n[objective]\nkind = 'octave'\n"
        "[optimiser]\nbetas = [0.8, 0.99]\ndecoupled_weight_decay = true\nweight_decay = 0.5\n"
    )
    config = load_config(path)
    assert isinstance(config.network, OctaveConfig)
    assert (config.network.width, config.network.kind) == (7, "octave")
    assert isinstance(config.objective, OctaveObjectiveConfig)
    optimiser = make_optimiser(nn.Linear(1, 1), config.optimiser)
    assert isinstance(optimiser, torch.optim.AdamW)
    assert optimiser.defaults["betas"] == (0.8, 0.99)
    assert optimiser.defaults["weight_decay"] == 0.5


def test_weight_decay_is_adams_own_unless_decoupled() -> None:
    optimiser = make_optimiser(nn.Linear(1, 1), OptimiserConfig())
    assert not isinstance(optimiser, torch.optim.AdamW)
    assert optimiser.defaults["betas"] == (0.9, 0.999)


@pytest.mark.parametrize("kind", sorted(networks.NETWORKS))
def test_every_kind_has_a_known_front_end_and_a_configuration(kind: str) -> None:
    assert networks.NETWORKS[kind].front_end in FRONT_ENDS
    assert kind in {asdict(c)["kind"] for c in (UNetConfig(), OctaveConfig())}
