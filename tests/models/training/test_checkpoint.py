"""Checkpoints: written completely or not at all; the best one kept; wrong ones refused."""

from pathlib import Path
from typing import Any

import pytest
import torch

from models.errors import CheckpointError
from models.training.checkpoint import load_checkpoint, save_atomically, trained_network
from models.training.train import train
from tests.helpers.models.trainings import log, tiny


def test_the_best_checkpoint_has_the_lowest_validation_lsd_and_averaged_weights(
    folder: Path,
) -> None:
    best = load_checkpoint(train(tiny(folder), report=lambda _: None))
    lowest = min(log(folder / "run"), key=lambda row: row["val/lsd"])
    assert best["step"] == lowest["step"]
    assert best["validation"]["val/lsd"] == lowest["val/lsd"] == best["best"]
    assert not list((folder / "run").glob("*.tmp"))
    for name, value in trained_network(best).state_dict().items():
        assert torch.equal(value, best["averaged"][name])
    plain = trained_network(best | {"averaged": None})
    assert torch.equal(plain.final.weight, best["network"]["final.weight"])


def test_a_crash_while_saving_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    save_atomically({"step": 1}, path)
    before = path.read_bytes()

    def full_disk(state: object, target: Any) -> None:
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(CheckpointError, match="No space left on device; the old file is kept"):
        save_atomically({"step": 2}, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_files_that_are_no_checkpoints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load_checkpoint(tmp_path / "none.pt")
    text, other, damaged = (tmp_path / name for name in ("text.pt", "other.pt", "damaged.pt"))
    text.write_text("hello")
    torch.save({"weights": torch.zeros(3_000)}, other)
    damaged.write_bytes(other.read_bytes()[:-2_000])
    for path in (text, other, damaged, tmp_path):
        with pytest.raises(CheckpointError, match="not a checkpoint") as error:
            load_checkpoint(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "network", [{"kind": "gru"}, {"width": 0, "align_corners": False}, {"depth": 3}], ids=str
)
def test_a_configuration_that_no_network_has_is_refused(network: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="do not fit"):
        trained_network({"config": {"network": network}, "averaged": None, "network": {}})
