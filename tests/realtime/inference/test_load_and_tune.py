"""Which device and number format a network is loaded on."""

from pathlib import Path

import numpy as np
import pytest
import torch

import realtime.files.enhance
import realtime.inference.cpu_info
import realtime.inference.network
import realtime.inference.tuning
import realtime.terminal.live
from realtime.dsp.processor import Audio
from realtime.errors import ModelFileError
from realtime.inference.load import load_and_tune, load_chain
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.network import choose_dtype
from realtime.inference.stream_network import StreamNetwork
from realtime.inference.tuning import (
    Requested,
    Workload,
)
from tests.helpers.networks import Raising, Smooth, metadata, write_model


def test_without_cuda_the_network_runs_on_the_cpu_with_a_notice(smooth_file: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    info = read_model_info(smooth_file)
    loaded = load_chain(info, block_samples=256, compute="cuda", threads=1)
    assert loaded.compute == loaded.compute_now == "cpu"
    assert loaded.notice == "there is no CUDA device here: running on the CPU"
    assert load_chain(info, block_samples=256, compute="auto", threads=1).notice == ""


@pytest.mark.parametrize("windowed", [False, True])
@pytest.mark.parametrize("compute", ["auto", "cuda"])
def test_a_gpu_that_cannot_be_used_leaves_the_cpu(
    unet_file: Path, gpu: None, windowed: bool, compute: str
) -> None:
    if torch.version.cuda:
        pytest.skip("this torch knows GPUs")
    loaded = load_chain(
        read_model_info(unet_file),
        block_samples=256,
        compute=compute,
        threads=1,
        windowed=windowed,
    )
    assert loaded.compute == "cpu"
    assert loaded.notice.startswith("the GPU cannot be used (")
    assert loaded.notice.endswith("): running on the CPU")
    assert "\n" not in loaded.notice
    assert loaded.chain.process(np.zeros((1, 128), np.float32)).shape == (1, 256)


class Stub:
    """The part of a network that tuning uses."""

    call_s = 0.001

    def __init__(
        self, device: str, threads: int | None, dtype: str, fails: Exception | None
    ) -> None:
        self.device = device
        self.dtype = dtype
        self.threads = threads or 3
        self._fails = fails

    def bind_thread(self) -> None: ...

    def start(self, channels: int) -> None: ...

    def __call__(self, x: Audio) -> Audio:
        return x

    def warm_up(self, channels: int, samples: int) -> None:
        if self._fails is not None:
            raise self._fails


INFO = ModelInfo(name="stub", path=Path("stub.ts"))


WORKLOAD = Workload(channels=1, samples=256, pause_s=0.0)


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 70 MiB\nGPU 0 has"),
        ModelFileError("stub.ts fails on audio: CUDA out of memory"),
        RuntimeError(""),
    ],
    ids=["full", "in the warm-up", "silent"],
)
def test_a_gpu_without_room_leaves_the_cpu(gpu: None, failure: Exception) -> None:
    network, backup, notice = load_and_tune(
        lambda *chosen: Stub(*chosen, failure if chosen[0] == "cuda" else None),
        INFO,
        WORKLOAD,
        Requested(),
        cache=None,
    )
    assert network.device == "cpu"
    assert backup is None
    assert "running on the CPU" in notice
    assert "\n" not in notice


def test_a_gpu_that_works_has_the_cpu_as_backup(gpu: None) -> None:
    network, backup, notice = load_and_tune(
        lambda *chosen: Stub(*chosen, None),
        INFO,
        WORKLOAD,
        Requested(),
        cache=None,
    )
    assert backup is not None
    assert (network.device, backup.device) == ("cuda", "cpu")
    # The thread that processes is bound once, for both.
    assert network.threads == backup.threads
    assert notice == ""


@pytest.mark.parametrize(
    ("requested", "gpu_dtype", "cpu_dtype"),
    [
        (None, "tf32", "float32"),
        ("tf32", "tf32", "float32"),
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
    ],
)
def test_each_device_has_the_dtype_requested_or_its_default(
    gpu: None, requested: str | None, gpu_dtype: str, cpu_dtype: str
) -> None:
    network, backup, _ = load_and_tune(
        lambda *chosen: Stub(*chosen, None),
        INFO,
        WORKLOAD,
        Requested(dtype=requested),
        cache=None,
    )
    assert backup is not None
    assert (network.dtype, backup.dtype) == (gpu_dtype, cpu_dtype)


def test_a_gpu_without_tf32_computes_in_float32(gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        realtime.inference.network.torch.cuda, "get_device_capability", lambda: (7, 5)
    )
    assert choose_dtype(None, "cuda") == "float32"
    with pytest.raises(ValueError, match="this GPU cannot compute in tf32"):
        choose_dtype("tf32", "cuda")


def test_a_broken_model_is_not_blamed_on_the_gpu(tmp_path: Path, gpu: None) -> None:
    path = write_model(tmp_path / "raising.ts", Raising(), metadata())
    with pytest.raises(ModelFileError, match="does not like music"):
        load_chain(read_model_info(path), block_samples=256, compute="auto", threads=1)


def test_it_is_warmed_up_by_its_own_calls(doubling: ModelInfo) -> None:
    lengths: list[int] = []

    class Noted(StreamNetwork):
        """Notes the length of its calls."""

        def __call__(self, x: Audio) -> Audio:
            lengths.append(x.shape[1])
            return super().__call__(x)

    def load(device: str, threads: int | None, dtype: str) -> Noted:
        return Noted(doubling, compute=device, threads=threads, dtype=dtype)

    workload = Workload(channels=1, samples=256, pause_s=0.0)
    requested = Requested(compute="cpu", threads=1)
    load_and_tune(load, doubling, workload, requested, cache=None)
    assert set(lengths) == {256}


def test_a_chain_states_its_number_format(unet_file: Path) -> None:
    info = read_model_info(unet_file)
    for requested, dtype in ((None, "float32"), ("float32", "float32"), ("bfloat16", "bfloat16")):
        loaded = load_chain(info, block_samples=256, compute="cpu", threads=1, dtype=requested)
        assert loaded.dtype == dtype


@pytest.mark.parametrize(
    ("dtype", "line"),
    [
        ("float8", "dtype must be one of float32, tf32, bfloat16, got 'float8'"),
        ("tf32", "the CPU cannot compute in tf32; use dtype float32 or bfloat16"),
    ],
)
def test_a_dtype_that_cannot_be_is_refused(unet_file: Path, dtype: str, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        load_chain(read_model_info(unet_file), block_samples=256, compute="cpu", dtype=dtype)


def test_a_plain_network_runs_in_bfloat16_or_says_that_it_cannot(tmp_path: Path) -> None:
    # Its buffer becomes bfloat16, its input does not.
    path = write_model(tmp_path / "smooth.ts", Smooth(), metadata())
    info = read_model_info(path)
    with pytest.raises(ModelFileError, match="fails on audio"):
        load_chain(info, block_samples=256, compute="cpu", threads=1, dtype="bfloat16")
    loaded = load_chain(info, block_samples=256, compute="cpu", threads=1)
    assert loaded.dtype == "float32"
