"""Model files for the tests of this folder; torch's settings are restored after each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import realtime.inference.network
from models.export.streaming_unet import StreamingUNet
from realtime.inference.model_file import ModelInfo, read_model_info
from tests.helpers.networks import (
    Doubling,
    Smooth,
    doubling_metadata,
    metadata,
    unet_metadata,
    write_model,
)
from tests.models.export.test_streaming_unet import unet


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def unet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A streaming U-Net with random weights."""
    path = tmp_path_factory.mktemp("model") / "unet.ts"
    return write_model(path, StreamingUNet(unet(4)), unet_metadata())


@pytest.fixture
def smooth_file(tmp_path: Path) -> Path:
    """A plain network."""
    return write_model(tmp_path / "smooth.ts", Smooth(), metadata(name="smooth"))


@pytest.fixture(scope="session")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """A streaming network that takes the 22.05 kHz input."""
    path = tmp_path_factory.mktemp("model") / "doubling.ts"
    return read_model_info(write_model(path, Doubling(), doubling_metadata()))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch reports a GPU; any use of it fails as in this build of torch."""
    cuda = realtime.inference.network.torch.cuda
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda, "get_device_name", lambda _=None: "a GPU")
    monkeypatch.setattr(cuda, "get_device_capability", lambda: (9, 0))
