"""Exported files that many tests read."""

from pathlib import Path
from typing import Any

import pytest

from models.export.export import export
from tests.helpers.models.checkpoints import METRICS, quiet_unet, write_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "best.pt", quiet_unet())


@pytest.fixture(scope="package")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``quiet_unet()`` as a model file with 32-bit weights; not to be changed."""
    folder = tmp_path_factory.mktemp("exported")
    export(write_checkpoint(folder / "best.pt", quiet_unet()), folder / "tiny.ts", half=False)
    return folder / "tiny.ts"


@pytest.fixture(scope="package")
def half(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """``quiet_unet()`` as a model file with 16-bit weights and a card, and its metadata."""
    folder = tmp_path_factory.mktemp("half")
    checkpoint = write_checkpoint(folder / "best.pt", quiet_unet())
    metadata = export(checkpoint, folder / "tiny.ts", title="Tiny", metrics=METRICS)
    return folder / "tiny.ts", metadata


@pytest.fixture(scope="package")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """``quiet_unet(align_corners=True)`` as a model file with 32-bit weights, and its metadata."""
    folder = tmp_path_factory.mktemp("aligned")
    checkpoint = write_checkpoint(folder / "c.pt", quiet_unet(align_corners=True))
    return folder / "thesis.ts", export(checkpoint, folder / "thesis.ts", half=False)
