"""Exported files that many tests read; they are not to be changed."""

from pathlib import Path
from typing import Any

import pytest

from models.export.export import export
from tests.helpers.models.checkpoints import METRICS, octave, quiet_unet, write_checkpoint

# A model file and its metadata.
Exported = tuple[Path, dict[str, Any]]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "best.pt", quiet_unet())


def exported_from(path: Path, network: Any, name: str, **options: Any) -> Exported:
    checkpoint = write_checkpoint(path / "best.pt", network)
    return path / name, export(checkpoint, path / name, **options)


@pytest.fixture(scope="package")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``quiet_unet()`` with 32-bit weights."""
    folder = tmp_path_factory.mktemp("exported")
    return exported_from(folder, quiet_unet(), "tiny.ts", half=False)[0]


@pytest.fixture(scope="package")
def half(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """``quiet_unet()`` with 16-bit weights and a card."""
    folder = tmp_path_factory.mktemp("half")
    return exported_from(folder, quiet_unet(), "tiny.ts", title="Tiny", metrics=METRICS)


@pytest.fixture(scope="package")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """``quiet_unet(align_corners=True)`` with 32-bit weights."""
    folder = tmp_path_factory.mktemp("aligned")
    return exported_from(folder, quiet_unet(align_corners=True), "thesis.ts", half=False)


@pytest.fixture(scope="package")
def octave_file(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """``octave()`` with 32-bit weights."""
    return exported_from(tmp_path_factory.mktemp("octave"), octave(), "octave.ts", half=False)
