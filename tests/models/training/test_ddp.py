"""Several processes that train one network: the gradients of one on the joint batch."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from models.errors import ConfigError, TrainingError
from models.training.checkpoint import load_checkpoint
from models.training.distributed import World
from models.training.loop import CHECKPOINT
from models.training.train import train
from models.training.trainer import Trainer
from tests.helpers.models import ddp_worker
from tests.helpers.models.ddp_worker import PHASES, awake, config, results
from tests.helpers.models.trainings import log, tiny, write_toml

# Of all gradients as one vector, relative to its length: float32 sums in another order, through 16
# batch norms. A process's own share of the batch is wrong by 0.1 or more.
SAME = 1e-4
# Of one tensor, relative to its largest value; some tensors' gradients are nearly rounding alone.
SAME_TENSOR = 1e-2
TIMEOUT_S = 200


def run_two(arguments: Sequence[str], project: Path) -> list[tuple[int, str]]:
    """Exit code and stderr of two processes that are connected as by torchrun."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = []
    for rank in (0, 1):
        environment = os.environ | {
            "WORLD_SIZE": "2",
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(project),
        }
        command = [sys.executable, *arguments]
        processes.append(
            subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        )
    try:
        texts = [p.communicate(timeout=TIMEOUT_S)[1] for p in processes]
    finally:
        for process in processes:
            process.kill()
    return [(p.returncode, text) for p, text in zip(processes, texts, strict=True)]


@pytest.fixture(scope="module")
def gradients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the results of two processes."""
    folder = tmp_path_factory.mktemp("gradients")
    ran = run_two([ddp_worker.__file__, str(folder)], Path(__file__).parents[3])
    assert [code for code, _ in ran] == [0, 0], ran
    return folder


def test_two_processes_have_the_gradients_of_one_on_the_joint_batch(gradients: Path) -> None:
    alone = results(awake(Trainer(config())), 1)
    first, second = (torch.load(gradients / f"plain-{rank}.pt") for rank in (0, 1))
    assert any(name.startswith("gradient.inp") for name in alone)
    for name, expected in alone.items():
        assert torch.equal(first[name], second[name]), name
        if name.startswith("after.") and "running" not in name:
            # Adam's first step is the sign of a gradient: noise where that is nearly zero.
            continue
        scale = float(expected.abs().max()) if expected.is_floating_point() else 1.0
        if ".0.bias" in name or ".3.bias" in name:
            # A bias before a batch norm has no effect: its gradient is rounding alone.
            scale = 1.0
        torch.testing.assert_close(first[name], expected, rtol=0, atol=SAME_TENSOR * scale)


@pytest.mark.parametrize(
    ("phase", "kind"),
    [("plain", "gradient."), ("adversarial", "gradient."), ("adversarial", "opponent.")],
)
def test_all_gradients_as_one_vector_are_the_same(gradients: Path, phase: str, kind: str) -> None:
    alone = results(awake(Trainer(config(PHASES[phase]))), 1)
    first, second = (torch.load(gradients / f"{phase}-{rank}.pt") for rank in (0, 1))
    names = [name for name in alone if name.startswith(kind)]
    assert all(torch.equal(first[name], second[name]) for name in names)
    got, expected = (torch.cat([r[n].flatten() for n in names]) for r in (first, alone))
    assert float((got - expected).norm()) < SAME * float(expected.norm())


def test_torchrun_trains_with_the_command_of_one_process(project: Path, folder: Path) -> None:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *torchrun, "-m", "topoctave", "train", str(write_toml(folder))]
    ran = subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert ran.returncode == 0, ran.stderr
    # Only the main process reports and writes.
    assert ran.stderr.count("minutes of audio") == 1
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
