"""Model files for the tests of the engine."""

from pathlib import Path

import pytest

from models.export.streaming_unet import StreamingUNet
from realtime.inference.model_file import ModelInfo, read_model_info
from tests.helpers.models.unets import unet
from tests.helpers.networks import (
    Doubling,
    Smooth,
    doubling_metadata,
    metadata,
    unet_metadata,
    write_model,
)


@pytest.fixture(scope="session")
def unet_info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """A streaming U-Net with random weights."""
    path = tmp_path_factory.mktemp("model") / "unet.ts"
    return read_model_info(write_model(path, StreamingUNet(unet(4)), unet_metadata()))


@pytest.fixture
def smooth_info(tmp_path: Path) -> ModelInfo:
    """A plain network of five taps."""
    (tmp_path / "model").mkdir()
    path = write_model(tmp_path / "model" / "smooth.ts", Smooth(), metadata(name="smooth"))
    return read_model_info(path)


@pytest.fixture(scope="session")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """A streaming network that takes the 22.05 kHz input."""
    path = tmp_path_factory.mktemp("model") / "doubling.ts"
    return read_model_info(write_model(path, Doubling(), doubling_metadata()))
