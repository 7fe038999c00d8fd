"""Streaming networks: their state, their grid, and the step that a GPU replays."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from realtime.dsp.processor import Audio
from realtime.inference.model_file import ModelInfo
from realtime.inference.stream_network import GraphNetwork, Step, StreamNetwork
from tests.helpers.engine_signals import noise
from tests.realtime.inference.conftest import streamed

BLOCK = 256
# Two ways to the same sum in float32.
SUMS = 1e-6


class Tape:
    """Records as a CUDA graph does, on the CPU: fixed buffers, replayed whatever is in them."""

    def __init__(self, step: Step, state: list[Tensor], shape: tuple[int, int, int]) -> None:
        self._step = step
        self._state = [s.clone() for s in state]
        self._x = torch.zeros(shape)
        with torch.inference_mode():
            self._y = torch.zeros_like(step(self._x, self._state)[0])
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


def plain(info: ModelInfo, **changes: Any) -> StreamNetwork:
    return StreamNetwork(info, compute="cpu", threads=1, **changes)


@pytest.mark.parametrize(
    ("model", "channels"), [("unet_info", 1), ("unet_info", 2), ("doubling", 2)]
)
def test_a_recorded_network_equals_the_plain_one(model, channels, request) -> None:
    info, tapes = request.getfixturevalue(model), []

    def record(*step: Any) -> Tape:
        tapes.append(Tape(*step))
        return tapes[-1]

    network = GraphNetwork(info, compute="cpu", threads=1, record=record)
    network.warm_up(channels, BLOCK)
    assert network.latency_samples == plain(info).latency_samples
    x = noise(8 * BLOCK, channels)
    recorded = tapes[0].replays
    y = streamed(network, x)
    np.testing.assert_allclose(y, streamed(plain(info), x), rtol=0, atol=SUMS)
    assert tapes[0].replays == recorded + 8
    # Other channels than recorded run as they are, as a chain does while it is built.
    one = streamed(network, np.resize(x, (3 - channels, x.shape[1])))
    np.testing.assert_allclose(one[0], y[0], rtol=0, atol=SUMS)
    assert tapes[0].replays == recorded + 8
    # And again from the start, with nothing left of the first time.
    np.testing.assert_array_equal(streamed(network, x), y)
    with pytest.raises(ValueError, match="recorded for blocks of"):
        network(np.zeros((channels, 2 * BLOCK), np.float32))


def test_a_network_that_cannot_be_recorded_runs_as_it_is(unet_info) -> None:
    def record(*_: Any) -> Tape:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    network = GraphNetwork(unet_info, compute="cpu", threads=1, record=record)
    network.warm_up(1, BLOCK)
    x = noise(4 * BLOCK)
    np.testing.assert_allclose(
        streamed(network, x), streamed(plain(unet_info), x), rtol=0, atol=SUMS
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_the_graph_equals_the_cpu(unet_info) -> None:
    network = GraphNetwork(unet_info, compute="cuda", dtype="float32")
    network.warm_up(1, BLOCK)
    x = noise(20 * BLOCK)
    np.testing.assert_allclose(
        streamed(network, x), streamed(plain(unet_info), x), rtol=0, atol=1e-5
    )


def test_the_unet_computes_in_bfloat16_and_is_float32_outside(unet_info) -> None:
    x = noise(1_024, level=0.1)
    y, z = plain(unet_info)(x), plain(unet_info, dtype="bfloat16")(x)
    assert z.dtype == np.float32
    error = np.abs(y - z).max()
    # It does compute in bfloat16, which rounds to 8 bits.
    assert 1e-5 < error < 0.05 * np.abs(y).max()


def test_a_lead_is_passed_to_networks_with_that_argument(doubling, unet_info) -> None:
    network = plain(doubling, origin_samples=46)
    assert (network.origin_samples, network.latency_samples) == (46, 448)
    for origin, latency in ((0, 637), (46, 509 + 82), (98, 509 + 30), (128, 637)):
        leading = plain(unet_info, origin_samples=origin)
        assert (leading.origin_samples, leading.latency_samples) == (0, latency)
