"""Several processes that train one network: the gradients of one on the joint batch."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from models.errors import ConfigError, TrainingError
from models.training.checkpoint import load_checkpoint
from models.training.distributed import World
from models.training.loop import CHECKPOINT
from models.training.train import train
from tests.helpers.models import ddp_worker
from tests.helpers.models.ddp_worker import PHASES, config, first_step
from tests.helpers.models.trainings import log, tiny, write_toml

# Of all gradients as one vector, relative to its length: float32 sums in another order, through 16
# batch norms. A process's own share of the batch is wrong by 0.1 or more.
SAME = 1e-4
TIMEOUT_S = 200
PROJECT = Path(__file__).parents[3]


def in_two_processes(*arguments: object) -> str:
    """What torchrun's two processes write to stderr."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    ran = subprocess.run(
        [*torchrun, "--nproc-per-node", "2", *map(str, arguments)],
        cwd=PROJECT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


@pytest.fixture(scope="module")
def gradients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the results of two processes."""
    folder = tmp_path_factory.mktemp("gradients")
    in_two_processes(ddp_worker.__file__, folder)
    return folder


@pytest.mark.parametrize("phase", PHASES)
def test_two_processes_have_the_gradients_of_one_on_the_joint_batch(
    gradients: Path, phase: str
) -> None:
    alone = first_step(phase)
    first, second = (torch.load(gradients / f"{phase}-{rank}.pt") for rank in (0, 1))
    assert any(name.startswith("gradient.inp") for name in alone)
    for name, expected in alone.items():
        # Each process logs the discriminators' losses of its own share.
        if phase == "plain" or not name.startswith("loss."):
            assert torch.equal(first[name], second[name]), name
        if phase == "plain" and ("running" in name or name.startswith("loss.")):
            torch.testing.assert_close(first[name], expected, rtol=SAME, atol=SAME)
    for kind in {name.partition(".")[0] for name in alone} & {"gradient", "opponent"}:
        names = [name for name in alone if name.startswith(kind)]
        got, expected = (torch.cat([r[n].flatten() for n in names]) for r in (first, alone))
        assert float((got - expected).norm()) < SAME * float(expected.norm()), kind


def test_torchrun_trains_with_the_command_of_one_process(folder: Path) -> None:
    text = in_two_processes("-m", "topoctave", "train", write_toml(folder, steps=4))
    # Only the main process reports and writes.
    assert text.count("minutes of audio") == 1
    assert load_checkpoint(folder / "run" / CHECKPOINT)["step"] == 4
    assert [row["step"] for row in log(folder / "run")] == [2, 4]
    # One process continues from the checkpoint of two: the names of the weights are the same.
    train(tiny(folder, steps=5), report=lambda _: None)
    assert load_checkpoint(folder / "run" / CHECKPOINT)["step"] == 5


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    world = nullcontext(World(size=3))
    monkeypatch.setattr("models.training.train.world_of_torchrun", lambda _: world)
    with pytest.raises(ConfigError, match=r"batch_size \(4\) must be a multiple of the 3"):
        train(config())


def test_processes_that_do_not_connect_are_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="do not find each other") as error:
        train(config())
    assert "\n" not in str(error.value)
