"""Checkpoints: written completely or not at all; the best one kept; wrong ones refused."""

from pathlib import Path
from typing import Any

import pytest
import torch

from models.errors import CheckpointError
from models.training.checkpoint import load_checkpoint, save_atomically, trained_network
from models.training.train import train
from tests.helpers.models.trainings import log, tiny

pytestmark = pytest.mark.usefixtures("undrawn")


def test_the_best_checkpoint_has_the_lowest_validation_lsd(folder: Path) -> None:
    best = load_checkpoint(train(tiny(folder), report=lambda _: None))
    rows = log(folder / "run")
    lowest = min(rows, key=lambda row: row["val/lsd"])
    assert best["step"] == lowest["step"]
    assert best["validation"]["val/lsd"] == lowest["val/lsd"] == best["best"]
    assert not list((folder / "run").glob("*.tmp"))


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


def test_files_that_are_no_checkpoints_are_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load_checkpoint(folder / "none.pt")
    text = folder / "text.pt"
    text.write_text("hello")
    other = folder / "other.pt"
    torch.save({"weights": torch.zeros(3)}, other)
    good = train(tiny(folder, steps=2), report=lambda _: None)
    damaged = folder / "damaged.pt"
    damaged.write_bytes(good.read_bytes()[:-2_000])
    for path in (text, other, damaged, folder):
        with pytest.raises(CheckpointError, match="not a checkpoint") as error:
            load_checkpoint(path)
        assert "\n" not in str(error.value)


def test_the_averaged_weights_are_the_ones_to_ship(folder: Path) -> None:
    state = load_checkpoint(train(tiny(folder), report=lambda _: None))
    for name, value in trained_network(state).state_dict().items():
        assert torch.equal(value, state["averaged"][name])
    plain = trained_network(state | {"averaged": None})
    assert torch.equal(plain.final.weight, state["network"]["final.weight"])
