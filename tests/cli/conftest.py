"""A shell, a model file and an audio file in a folder of their own."""

from pathlib import Path

import pytest

from tests.helpers.cli import Shell, store
from tests.helpers.networks import Smooth, metadata, write_model


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Shell(capsys, tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "test.ts", Smooth(), metadata())


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return store(tmp_path / "song.wav")
