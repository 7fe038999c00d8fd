"""Networks and chains for the tests of this folder."""

from dataclasses import dataclass
from typing import Any

import pytest

from realtime.dsp.processor import Audio
from realtime.inference.load import LoadedChain, load_chain
from realtime.inference.model_file import ModelInfo
from tests.helpers.engine_signals import in_blocks


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


def load(*models: ModelInfo, **changes: Any) -> LoadedChain:
    """A chain on one thread of the CPU, without pauses between its blocks."""
    values = {"block_samples": 256, "compute": "cpu", "threads": 1, "paced": False}
    return load_chain(*models, **values | changes)


def streamed(network: Any, x: Audio, n: int = 256) -> Audio:
    """A signal through a network from its start, in calls of ``n`` samples."""
    network.start(len(x))
    return in_blocks(lambda block: network(block).copy(), x, [n] * (x.shape[1] // n))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch reports a GPU; any use of it fails as in this build of torch."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda _=None: "a GPU")
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (9, 0))
