"""A GPU that is missing, full, or lost in mid-stream: the audio goes on, and a line says why."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

import realtime.files.enhance
import realtime.inference.network
import realtime.terminal.live
from models.export.streaming_unet import StreamingUNet
from realtime.audio_io.file_streams import FileInput, NullOutput
from realtime.dsp.chain import Chain, NetworkPath
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.engine.engine import Engine
from realtime.engine.settings import Settings
from realtime.engine.snapshot import State
from realtime.errors import ModelFileError
from realtime.files.audio_file import AudioFile
from realtime.files.enhance import Enhancer, Job
from realtime.inference.build import load_and_tune
from realtime.inference.cpu_fallback import (
    FADE_SAMPLES,
    DeviceLossMonitor,
    FallbackStream,
    FallbackWindows,
)
from realtime.inference.cuda_graph import GraphNetwork, Step
from realtime.inference.load import LoadedChain, load_chain
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.network import StreamNetwork, choose_dtype
from realtime.inference.streaming import StreamingNetwork
from realtime.inference.tuning import Requested, Workload
from realtime.terminal.live import run_live
from tests.helpers.fake_streams import Rig
from tests.helpers.networks import Raising, Smooth, metadata, unet_metadata, write_model
from tests.helpers.unets import unet

BLOCK = 256
LATENCY, CONTEXT = 40, 100

# Two ways to the same sum in float32.
SUMS = 1e-6


class Echo:
    """A streaming network in numpy: the input, late, and half of it later by the context."""

    def __init__(self, *, fails_at: int | None = None, gain: float = 0.5) -> None:
        self.ratio = 1
        self.block_multiple = 128
        self.latency_samples = LATENCY
        self.calls = 0
        self.starts = 0
        self.fails_at = fails_at
        self._gain = np.float32(gain)

    def start(self, channels: int) -> None:
        self.starts += 1
        self._past = np.zeros((channels, LATENCY + CONTEXT), np.float32)

    def __call__(self, x: Audio) -> Audio:
        self.calls += 1
        if self.fails_at is not None and self.calls > self.fails_at:
            raise RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might")
        joined = np.concatenate([self._past, x], axis=1)
        n = x.shape[1]
        self._past = joined[:, n:]
        y: Audio = joined[:, CONTEXT : CONTEXT + n] + self._gain * joined[:, :n]
        return y


def fallback(device: Echo, backup: Echo | None) -> tuple[FallbackStream, DeviceLossMonitor]:
    loss_monitor = DeviceLossMonitor("a GPU", "on the CPU")
    network = FallbackStream(
        device, backup, loss_monitor, context_samples=CONTEXT, call_samples=BLOCK
    )
    return network, loss_monitor


def streamed(network: Any, x: Audio, n: int = BLOCK) -> Audio:
    blocks = [network(x[:, k : k + n]).copy() for k in range(0, x.shape[1], n)]
    return np.concatenate(blocks, axis=1)


def whole(x: Audio, *, gain: float = 0.5) -> Audio:
    late = np.pad(x, ((0, 0), (LATENCY + CONTEXT, 0)))
    n = x.shape[1]
    y: Audio = late[:, CONTEXT : CONTEXT + n] + np.float32(gain) * late[:, :n]
    return y


def dry(x: Audio) -> Audio:
    return np.pad(x, ((0, 0), (LATENCY, 0)))[:, : x.shape[1]]


def test_a_healthy_device_is_all_that_runs(rng: np.random.Generator) -> None:
    device, backup = Echo(), Echo()
    network, loss_monitor = fallback(device, backup)
    network.start(2)
    x = rng.normal(0, 0.1, (2, 10 * BLOCK)).astype(np.float32)
    np.testing.assert_array_equal(streamed(network, x), whole(x))
    assert backup.calls == 0
    assert not loss_monitor.lost
    assert loss_monitor.notice == ""


@pytest.mark.parametrize("healthy", [0, 1, 7])
def test_a_lost_device_leaves_the_input_until_the_backup_has_heard_enough(
    rng: np.random.Generator, healthy: int
) -> None:
    device, backup = Echo(fails_at=healthy), Echo()
    network, loss_monitor = fallback(device, backup)
    network.start(2)
    x = rng.normal(0, 0.1, (2, 20 * BLOCK)).astype(np.float32)
    y = streamed(network, x)
    lost = healthy * BLOCK
    wet, through = whole(x), dry(x)
    np.testing.assert_array_equal(y[:, :lost], wet[:, :lost])
    settled = lost + LATENCY + CONTEXT
    np.testing.assert_array_equal(y[:, lost:settled], through[:, lost:settled])
    np.testing.assert_array_equal(y[:, settled + FADE_SAMPLES :], wet[:, settled + FADE_SAMPLES :])
    # In between it fades: the share of the network grows evenly, by no step.
    share = (np.arange(FADE_SAMPLES) + 0.5) / FADE_SAMPLES
    faded = slice(settled, settled + FADE_SAMPLES)
    mixed = through[:, faded] + share * (wet[:, faded] - through[:, faded])
    np.testing.assert_allclose(y[:, faded], mixed, rtol=0, atol=SUMS)
    assert device.calls == healthy + 1  # not asked again
    assert loss_monitor.notice == (
        "a GPU was lost (CUDA error: unspecified launch failure): continuing on the CPU"
    )


def test_without_a_fast_backup_the_input_is_heard_from_then_on(rng: np.random.Generator) -> None:
    network, loss_monitor = fallback(Echo(fails_at=2), None)
    network.start(1)
    x = rng.normal(0, 0.1, (1, 10 * BLOCK)).astype(np.float32)
    y = streamed(network, x)
    np.testing.assert_array_equal(y[:, 2 * BLOCK :], dry(x)[:, 2 * BLOCK :])
    assert loss_monitor.lost


def test_after_a_reset_the_backup_has_nothing_to_wait_for(rng: np.random.Generator) -> None:
    network, _ = fallback(Echo(fails_at=0), Echo())
    network.start(1)
    x = rng.normal(0, 0.1, (1, 8 * BLOCK)).astype(np.float32)
    streamed(network, x)
    network.start(1)
    np.testing.assert_array_equal(streamed(network, x), whole(x))


def test_a_device_lost_at_a_reset_is_lost(rng: np.random.Generator) -> None:
    class Gone(Echo):
        def start(self, channels: int) -> None:
            raise RuntimeError("")

    network, loss_monitor = fallback(Gone(), Echo())
    assert loss_monitor.notice == "a GPU was lost (RuntimeError): continuing on the CPU"
    x = rng.normal(0, 0.1, (1, 8 * BLOCK)).astype(np.float32)
    network.start(1)
    np.testing.assert_array_equal(streamed(network, x), whole(x))


def test_other_errors_of_the_device_are_not_hidden() -> None:
    class Wrong(Echo):
        def __call__(self, x: Audio) -> Audio:
            raise TypeError("a bug")

    network, loss_monitor = fallback(Wrong(), Echo())
    with pytest.raises(TypeError, match="a bug"):
        network(np.zeros((1, BLOCK), np.float32))
    assert not loss_monitor.lost


@pytest.mark.parametrize("name", ["block_multiple", "latency_samples"])
def test_a_backup_of_another_geometry_is_refused(name: str) -> None:
    backup = Echo()
    setattr(backup, name, 3)
    with pytest.raises(ValueError, match=name):
        fallback(Echo(), backup)


def test_windows_go_on_without_a_seam(rng: np.random.Generator) -> None:
    calls = []

    def device(x: Audio) -> Audio:
        calls.append(1)
        if len(calls) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")
        return 2 * x

    loss_monitor = DeviceLossMonitor("a GPU", "on the CPU")
    windows = FallbackWindows(device, lambda x: 2 * x, loss_monitor)
    x = rng.normal(0, 0.1, (1, BLOCK)).astype(np.float32)
    for _ in range(5):
        np.testing.assert_array_equal(windows(x), 2 * x)
    assert len(calls) == 3
    assert "out of memory" in loss_monitor.notice


def loaded_with(network: FallbackStream, loss_monitor: DeviceLossMonitor) -> LoadedChain:
    chain = Chain(NetworkPath(StreamingNetwork(network)))
    chain.prepare(
        ProcessSpec(
            max_block_samples=BLOCK // 2,
            block_multiple=BLOCK // 2,
        )
    )
    return LoadedChain(
        chain=chain,
        block_samples=BLOCK,
        model="echo",
        compute="a GPU",
        threads=1,
        bind_thread=lambda: None,
        loss_monitor=loss_monitor,
    )


def test_a_gpu_lost_in_mid_stream_does_not_stop_the_audio(rng: np.random.Generator) -> None:
    blocks, healthy = 40, 10
    x = rng.normal(0, 0.1, (1, blocks * BLOCK // 2)).astype(np.float32)
    lost = loaded_with(*fallback(Echo(fails_at=healthy), Echo()))
    with Rig(lost) as rig:
        rig.run(x[:, : 4 * BLOCK // 2])
        before = rig.look
        rig.run(x[:, 4 * BLOCK // 2 :])
        after, played = rig.look, rig.played
    with Rig(loaded_with(*fallback(Echo(), Echo()))) as rig:
        rig.run(x)
        wanted = rig.played
    assert (before.compute, before.notice) == ("a GPU", "")
    assert after.state is State.RUNNING
    assert after.error == ""
    assert after.compute == "cpu"
    assert after.notice.startswith("a GPU was lost (CUDA error")
    assert after.notice.count("\n") == 0
    assert after.faults.total == 0
    assert after.latency == before.latency
    # The same audio as if nothing had happened, but for some blocks around the loss.
    differs = np.flatnonzero(np.abs(played - wanted).max(axis=0) > SUMS)
    assert len(differs)
    assert differs[-1] - differs[0] < LATENCY + CONTEXT + FADE_SAMPLES + 2 * BLOCK
    assert np.isfinite(played).all()


def test_the_terminal_says_once_that_a_gpu_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = loaded_with(*fallback(Echo(fails_at=3), Echo()))
    audio = AudioFile(np.zeros((1, 11_025), np.float32), 22_050, "")
    engine = Engine(FileInput("silence", audio), NullOutput(), loaded)
    monkeypatch.setattr(realtime.terminal.live, "open_engine", lambda *_, **__: engine)
    lines: list[str] = []
    summary = run_live(
        Settings(input="silence", output="null"),
        Parameters(),
        seconds=None,
        fall_back_input=False,
        fall_back_output=False,
        say=lines.append,
    )
    assert sum("was lost" in line for line in lines) == 1
    assert summary["seconds"] == 0.5
    assert summary["device"] == "cpu"


def test_a_file_that_loses_its_gpu_is_restored_again_and_whole(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = rng.normal(0, 0.1, (1, 20 * BLOCK)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", x[0], 22_050, subtype="FLOAT")
    monkeypatch.setattr(realtime.files.enhance, "BLOCK_SAMPLES", BLOCK)
    outs, notes = [], []
    for fails_at in (None, 5):
        loaded = loaded_with(*fallback(Echo(fails_at=fails_at), Echo()))
        monkeypatch.setattr(realtime.files.enhance, "load_chain", lambda *_, c=loaded, **__: c)
        enhancer = Enhancer(INFO)
        for k in range(2):
            job = Job(tmp_path / "a.wav", tmp_path / f"{fails_at}{k}.wav")
            notes.append(enhancer.file(job))
            outs.append(soundfile.read(job.target)[0])
    for out in outs[1:]:
        np.testing.assert_array_equal(out, outs[0])
    # Told once, not with every file.
    assert [bool(n) for n in notes] == [False, False, True, False]
    assert notes[2].startswith("a GPU was lost")


# ---- where a network is put


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch says that there is a GPU; any use of it fails as this build of torch fails."""
    monkeypatch.setattr(realtime.inference.network.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        realtime.inference.network.torch.cuda, "get_device_name", lambda _=None: "a GPU"
    )
    monkeypatch.setattr(
        realtime.inference.network.torch.cuda, "get_device_capability", lambda: (9, 0)
    )


@pytest.fixture
def unet_file(tmp_path: Path) -> Path:
    about = unet_metadata()
    return write_model(tmp_path / "unet.ts", StreamingUNet(unet(4)), about)


@pytest.fixture
def smooth_file(tmp_path: Path) -> Path:
    return write_model(tmp_path / "smooth.ts", Smooth(), metadata())


def test_where_cuda_is_missing_the_cpu_runs_and_says_so(smooth_file: Path) -> None:
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
    """Enough of a network to be tuned."""

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
    tuned = load_and_tune(
        lambda *chosen: Stub(*chosen, failure if chosen[0] == "cuda" else None),
        INFO,
        WORKLOAD,
        Requested(),
        measurements=None,
    )
    assert tuned.network.device == "cpu"
    assert tuned.backup is None
    assert "running on the CPU" in tuned.notice
    assert "\n" not in tuned.notice


def test_a_gpu_that_works_has_the_cpu_behind_it(gpu: None) -> None:
    tuned = load_and_tune(
        lambda *chosen: Stub(*chosen, None),
        INFO,
        WORKLOAD,
        Requested(),
        measurements=None,
    )
    assert tuned.backup is not None
    assert (tuned.network.device, tuned.backup.device) == ("cuda", "cpu")
    # The thread that processes is bound once, for both.
    assert tuned.network.threads == tuned.backup.threads
    assert tuned.notice == ""


@pytest.mark.parametrize(
    ("asked", "gpu_dtype", "cpu_dtype"),
    [
        (None, "tf32", "float32"),
        ("tf32", "tf32", "float32"),
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
    ],
)
def test_each_device_has_the_dtype_asked_for_or_its_default(
    gpu: None, asked: str | None, gpu_dtype: str, cpu_dtype: str
) -> None:
    tuned = load_and_tune(
        lambda *chosen: Stub(*chosen, None),
        INFO,
        WORKLOAD,
        Requested(dtype=asked),
        measurements=None,
    )
    assert tuned.backup is not None
    assert (tuned.network.dtype, tuned.backup.dtype) == (gpu_dtype, cpu_dtype)


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


# ---- the recorded step


class Tape:
    """Records as a CUDA graph does, on the CPU: fixed buffers, replayed whatever is in them."""

    def __init__(self, step: Step, state: list[Tensor], shape: tuple[int, int, int]) -> None:
        self._step = step
        self._state = [s.clone() for s in state]
        self._x = torch.zeros(shape)
        self._y = torch.zeros(shape)
        self.replays = 0

    def load(self, state: list[Tensor]) -> None:
        for held, new in zip(self._state, state, strict=True):
            held.copy_(new)

    def __call__(self, x: Audio) -> Audio:
        self.replays += 1
        self._x.copy_(torch.from_numpy(x).unsqueeze(1))
        with torch.inference_mode():
            y, after = self._step(self._x, self._state)
            self._y.copy_(y)
            self.load(after)
        out: Audio = self._y.squeeze(1).numpy()
        return out


@pytest.fixture
def graph(unet_file: Path) -> tuple[GraphNetwork, list[Tape]]:
    tapes: list[Tape] = []

    def record(step: Step, state: list[Tensor], shape: tuple[int, int, int]) -> Tape:
        tapes.append(Tape(step, state, shape))
        return tapes[-1]

    info = read_model_info(unet_file)
    return GraphNetwork(info, compute="cpu", threads=1, record=record), tapes


@pytest.mark.parametrize("channels", [1, 2])
def test_a_recorded_network_equals_the_plain_one(
    graph: tuple[GraphNetwork, list[Tape]],
    unet_file: Path,
    rng: np.random.Generator,
    channels: int,
) -> None:
    network, tapes = graph
    network.warm_up(channels, BLOCK)
    plain = StreamNetwork(read_model_info(unet_file), compute="cpu", threads=1)
    plain.start(channels)
    assert network.latency_samples == plain.latency_samples
    x = rng.normal(0, 0.1, (channels, 8 * BLOCK)).astype(np.float32)
    recorded = tapes[0].replays
    y = streamed(network, x)
    np.testing.assert_allclose(y, streamed(plain, x), rtol=0, atol=SUMS)
    assert tapes[0].replays == recorded + 8
    # And again after a reset, with nothing left of the first time.
    network.start(channels)
    np.testing.assert_array_equal(streamed(network, x), y)


def test_other_channels_than_recorded_run_as_they_are(
    graph: tuple[GraphNetwork, list[Tape]], rng: np.random.Generator
) -> None:
    network, tapes = graph
    network.warm_up(2, BLOCK)
    x = rng.normal(0, 0.1, (2, 4 * BLOCK)).astype(np.float32)
    y = streamed(network, x)
    replays = tapes[0].replays
    # As a chain does while it is built: prepared for one channel, then for two.
    network.start(1)
    np.testing.assert_allclose(streamed(network, x[:1]), y[:1], rtol=0, atol=SUMS)
    assert tapes[0].replays == replays
    network.start(2)
    np.testing.assert_array_equal(streamed(network, x), y)


def test_other_lengths_than_recorded_are_refused(
    graph: tuple[GraphNetwork, list[Tape]],
) -> None:
    network, _ = graph
    network.warm_up(1, BLOCK)
    with pytest.raises(ValueError, match="recorded for blocks of"):
        network(np.zeros((1, 2 * BLOCK), np.float32))


def test_a_network_that_cannot_be_recorded_runs_as_it_is(
    unet_file: Path, rng: np.random.Generator
) -> None:
    def record(step: Step, state: list[Tensor], shape: tuple[int, int, int]) -> Tape:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    info = read_model_info(unet_file)
    network = GraphNetwork(info, compute="cpu", threads=1, record=record)
    network.warm_up(1, BLOCK)
    plain = StreamNetwork(info, compute="cpu", threads=1)
    x = rng.normal(0, 0.1, (1, 4 * BLOCK)).astype(np.float32)
    np.testing.assert_allclose(streamed(network, x), streamed(plain, x), rtol=0, atol=SUMS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_the_graph_equals_the_cpu(unet_file: Path, rng: np.random.Generator) -> None:
    info: ModelInfo = replace(read_model_info(unet_file))
    network = GraphNetwork(info, compute="cuda", dtype="float32")
    network.warm_up(1, BLOCK)
    plain = StreamNetwork(info, compute="cpu", threads=1)
    x = rng.normal(0, 0.1, (1, 20 * BLOCK)).astype(np.float32)
    np.testing.assert_allclose(streamed(network, x), streamed(plain, x), rtol=0, atol=1e-5)
