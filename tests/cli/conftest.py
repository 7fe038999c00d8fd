"""A shell, a model file and an audio file in a folder of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.helpers.cli import Shell, store
from tests.helpers.networks import Smooth, metadata, write_model


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = torch.get_num_threads()
    yield Shell(capsys, tmp_path)
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "test.ts", Smooth(), metadata())


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return store(tmp_path / "song.wav")
