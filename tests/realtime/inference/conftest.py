"""Model files for the tests of this folder."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import realtime.inference.network
from models.export.streaming_unet import StreamingUNet
from realtime.dsp.processor import Audio
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


@dataclass
class StubNetwork:
    """A network to be tuned: it does nothing, or fails to start."""

    device: str = "cpu"
    threads: int = 1
    dtype: str = "float32"
    failure: Exception | None = None
    call_s: float = 0.001
    warm_with: int | None = None
    starts: int = 0

    def bind_thread(self) -> None: ...

    def start(self, channels: int) -> None:
        self.starts += 1

    def warm_up(self, channels: int, samples: int) -> None:
        if self.failure is not None:
            raise self.failure
        self.warm_with = self.threads

    def __call__(self, x: Audio) -> Audio:
        return x


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
