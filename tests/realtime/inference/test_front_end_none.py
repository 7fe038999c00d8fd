"""A network that takes the 22.05 kHz input itself (``front_end`` none), through every path."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from torch import Tensor, nn

import realtime.bench.bench
from realtime.audio_io.file_streams import FileOutput
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.engine.engine import Engine
from realtime.engine.snapshot import State
from realtime.errors import ModelFileError
from realtime.files.enhance import Enhancer, render
from realtime.inference.load import LoadedChain, load_chain
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.stream_network import StreamNetwork
from realtime.inference.streaming import StreamingNetwork
from tests.helpers.engine_signals import file_input, impulse, loudest
from tests.helpers.fake_streams import hurry
from tests.helpers.networks import Doubling, Smooth, doubled, doubling_metadata, write_model
from topoctave import main

# Rounding of float32 samples up to 1, over sums of nine products.
ROUNDING = 1e-6


# A stream against the whole signal, in samples up to 1.
STREAMED = 1e-4


LATENCY = 448


KAISER_FAST = 46


def noise(n: int, channels: int = 1) -> Audio:
    rng = np.random.default_rng(n)
    return rng.uniform(-0.4, 0.4, (channels, n)).astype(np.float32)


def load(info: ModelInfo, block: int, **changes: Any) -> LoadedChain:
    values: dict[str, Any] = {"compute": "cpu", "threads": 1, "paced": False} | changes
    return load_chain(info, block_samples=block, **values)


def random_lengths(total: int, longest: int) -> list[int]:
    rng = np.random.default_rng(total)
    lengths = [0, 1]
    while (left := total - sum(lengths)) > 0:
        lengths.append(min(int(rng.integers(0, longest + 1)), left))
    return lengths


@pytest.mark.parametrize("longest", [5, 130, 700])
@pytest.mark.parametrize("channels", [1, 2])
def test_random_blocks_give_the_whole_signals_answer(
    doubling: ModelInfo, longest: int, channels: int
) -> None:
    made = StreamingNetwork(StreamNetwork(doubling, compute="cpu", threads=1))
    made.prepare(ProcessSpec(max_block_samples=longest, channels=channels))
    # Blocks of any length: the last sample before a line of the grid waits for it, the first one
    # of a step for all of the others.
    assert made.ratio == 2
    assert made.latency_samples == LATENCY + 2 * 127
    x = noise(3_000, channels)
    lengths = random_lengths(3_000, longest)
    ends = np.cumsum(lengths)
    y = [made.process(x[:, e - n : e]) for n, e in zip(lengths, ends, strict=True)]
    late = made.latency_samples
    np.testing.assert_allclose(
        np.concatenate(y, axis=1)[:, late:], doubled(x)[:, :-late], rtol=0, atol=STREAMED
    )


@pytest.mark.parametrize(
    ("block", "wait"),
    [
        (128, 128),  # every second block completes a step of the grid
        (256, 0),
        (384, 128),
        (512, 0),
        (1024, 0),
    ],
)
def test_latency_is_the_networks_where_blocks_keep_to_its_grid(
    doubling: ModelInfo, block: int, wait: int
) -> None:
    loaded = load(doubling, block)
    parts = loaded.chain.latency
    assert (parts.front_end, parts.crossfade) == (0, 0)
    assert parts.model == loaded.chain.latency_samples == LATENCY + wait
    x = noise(5_000)
    # `Doubling` refuses calls of other lengths than steps of its grid.
    y = render(loaded.chain, x, block_samples=block)
    np.testing.assert_allclose(y, doubled(x), rtol=0, atol=STREAMED)


def test_dry_and_wet_are_in_time(doubling: ModelInfo) -> None:
    chain = load(doubling, 512).chain
    x = noise(4_096)
    chain.parameters = Parameters(bypass=True)
    dry = render(chain, x, block_samples=512)
    upsampler = KaiserUpsampler()
    upsampler.prepare(ProcessSpec(max_block_samples=x.shape[1]))
    upsampled = upsampler.process(x)[:, KAISER_FAST:]
    np.testing.assert_allclose(dry[:, : upsampled.shape[1]], upsampled, rtol=0, atol=ROUNDING)
    chain.parameters = Parameters(mix=0.5)
    mixed = render(chain, x, block_samples=512)
    np.testing.assert_allclose(mixed, 0.5 * (dry + doubled(x)), rtol=0, atol=ROUNDING)


def test_a_network_earlier_than_kaiser_fast_waits_for_it(tmp_path: Path) -> None:
    path = write_model(tmp_path / "early.ts", Doubling(20), doubling_metadata(latency_samples=20))
    chain = load(read_model_info(path), 256).chain
    assert chain.latency_samples == KAISER_FAST
    x = noise(2_000)
    np.testing.assert_allclose(
        render(chain, x, block_samples=256), doubled(x), rtol=0, atol=ROUNDING
    )


def test_stateless_windows_give_the_same(doubling: ModelInfo) -> None:
    for block in (512, 640):  # on the network's grid, and beside it
        loaded = load(doubling, block, windowed=True)
        x = noise(5_000, 1)
        y = render(loaded.chain, x, block_samples=block)
        np.testing.assert_allclose(y, doubled(x), rtol=0, atol=ROUNDING)


def test_odd_windows_are_rounded_to_input_samples(tmp_path: Path) -> None:
    about = doubling_metadata(kind="windowed", context_samples=[7, 5], crossfade_samples=3)
    info = read_model_info(write_model(tmp_path / "plain.ts", Doubling(), about))
    x = noise(3_000, 2)
    y = render(load(info, 256, channels=2).chain, x, block_samples=256)
    np.testing.assert_allclose(y, doubled(x), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("block", [128, 512, 1024])
@pytest.mark.parametrize("at", [0, 1, 1_999])
def test_an_impulse_has_the_latency_of_the_engine(
    doubling: ModelInfo, tmp_path: Path, block: int, at: int
) -> None:
    loaded = load(doubling, block)
    engine = Engine(file_input(impulse(2_000, at)), FileOutput(tmp_path / "out.wav"), loaded)
    hurry(engine)
    engine.start()
    while engine.snapshot().state is State.RUNNING:
        pass
    engine.stop()
    latency = engine.snapshot().latency
    assert engine.snapshot().error == ""
    wait = 128 if block == 128 else 0
    assert latency.engine == block + 0 + LATENCY + wait + latency.safety
    y, _ = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    assert loudest(np.ascontiguousarray(y.T)) == 2 * at + latency.engine


def test_live_and_enhance_are_the_eager_call(
    doubling: ModelInfo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = noise(22_050, 1)
    soundfile.write(tmp_path / "in.wav", x[0], 22_050, subtype="FLOAT")
    command = ["live", "--input", str(tmp_path / "in.wav"), "--output", str(tmp_path / "out.wav")]
    options = [
        "--model",
        str(doubling.path),
        "--block",
        "512",
        "--compute",
        "cpu",
        "--threads",
        "1",
    ]
    assert main([*command, *options, "--json"]) == 0, capsys.readouterr().err
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


def test_it_is_listed_like_any_other(
    doubling: ModelInfo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime.inference.model_file.asset_folder", lambda: doubling.path.parent)
    assert main(["models", "--json"]) == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert (model["front_end"], model["kind"]) == ("none", "streaming")
    assert model["latency_samples"] == LATENCY


def test_bench_measures_it_by_output_samples(
    doubling: ModelInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime.bench.bench, "thread_choices", lambda _: [1])
    monkeypatch.setattr(realtime.bench.bench, "has_bfloat16", lambda: False)
    monkeypatch.setattr(realtime.bench.bench, "STREAMING_BLOCKS", (128, 512))
    monkeypatch.setattr(realtime.bench.bench, "WINDOWED_BLOCKS", (512,))
    monkeypatch.setattr(realtime.bench.bench, "front_end_stages", list)
    rows = realtime.bench.bench.measure(compute="cpu", models=[doubling], rounds=1, round_s=0.0)[
        "rows"
    ]
    assert [(r["stage"], r["block"]) for r in rows] == [
        ("offline", None),
        ("streaming", 128),
        ("stateless", 512),
        ("streaming", 512),
        ("windowed", 512),
    ]
    late = {(r["stage"], r["block"]): r["latency_ms"] for r in rows}
    assert late["streaming", 512] == pytest.approx(1e3 * (512 + LATENCY + 662) / 44_100, abs=0.01)


class Plain(nn.Module):
    """Returns as many samples as it gets."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, 1, n] to [B, 1, n]."""
        return x


def test_a_network_that_does_not_double_is_refused(tmp_path: Path) -> None:
    about = doubling_metadata(kind="windowed")
    path = write_model(tmp_path / "plain.ts", Plain(), about)
    with pytest.raises(ModelFileError, match="twice as many samples"):
        load(read_model_info(path), 256)


def test_a_network_that_doubles_needs_its_metadata(tmp_path: Path) -> None:
    path = write_model(tmp_path / "bare.ts", Doubling(), None)
    with pytest.raises(ModelFileError, match="as many samples as it gets"):
        load(read_model_info(path), 256)


def test_a_grid_of_half_input_samples_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "odd.ts", Smooth(), doubling_metadata(block_multiple=255))
    with pytest.raises(ModelFileError, match="even without a front end, got 255"):
        read_model_info(path)
