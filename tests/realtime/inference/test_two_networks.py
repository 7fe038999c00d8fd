"""Two networks in one chain: bypass plays the second, at the same latency and on one device."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import realtime.inference.load
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio
from realtime.engine.open import open_engine
from realtime.engine.settings import Settings
from realtime.errors import ModelFileError
from realtime.files.enhance import render
from realtime.inference.load import LoadedChain
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.stream_network import StreamNetwork
from tests.helpers.engine_signals import ROUNDING, noise
from tests.helpers.networks import NOT_A_NUMBER_WHEN_LOUD, NoThread, metadata, write_model
from tests.realtime.inference import conftest
from topoctave import main

BLOCK = 512
CPU = {"compute": "cpu", "threads": 1}


def load(*models: ModelInfo, bypass: bool = False, **changes: Any) -> LoadedChain:
    parameters = Parameters(bypass=bypass)
    loaded = conftest.load(*models, block_samples=BLOCK, parameters=parameters, **changes)
    loaded.bind_thread()
    return loaded


@pytest.mark.parametrize("windowed", [False, True])
def test_bypass_of_a_pair_is_its_second_model(unet_info, doubling, windowed) -> None:
    x = noise(9_000, 2)
    options = {"channels": 2, "windowed": windowed}
    alone, as_a = load(doubling, **options), load(doubling, unet_info, **options)
    as_b = load(unet_info, doubling, bypass=True, **options)
    # Latency is left out.
    wanted, *outs = (render(made.chain, x, block_samples=BLOCK) for made in (alone, as_b, as_a))
    assert np.abs(wanted).max() > 0.1
    for out in outs:
        np.testing.assert_allclose(out, wanted, rtol=0, atol=ROUNDING)
    slowest = max(alone.chain.latency_samples, load(unet_info, **options).chain.latency_samples)
    assert {m.chain.latency_samples for m in (as_a, as_b)} == {slowest}
    assert as_b.chain.latency.engine == slowest
    assert [(m.model, m.model_b) for m in (alone, as_a)] == [("doubling", ""), ("doubling", "unet")]


def test_the_second_model_takes_the_first_ones_threads(unet_info, doubling, monkeypatch) -> None:
    asked = []

    def tune(network: Any, *_: object, threads: int | None, **__: object) -> None:
        asked.append(threads)
        network.threads = 3

    monkeypatch.setattr(realtime.inference.load, "tune", tune)
    assert load(unet_info, doubling, threads=None).threads == 3
    assert asked == [None, 3]


def on_a_gpu(lost: list[bool]) -> Callable[..., tuple[Any, Any, str]]:
    """Loads networks on the CPU as if they were on a GPU, which is lost once the list is filled."""

    class OnGpu(StreamNetwork):
        def __call__(self, x: Audio) -> Audio:
            if lost:
                raise RuntimeError("CUDA error")
            return super().__call__(x)

    def load_and_tune(
        load: Callable[..., Any], info: ModelInfo, *_: object, **__: object
    ) -> tuple[Any, Any, str]:
        backup = load("cpu", 1, "float32")
        network = OnGpu(info, origin_samples=46 if info.ratio == 1 else 0, **CPU)
        network.compute = "a GPU"
        return network, backup, ""

    return load_and_tune


@pytest.mark.parametrize("bypass", [False, True])
def test_both_networks_survive_the_loss_of_their_gpu(
    unet_info, doubling, bypass, monkeypatch
) -> None:
    """Each goes on on the CPU; the dry path is heard until it has its context."""
    x, lost = noise(20_000), []
    healthy = load(unet_info, doubling, bypass=bypass)
    wanted = render(healthy.chain, x, block_samples=BLOCK)
    monkeypatch.setattr(realtime.inference.load, "load_and_tune", on_a_gpu(lost))
    loaded = load(unet_info, doubling, bypass=bypass)
    assert (loaded.compute_now, loaded.notice) == ("a GPU", "")
    loaded.chain.fall_back(clock=lambda: 0.0, new_thread=NoThread)
    loaded.chain.input_tap = lambda _: lost.append(True) if blocks.pop(0) == 9 else None
    blocks = list(range(1000))
    out = render(loaded.chain, x, block_samples=BLOCK)
    assert loaded.notice == "a GPU was lost (CUDA error): running on the CPU"
    assert loaded.compute_now == "cpu"
    assert [path.lost for path in loaded.chain.paths] == ["CUDA error"] * 2
    assert [f.count for f in loaded.chain.fallbacks] == [1, 1]
    # The latency is left out of these: what a block answers begins before it.
    before, after = slice(None, 7 * BLOCK), slice(45 * BLOCK, -BLOCK)
    np.testing.assert_allclose(out[:, before], wanted[:, before], rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(out[:, after], wanted[:, after], rtol=0, atol=1e-4)


def test_a_second_network_that_returns_nonsense_is_named(doubling, tmp_path) -> None:
    path = write_model(tmp_path / "nan.ts", NOT_A_NUMBER_WHEN_LOUD, metadata())
    chain = load(doubling, read_model_info(path)).chain
    with pytest.raises(ValueError, match="the network returned something unusable"):
        render(chain, np.full((1, 5_000), 0.9, np.float32), block_samples=BLOCK)


def test_an_engine_runs_two_models(unet_info, doubling) -> None:
    models = {"model": str(unet_info.path), "model_b": str(doubling.path)}
    engine = open_engine(Settings(input="demo", output="null", **models, **CPU))
    snapshot = engine.snapshot()
    engine.stop()
    assert (snapshot.model, snapshot.model_b) == ("unet", "doubling")
    assert engine.tap_delay_samples == snapshot.latency.engine - 2 * snapshot.block_samples
    with pytest.raises(ModelFileError, match="there is no model 'nothing'"):
        open_engine(Settings(input="demo", output="null", **models | {"model_b": "nothing"}))


def test_the_terminal_takes_a_second_model(unet_info, doubling, capsys) -> None:
    command = ["live", "--input", "demo", "--output", "null", "--seconds", "0.2", "--json"]
    models = ["--model", str(unet_info.path), "--model-b", str(doubling.path), "--threads", "1"]
    assert main([*command, *models, "--compute", "cpu"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["model"] == "unet"
    assert "unet (bypass: doubling) on cpu" in printed.err
