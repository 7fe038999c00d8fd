"""A network that takes the 22.05 kHz input itself (``front_end`` none), through every path."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from torch import nn

from realtime.dsp.latency import Latency
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.errors import ModelFileError
from realtime.files.enhance import Enhancer, render
from realtime.inference.cpu_fallback import (
    FADE_SAMPLES,
    DeviceLossMonitor,
    FallbackStream,
    dry_windows,
)
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.stream_network import StreamNetwork
from tests.helpers.engine_signals import noise
from tests.helpers.models.unets import STREAMED
from tests.helpers.networks import Doubling, Smooth, doubled, doubling_metadata, write_model
from tests.realtime.inference.conftest import load, streamed
from topoctave import main

# Rounding of float32 samples up to 1, over sums of nine products.
ROUNDING = 1e-6
LATENCY = 448
KAISER_FAST = 46


def kaiser_fast(x: Audio, late: int) -> Audio:
    upsampler = KaiserUpsampler()
    upsampler.prepare(ProcessSpec(max_block_samples=x.shape[1], channels=len(x)))
    y = upsampler.process(x)
    return np.pad(y, ((0, 0), (late - KAISER_FAST, 0)))[:, : y.shape[1]]


def written(folder: Path, module: nn.Module, about: dict[str, Any] | None) -> ModelInfo:
    return read_model_info(write_model(folder / "test.ts", module, about))


ODD = {"kind": "windowed", "context_samples": [7, 5], "crossfade_samples": 3}


@pytest.mark.parametrize(
    ("latency", "changes", "block", "late"),
    [
        # The network's latency, and a wait where blocks do not keep to its grid. `Doubling` refuses
        # calls of other lengths than steps of its grid.
        (LATENCY, {}, 128, LATENCY + 128),
        (LATENCY, {}, 256, LATENCY),
        (LATENCY, {}, 384, LATENCY + 128),
        (LATENCY, {}, 1024, LATENCY),
        # Earlier than kaiser_fast, it waits for it.
        (20, {"latency_samples": 20}, 256, KAISER_FAST),
        # Odd windows are rounded to input samples.
        (LATENCY, ODD, 256, None),
        # Stateless windows of a streaming network, on its grid and beside it.
        (LATENCY, {}, 512, None),
        (LATENCY, {}, 640, None),
    ],
)
def test_every_way_to_run_it_gives_the_same(
    tmp_path: Path, latency: int, changes: dict[str, Any], block: int, late: int | None
) -> None:
    info = written(tmp_path, Doubling(latency), doubling_metadata(**changes))
    chain = load(info, block, channels=2, windowed=late is None).chain
    if late is not None:
        assert chain.latency == Latency(model=late)
    x = noise(3_000, 2)
    y = render(chain, x, block_samples=block)
    np.testing.assert_allclose(y, doubled(x), rtol=0, atol=STREAMED)


def test_live_and_enhance_are_the_eager_call(
    doubling: ModelInfo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = noise(22_050, 1)
    soundfile.write(tmp_path / "in.wav", x[0], 22_050, subtype="FLOAT")
    files = ["--input", str(tmp_path / "in.wav"), "--output", str(tmp_path / "out.wav")]
    options = ["--model", str(doubling.path), "--compute", "cpu", "--threads", "1", "--json"]
    assert main(["live", *files, "--block", "512", *options]) == 0, capsys.readouterr().err
    parts = json.loads(capsys.readouterr().out)["latency_ms"]
    assert parts["front_end"] == 0
    assert parts["model"] == pytest.approx(1e3 * LATENCY / 44_100, abs=1e-3)
    y, _ = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    wanted = doubled(x)
    late = round(parts["total"] * 44.1)
    np.testing.assert_allclose(
        y[late : late + wanted.shape[1], 0], wanted[0], rtol=0, atol=STREAMED
    )
    np.testing.assert_allclose(
        Enhancer(doubling, compute="cpu", threads=1).samples(x), wanted, rtol=0, atol=STREAMED
    )


@pytest.mark.parametrize(
    ("module", "about", "line"),
    [
        (Smooth(), doubling_metadata(kind="windowed"), "twice as many samples"),
        (Doubling(), None, "as many samples as it gets"),
        (Smooth(), doubling_metadata(block_multiple=255), "even without a front end, got 255"),
    ],
    ids=["does not double", "doubles without metadata", "grid of half an input sample"],
)
def test_a_network_that_differs_from_its_metadata_is_refused(
    tmp_path: Path, module: nn.Module, about: dict[str, Any] | None, line: str
) -> None:
    with pytest.raises(ModelFileError, match=line):
        load(written(tmp_path, module, about))


# A GPU that is lost: kaiser_fast replaces the network until the processor does.


class Failing(StreamNetwork):
    """Works for some calls, then its device is lost."""

    calls_left = 0

    def __call__(self, x: Audio) -> Audio:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise RuntimeError("CUDA error: unspecified launch failure")
        return super().__call__(x)


def lost_after(
    calls: int, info: ModelInfo, *, backup: bool = True
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


@pytest.mark.parametrize("backup", [True, False])
def test_a_lost_gpu_leaves_kaiser_fast_and_then_the_processor(
    doubling: ModelInfo, backup: bool
) -> None:
    network, loss_monitor = lost_after(3, doubling, backup=backup)
    x = noise(256 * 12, 2)
    y = streamed(network, x)
    wet = np.pad(doubled(x), ((0, 0), (LATENCY, 0)))[:, : y.shape[1]]
    dry = kaiser_fast(x, LATENCY)
    lost = 3 * 512
    settled = lost + LATENCY + doubling.context_samples[0] if backup else y.shape[1]
    assert loss_monitor.lost
    # Before LATENCY the filter rings, which the whole one does not show.
    before = slice(LATENCY, lost)
    np.testing.assert_allclose(y[:, before], wet[:, before], rtol=0, atol=STREAMED)
    np.testing.assert_allclose(y[:, lost:settled], dry[:, lost:settled], rtol=0, atol=ROUNDING)
    after = slice(settled + FADE_SAMPLES, None)
    np.testing.assert_allclose(y[:, after], wet[:, after], rtol=0, atol=STREAMED)
    assert np.abs(dry - wet).max() > 0.1


def test_an_early_network_on_a_gpu_waits_for_what_replaces_it(tmp_path: Path) -> None:
    info = written(tmp_path, Doubling(20), doubling_metadata(latency_samples=20))
    network, _ = lost_after(4, info)
    assert network.latency_samples == KAISER_FAST
    x = noise(256 * 4)
    y = streamed(network, x)
    np.testing.assert_allclose(
        y[:, KAISER_FAST:], doubled(x)[:, :-KAISER_FAST], rtol=0, atol=STREAMED
    )


def test_windows_on_a_slow_processor_become_kaiser_fast() -> None:
    x = noise(600, 2)
    dry = kaiser_fast(np.pad(x, ((0, 0), (0, 23))), KAISER_FAST)[:, KAISER_FAST:]
    np.testing.assert_allclose(dry_windows(2)(x), dry, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(dry_windows(1)(x), x)
