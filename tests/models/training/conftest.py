"""Fixtures of the tests of training."""

from pathlib import Path

import pytest

from tests.helpers.models.trainings import SOUNDS, write_sounds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``train`` and ``val`` with short full-band sounds."""
    return write_sounds(tmp_path, **SOUNDS)
