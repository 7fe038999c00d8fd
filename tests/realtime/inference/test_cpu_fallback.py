"""A GPU that is lost during a stream: the audio continues, and one line gives the reason."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from realtime.audio_io.file_streams import FileOutput
from realtime.dsp.chain import NetworkPath
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.engine.engine import Engine
from realtime.engine.settings import Settings
from realtime.files.enhance import Enhancer, Job
from realtime.inference.cpu_fallback import (
    FADE_SAMPLES,
    DeviceLossMonitor,
    FallbackStream,
    dry_windows,
    fallback_windows,
)
from realtime.inference.load import LoadedChain
from realtime.inference.model_file import ModelInfo
from realtime.inference.streaming import StreamingNetwork
from realtime.terminal.live import run_live
from tests.helpers.cli import store
from tests.helpers.engine_signals import file_input, noise
from tests.helpers.fake_streams import hurry
from tests.helpers.networks import loaded_around
from tests.realtime.inference.conftest import streamed

BLOCK = 256
LATENCY, CONTEXT = 40, 100
# Two ways to the same sum in float32.
SUMS = 1e-6


@dataclass
class Echo:
    """A streaming network in numpy: the input, late, and half of it later by the context."""

    fails_at: int | None = None
    ratio: int = 1
    latency_samples: int = LATENCY
    block_multiple: int = 128
    calls: int = 0

    def start(self, channels: int) -> None:
        self._past = np.zeros((channels, self.latency_samples + CONTEXT), np.float32)

    def __call__(self, x: Audio) -> Audio:
        self.calls += 1
        if self.fails_at is not None and self.calls > self.fails_at:
            raise RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might")
        joined = np.concatenate([self._past, np.repeat(x, self.ratio, axis=1)], axis=1)
        n = self.ratio * x.shape[1]
        self._past = joined[:, n:]
        y: Audio = joined[:, CONTEXT : CONTEXT + n] + np.float32(0.5) * joined[:, :n]
        return y


def fallback(device: Echo, backup: Echo | None) -> tuple[FallbackStream, DeviceLossMonitor]:
    loss_monitor = DeviceLossMonitor("a GPU", "on the CPU")
    network = FallbackStream(
        device, backup, loss_monitor, context_samples=CONTEXT, call_samples=BLOCK
    )
    return network, loss_monitor


def whole(x: Audio, ratio: int = 1, late: int = LATENCY) -> Audio:
    """What a network's whole output is."""
    x = np.pad(np.repeat(x, ratio, axis=1), ((0, 0), (late + CONTEXT, 0)))
    y: Audio = x[:, CONTEXT:] + np.float32(0.5) * x[:, :-CONTEXT]
    return y[:, :-late]


def kaiser_fast(x: Audio) -> Audio:  # 46 samples late.
    upsampler = KaiserUpsampler()
    upsampler.prepare(ProcessSpec(max_block_samples=x.shape[1], channels=len(x)))
    return upsampler.process(x)


@pytest.mark.parametrize(
    ("healthy", "has_backup"), [(0, True), (7, True), (2, False), (None, True)]
)
# The last two take the 22.05 kHz input; one of them is earlier than kaiser_fast and waits for it.
@pytest.mark.parametrize(("ratio", "latency", "late"), [(1, 40, 40), (2, 448, 448), (2, 40, 46)])
def test_a_lost_device_leaves_the_dry_signal_until_the_backup_has_its_context(
    healthy, has_backup, ratio, latency, late
) -> None:
    """If there is a backup, and if the device is ever lost."""
    backup = Echo(None, ratio, latency) if has_backup else None
    device = Echo(healthy, ratio, latency)
    network, loss_monitor = fallback(device, backup)
    assert network.latency_samples == late
    x = noise(20 * BLOCK, 2)
    y, wet = streamed(network, x), whole(x, ratio, late)
    dry = np.pad(x if ratio == 1 else kaiser_fast(x), ((0, 0), (late - 46 * (ratio - 1), 0)))
    dry = dry[:, : y.shape[1]]
    assert np.abs(dry - wet).max() > 0.1
    # From the loss on the network's share is nothing, and then grows linearly.
    lost = y.shape[1] if healthy is None else healthy * BLOCK * ratio
    settled = lost + late + CONTEXT if has_backup else y.shape[1]
    share = np.clip((np.arange(y.shape[1]) + 0.5 - settled) / FADE_SAMPLES, 0.0, 1.0)
    share[:lost] = 1.0
    np.testing.assert_allclose(y, dry + share * (wet - dry), rtol=0, atol=SUMS)
    if healthy is None:
        assert (backup.calls, loss_monitor.lost, loss_monitor.notice) == (0, False, "")
        return
    assert device.calls == healthy + 1  # not asked again
    assert loss_monitor.lost
    assert loss_monitor.notice == (
        "a GPU was lost (CUDA error: unspecified launch failure): continuing on the CPU"
    )


@pytest.mark.parametrize("at_start", [False, True])
def test_after_a_reset_the_backup_has_nothing_to_wait_for(at_start) -> None:
    class Gone(Echo):
        def start(self, channels: int) -> None:
            if at_start:
                raise RuntimeError("")
            super().start(channels)

    network, loss_monitor = fallback(Gone(fails_at=0), Echo())
    x = noise(8 * BLOCK)
    if at_start:
        assert loss_monitor.notice == "a GPU was lost (RuntimeError): continuing on the CPU"
    else:
        streamed(network, x)
    np.testing.assert_array_equal(streamed(network, x), whole(x))


def test_other_errors_of_the_device_are_not_hidden() -> None:
    class Wrong(Echo):
        def __call__(self, x: Audio) -> Audio:
            raise TypeError("a bug")

    network, loss_monitor = fallback(Wrong(), Echo())
    with pytest.raises(TypeError, match="a bug"):
        network(np.zeros((1, BLOCK), np.float32))
    assert not loss_monitor.lost


def test_windows_go_on_without_a_seam() -> None:
    calls = []

    def device(x: Audio) -> Audio:
        calls.append(1)
        if len(calls) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")
        return 2 * x

    loss_monitor = DeviceLossMonitor("a GPU", "on the CPU")
    windows = fallback_windows(device, lambda x: 2 * x, loss_monitor)
    x = noise(BLOCK)
    for _ in range(5):
        np.testing.assert_array_equal(windows(x), 2 * x)
    assert len(calls) == 3
    assert "out of memory" in loss_monitor.notice


def test_windows_on_a_slow_processor_become_kaiser_fast() -> None:
    x = noise(600, 2)
    dry = kaiser_fast(np.pad(x, ((0, 0), (0, 23))))[:, 46:]
    np.testing.assert_allclose(dry_windows(2)(x), dry, rtol=0, atol=SUMS)
    np.testing.assert_array_equal(dry_windows(1)(x), x)


def loaded(fails_at: int | None) -> LoadedChain:
    network, loss_monitor = fallback(Echo(fails_at=fails_at), Echo())
    path = NetworkPath(StreamingNetwork(network), "kaiser_fast")
    return loaded_around(path, block_samples=BLOCK, compute="a GPU", loss_monitor=loss_monitor)


def test_a_gpu_lost_in_mid_stream_does_not_stop_the_audio(tmp_path, monkeypatch) -> None:
    """The terminal reports it once."""
    outs, summaries, lines = [], [], []
    for fails_at in (None, 10):
        # A file has no clock, so that a busy machine loses no block.
        engine = Engine(
            file_input(noise(11_025)), FileOutput(tmp_path / "out.wav"), loaded(fails_at)
        )
        hurry(engine)
        monkeypatch.setattr("realtime.terminal.live.open_engine", lambda *_, e=engine, **__: e)
        summary = run_live(
            Settings(input="silence", output="null"), Parameters(), seconds=None,
            fall_back_input=False, fall_back_output=False, report=lines.append,
        )  # fmt: skip
        summaries.append(summary)
        outs.append(soundfile.read(tmp_path / "out.wav")[0])
    assert [s["device"] for s in summaries] == ["a GPU", "cpu"]
    assert sum("a GPU was lost (CUDA error" in line for line in lines) == 1
    for same in ("seconds", "latency_ms", "xruns"):
        assert summaries[0][same] == summaries[1][same]
    # The same audio as if nothing had happened, but for some blocks around the loss.
    differs = np.flatnonzero(np.abs(outs[0] - outs[1]) > SUMS)
    assert 0 < differs[-1] - differs[0] < LATENCY + CONTEXT + FADE_SAMPLES + 2 * BLOCK


def test_a_file_that_loses_its_gpu_is_restored_again_and_whole(tmp_path, monkeypatch) -> None:
    store(tmp_path / "a.wav", 20 * BLOCK)
    monkeypatch.setattr("realtime.files.enhance.BLOCK_SAMPLES", BLOCK)
    outs, notes = [], []
    for fails_at in (None, 5):
        chain = loaded(fails_at)
        monkeypatch.setattr("realtime.files.enhance.load_chain", lambda *_, c=chain, **__: c)
        enhancer = Enhancer(ModelInfo(name="stub", path=Path("stub.ts")))
        for k in range(2):
            job = Job(tmp_path / "a.wav", tmp_path / f"{fails_at}{k}.wav")
            notes.append(enhancer.file(job))
            outs.append(soundfile.read(job.target)[0])
    for out in outs[1:]:
        np.testing.assert_array_equal(out, outs[0])
    # Reported once, not with every file.
    assert [bool(n) for n in notes] == [False, False, True, False]
    assert notes[2].startswith("a GPU was lost")
