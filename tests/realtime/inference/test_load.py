"""Loaded chains: streaming networks, which are exact, and plain ones."""

from pathlib import Path

import numpy as np
import pytest
import resampy
import soundfile
import torch

from models.networks.unet import LOOK_BACK_SAMPLES
from realtime.dsp.processor import Audio
from realtime.engine.open import open_engine
from realtime.engine.settings import Settings
from realtime.files.enhance import render
from realtime.inference.load import load_chain
from realtime.inference.model_file import read_model_info
from realtime.inference.tuning_cache import TuningCache
from tests.helpers.unets import unet
from topoctave import main

# A stream against the whole signal, in samples up to 1.
STREAMED = 1e-4


# Overlapping windows see zeros where a stream sees the signal's past.
WINDOWED = 1e-4


# Of an engine without devices, at blocks of 512.
MAX_LATENCY_MS = 40.0


def noise(n: int, channels: int = 1) -> Audio:
    rng = np.random.default_rng(5)
    return rng.uniform(-0.3, 0.3, (channels, n)).astype(np.float32)


def whole(x: Audio) -> Audio:
    """The network's output for the whole signal, surrounded by silence as in a live stream."""
    upsampled = resampy.resample(x, 22_050, 44_100, filter="kaiser_fast", axis=1)
    edge = 2048
    with torch.inference_mode():
        padded = torch.from_numpy(np.pad(upsampled, ((0, 0), (edge, edge)))).unsqueeze(1)
        y: Audio = unet(4)(padded).squeeze(1).numpy()[:, edge:-edge]
    assert np.abs(y - upsampled).max() > 0.05  # the network does something
    return y


@pytest.mark.parametrize("block", [128, 384, 1024, 4096])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_stream_is_the_whole_signals_answer_for_every_block(
    unet_file: Path, block: int, channels: int
) -> None:
    x = noise(9_001, channels)
    loaded = load_chain(
        read_model_info(unet_file),
        block_samples=block,
        channels=channels,
        compute="cpu",
        threads=1,
        paced=False,
    )
    loaded.bind_thread()
    y = render(loaded.chain, x, block_samples=block)
    # kaiser_fast rings beyond the signal's ends, which the whole one does not have.
    inside = slice(LOOK_BACK_SAMPLES, -LOOK_BACK_SAMPLES)
    np.testing.assert_allclose(y[:, inside], whole(x)[:, inside], rtol=0, atol=STREAMED)


def test_live_streams_exactly(
    unet_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = noise(22_050)
    soundfile.write(tmp_path / "in.wav", x[0], 22_050, subtype="FLOAT")
    command = ["live", "--input", str(tmp_path / "in.wav"), "--output", str(tmp_path / "out.wav")]
    options = ["--model", str(unet_file), "--block", "512", "--compute", "cpu", "--threads", "1"]
    assert main(command + options) == 0, capsys.readouterr().err
    y, rate = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    assert rate == 44_100
    wanted = whole(x)
    inside = slice(LOOK_BACK_SAMPLES, -LOOK_BACK_SAMPLES)
    # The file begins with the latency of the session, or without it: found by correlation.
    late = int(np.argmax(np.correlate(y[:4_000, 0], wanted[0, :1_500], "valid")))
    got = y[late : late + wanted.shape[1], 0]
    n = len(got)
    np.testing.assert_allclose(got[inside], wanted[0, :n][inside], rtol=0, atol=STREAMED)


def test_windows_of_a_streaming_network_give_the_same(unet_file: Path) -> None:
    x = noise(9_001)
    info = read_model_info(unet_file)
    loaded = load_chain(
        info, block_samples=1024, compute="cpu", threads=1, paced=False, windowed=True
    )
    loaded.bind_thread()
    y = render(loaded.chain, x, block_samples=1024)
    inside = slice(LOOK_BACK_SAMPLES, -LOOK_BACK_SAMPLES)
    np.testing.assert_allclose(y[:, inside], whole(x)[:, inside], rtol=0, atol=WINDOWED)


def test_the_engine_of_512_sample_blocks_is_at_most_40_ms_late(unet_file: Path) -> None:
    settings = Settings(
        input="demo",
        output="null",
        model=str(unet_file),
        block_samples=512,
        compute="cpu",
        threads=1,
    )
    engine = open_engine(settings)
    latency = engine.latency
    engine.stop()
    assert (latency.block, latency.front_end, latency.safety) == (512, 46, 512)
    assert latency.crossfade == 0
    assert 1e3 * latency.engine / 44_100 <= MAX_LATENCY_MS


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_session_without_its_gpu_runs_with_a_notice(unet_file: Path, tmp_path: Path) -> None:
    settings = Settings(
        input="demo", output="null", model=str(unet_file), block_samples=256, compute="cuda"
    )
    lines: list[str] = []
    engine = open_engine(settings, progress=lines.append, cache=TuningCache(tmp_path / "m.json"))
    snapshot = engine.snapshot()
    engine.stop()
    assert snapshot.notice == "there is no CUDA device here: running on the CPU"
    assert snapshot.notice in lines
    assert snapshot.compute == "cpu"
