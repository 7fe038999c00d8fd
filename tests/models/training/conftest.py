"""Fixtures of the tests of training."""

from pathlib import Path

import pytest

from tests.helpers.models.trainings import write_sounds


@pytest.fixture
def folder(tmp_path: Path, undrawn: None) -> Path:
    """``train`` and ``val`` with short full-band sounds; trainings draw no curves."""
    return write_sounds(tmp_path)
