"""A GPU that is lost under a network that takes the 22.05 kHz input: kaiser_fast replaces it."""

from pathlib import Path

import numpy as np

from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.inference.cpu_fallback import (
    FADE_SAMPLES,
    DeviceLossMonitor,
    FallbackStream,
    dry_windows,
)
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.stream_network import StreamNetwork
from tests.helpers.fake_streams import Rig
from tests.helpers.networks import Doubling, doubled, doubling_metadata, loaded_stream, write_model

# Rounding of float32 samples up to 1, over sums of nine products.
ROUNDING = 1e-6


# A stream against the whole signal, in samples up to 1.
STREAMED = 1e-4


LATENCY = 448


KAISER_FAST = 46


def noise(n: int, channels: int = 1) -> Audio:
    rng = np.random.default_rng(n)
    return rng.uniform(-0.4, 0.4, (channels, n)).astype(np.float32)


class Failing(StreamNetwork):
    """Works for some calls, then its device is lost."""

    calls_left = 10

    def __call__(self, x: Audio) -> Audio:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise RuntimeError("CUDA error: unspecified launch failure")
        return super().__call__(x)


def lost_after(
    calls: int, info: ModelInfo, *, backup: bool
) -> tuple[FallbackStream, DeviceLossMonitor]:
    device = Failing(info, compute="cpu", threads=1)
    device.calls_left = calls
    loss_monitor = DeviceLossMonitor("a GPU", "on the CPU")
    network = FallbackStream(
        device,
        StreamNetwork(info, compute="cpu", threads=1) if backup else None,
        loss_monitor,
        context_samples=info.context_samples[0],
        call_samples=256,
    )
    return network, loss_monitor


def kaiser_fast(x: Audio, late: int) -> Audio:
    upsampler = KaiserUpsampler()
    upsampler.prepare(ProcessSpec(max_block_samples=x.shape[1], channels=len(x)))
    y = upsampler.process(x)
    return np.pad(y, ((0, 0), (late - KAISER_FAST, 0)))[:, : y.shape[1]]


def test_a_lost_gpu_leaves_kaiser_fast_and_then_the_processor(doubling: ModelInfo) -> None:
    network, loss_monitor = lost_after(3, doubling, backup=True)
    network.start(2)
    x = noise(256 * 12, 2)
    y = np.concatenate([network(x[:, k : k + 256]) for k in range(0, x.shape[1], 256)], axis=1)
    wet = np.pad(doubled(x), ((0, 0), (LATENCY, 0)))[:, : y.shape[1]]
    dry = kaiser_fast(x, LATENCY)
    lost = 3 * 512
    settled = lost + LATENCY + doubling.context_samples[0]
    assert loss_monitor.lost
    # Before LATENCY the filter rings, which the whole one does not show.
    before = slice(LATENCY, lost)
    np.testing.assert_allclose(y[:, before], wet[:, before], rtol=0, atol=STREAMED)
    np.testing.assert_allclose(y[:, lost:settled], dry[:, lost:settled], rtol=0, atol=ROUNDING)
    after = slice(settled + FADE_SAMPLES, None)
    np.testing.assert_allclose(y[:, after], wet[:, after], rtol=0, atol=STREAMED)
    assert np.abs(dry - wet).max() > 0.1


def test_without_a_fast_processor_kaiser_fast_continues(doubling: ModelInfo) -> None:
    network, _ = lost_after(2, doubling, backup=False)
    network.start(1)
    x = noise(256 * 8)
    y = np.concatenate([network(x[:, k : k + 256]) for k in range(0, x.shape[1], 256)], axis=1)
    dry = kaiser_fast(x, LATENCY)
    np.testing.assert_allclose(y[:, 1024:], dry[:, 1024:], rtol=0, atol=ROUNDING)


def test_an_early_network_on_a_gpu_waits_for_what_replaces_it(tmp_path: Path) -> None:
    path = write_model(tmp_path / "early.ts", Doubling(20), doubling_metadata(latency_samples=20))
    network, _ = lost_after(4, read_model_info(path), backup=True)
    assert network.latency_samples == KAISER_FAST
    network.start(1)
    x = noise(256 * 4)
    y = np.concatenate([network(x[:, k : k + 256]) for k in range(0, x.shape[1], 256)], axis=1)
    np.testing.assert_allclose(
        y[:, KAISER_FAST:], doubled(x)[:, :-KAISER_FAST], rtol=0, atol=STREAMED
    )


def test_the_audio_continues_when_the_gpu_is_lost(doubling: ModelInfo) -> None:
    network, loss_monitor = lost_after(10, doubling, backup=True)
    loaded = loaded_stream(network, loss_monitor, block_samples=512, front_end="none")
    with Rig(loaded) as rig:
        x = noise(256 * 30)
        rig.run(x)
        snapshot, played = rig.snapshot, rig.played
    late = snapshot.latency.engine
    assert snapshot.faults.total == 0
    assert snapshot.compute == "cpu"
    assert snapshot.notice.startswith("a GPU was lost")
    # At the end the processor has long taken over.
    end = slice(played.shape[1] - 4_096, played.shape[1])
    wanted = np.pad(doubled(x), ((0, 0), (late, 0)))
    np.testing.assert_allclose(played[:, end], wanted[:, end], rtol=0, atol=STREAMED)


def test_windows_on_a_slow_processor_become_kaiser_fast() -> None:
    x = noise(600, 2)
    y = dry_windows(2)(x)
    dry = kaiser_fast(np.pad(x, ((0, 0), (0, 23))), KAISER_FAST)[:, KAISER_FAST:]
    np.testing.assert_allclose(y, dry, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(dry_windows(1)(x), x)
