"""Loaded chains: exact for every block, on the device and in the number format requested."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import resampy
import torch

from models.networks.unet import LOOK_BACK_SAMPLES
from realtime.dsp.processor import Audio
from realtime.engine.open import open_engine
from realtime.engine.settings import Settings
from realtime.errors import ModelFileError
from realtime.files.enhance import Enhancer, render
from realtime.inference.load import load_and_tune
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.network import choose_dtype
from realtime.inference.stream_network import StreamNetwork
from realtime.inference.tuning import Requested, Workload
from tests.helpers.engine_signals import noise
from tests.helpers.models.unets import STREAMED, unet
from tests.helpers.networks import RAISING, metadata, write_model
from tests.realtime.inference.conftest import StubNetwork, load

WORKLOAD = Workload(channels=1, samples=256, pause_s=0.0)


def assert_whole(y: Audio, x: Audio) -> None:
    """It is the network's output for the whole signal, with silence around it as in a stream."""
    upsampled = resampy.resample(x, 22_050, 44_100, filter="kaiser_fast", axis=1)
    edge = 2048
    with torch.inference_mode():
        padded = torch.from_numpy(np.pad(upsampled, ((0, 0), (edge, edge)))).unsqueeze(1)
        wanted = unet(4)(padded).squeeze(1).numpy()[:, edge:-edge]
    assert y.shape == wanted.shape
    assert np.abs(wanted - upsampled).max() > 0.05  # the network does something
    # kaiser_fast rings beyond the signal's ends, which the whole one does not have.
    inside = slice(LOOK_BACK_SAMPLES, -LOOK_BACK_SAMPLES)
    np.testing.assert_allclose(y[:, inside], wanted[:, inside], rtol=0, atol=STREAMED)


@pytest.mark.parametrize(
    ("block", "channels", "windowed"),
    [(128, 1, False), (384, 2, False), (4096, 2, False), (1024, 1, True)],
)
def test_a_network_gives_the_whole_signals_answer_for_every_block(
    unet_info, block, channels, windowed
) -> None:
    x = noise(9_001, channels)
    loaded = load(unet_info, block_samples=block, channels=channels, windowed=windowed)
    loaded.bind_thread()
    assert_whole(render(loaded.chain, x, block_samples=block), x)


def test_a_file_gets_the_whole_signals_answer_too(unet_info) -> None:
    # Across three windows, and a length that is no multiple of anything.
    x = noise(40_001)
    assert_whole(Enhancer(unet_info, compute="cpu", threads=1).samples(x), x)


def test_the_engine_of_512_sample_blocks_is_at_most_40_ms_late(unet_info) -> None:
    chosen = {"model": str(unet_info.path), "compute": "cpu", "threads": 1}
    engine = open_engine(Settings(input="demo", output="null", block_samples=512, **chosen))
    latency = engine.latency
    engine.stop()
    assert (latency.block, latency.front_end, latency.safety) == (512, 46, 512)
    assert latency.crossfade == 0
    assert 1e3 * latency.engine / 44_100 <= 40.0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_session_without_its_gpu_runs_with_a_notice(smooth_info) -> None:
    chosen = {"model": str(smooth_info.path), "compute": "cuda", "threads": 1}
    lines: list[str] = []
    engine = open_engine(Settings(input="demo", output="null", **chosen), progress=lines.append)
    snapshot = engine.snapshot()
    engine.stop()
    assert snapshot.notice == "there is no CUDA device here: running on the CPU"
    assert snapshot.notice in lines
    assert snapshot.compute == "cpu"
    loaded = load(smooth_info, compute="auto")
    assert (loaded.notice, loaded.compute_now) == ("", "cpu")


def tuned(requested: Requested, gpu_fails: Exception | None = None) -> Any:
    """The network, its backup and the notice."""

    def load(device: str, threads: int | None, dtype: str) -> Any:
        failure = gpu_fails if device == "cuda" else None
        return StubNetwork(device=device, threads=threads or 3, dtype=dtype, failure=failure)

    info = ModelInfo(name="stub", path=Path("stub.ts"))
    return load_and_tune(load, info, WORKLOAD, requested, cache=None)


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 70 MiB\nGPU 0 has"),
        ModelFileError("stub.ts fails on audio: CUDA out of memory"),
        RuntimeError(""),
        AssertionError("Torch not compiled with CUDA enabled"),
    ],
    ids=["full", "in the warm-up", "silent", "torch without CUDA"],
)
def test_a_gpu_without_room_leaves_the_cpu(gpu, failure) -> None:
    network, backup, notice = tuned(Requested(), failure)
    assert (network.device, backup) == ("cpu", None)
    assert "running on the CPU" in notice
    assert "\n" not in notice


@pytest.mark.parametrize(
    ("requested", "gpu_dtype", "cpu_dtype"),
    [
        (None, "tf32", "float32"),
        ("tf32", "tf32", "float32"),
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
    ],
)
def test_a_gpu_that_works_has_the_cpu_as_backup_in_a_dtype_of_its_own(
    gpu, requested, gpu_dtype, cpu_dtype
) -> None:
    network, backup, notice = tuned(Requested(dtype=requested))
    assert notice == ""
    assert (network.device, network.dtype) == ("cuda", gpu_dtype)
    assert (backup.device, backup.dtype) == ("cpu", cpu_dtype)
    # The thread that processes is bound once, for both.
    assert network.threads == backup.threads


def test_a_gpu_without_tf32_computes_in_float32(gpu, monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (7, 5))
    assert choose_dtype(None, "cuda") == "float32"
    with pytest.raises(ValueError, match="this GPU cannot compute in tf32"):
        choose_dtype("tf32", "cuda")


def test_a_broken_model_is_not_blamed_on_the_gpu(tmp_path, gpu) -> None:
    path = write_model(tmp_path / "raising.ts", RAISING, metadata())
    with pytest.raises(ModelFileError, match="does not like music"):
        load(read_model_info(path), compute="auto")


def test_it_is_warmed_up_by_its_own_calls(doubling) -> None:
    lengths: list[int] = []

    class Noted(StreamNetwork):
        """Notes the length of its calls."""

        def __call__(self, x: Audio) -> Audio:
            lengths.append(x.shape[1])
            return super().__call__(x)

    def load(device: str, threads: int | None, dtype: str) -> Noted:
        return Noted(doubling, compute=device, threads=threads, dtype=dtype)

    load_and_tune(load, doubling, WORKLOAD, Requested(compute="cpu", threads=1), cache=None)
    assert set(lengths) == {256}


def test_a_plain_network_runs_in_bfloat16_or_says_that_it_cannot(smooth_info) -> None:
    # Its buffer becomes bfloat16, its input does not.
    with pytest.raises(ModelFileError, match="fails on audio"):
        load(smooth_info, dtype="bfloat16")
    assert load(smooth_info).dtype == "float32"
