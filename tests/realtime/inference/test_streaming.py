"""The engine's calls of streaming networks: on a fixed grid, for any block lengths."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.export.streaming_unet import StreamingUNet
from models.networks.unet import LOOK_BACK_SAMPLES
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.inference.streaming import StreamingNetwork
from tests.helpers.unets import STREAMED, unet


@dataclass
class Remembering:
    """A network in numpy that delays, and whose gain depends on the place in its grid."""

    block_multiple: int = 8
    latency_samples: int = 13
    ratio: int = 1
    calls: list[int] = field(default_factory=list)
    starts: int = 0

    def gain(self, position: np.ndarray) -> Audio:
        """Of the sample at a position on the network's grid."""
        return (1.0 + position % self.block_multiple).astype(np.float32)

    def start(self, channels: int) -> None:
        self.starts += 1
        self.calls.clear()
        self._past = np.zeros((channels, self.latency_samples), np.float32)
        self._position = 0  # calls begin on the grid
        self._out = np.zeros((channels, 4096), np.float32)

    def __call__(self, x: Audio) -> Audio:
        n = x.shape[1]
        assert n > 0
        assert n % self.block_multiple == 0
        self.calls.append(n)
        louder = x * self.gain(self._position + np.arange(n))
        self._position += n
        joined = np.concatenate([self._past, louder], axis=1)
        self._past = joined[:, n:]
        # The same memory every time, as a network on a GPU with a pinned buffer does.
        self._out[:] = np.nan
        self._out[:, :n] = joined[:, :n]
        return self._out[:, :n]


def expected(x: Audio, network: Remembering, origin: int, latency: int) -> Audio:
    louder = x * network.gain(np.arange(x.shape[1]) - origin)
    return np.pad(louder, ((0, 0), (latency, 0)))[:, : x.shape[1]]


def noise(n: int, channels: int = 2) -> Audio:
    rng = np.random.default_rng(n)
    return rng.uniform(-0.5, 0.5, (channels, n)).astype(np.float32)


def in_blocks(processor: StreamingNetwork, x: Audio, lengths: list[int]) -> Audio:
    ends = np.cumsum(lengths)
    assert ends[-1] == x.shape[1]
    return np.concatenate(
        [processor.process(x[:, e - n : e]) for n, e in zip(lengths, ends, strict=True)], axis=1
    )


@settings(max_examples=300, deadline=None)
@given(
    grid=st.sampled_from([1, 2, 6, 8]),
    origin=st.integers(0, 20),
    multiple=st.integers(1, 24),
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=20),
)
def test_any_blocks_give_the_same_samples_at_the_promised_latency(
    grid: int, origin: int, multiple: int, counts: list[int]
) -> None:
    network = Remembering(grid)
    processor = StreamingNetwork(network, origin_samples=origin)
    processor.prepare(
        ProcessSpec(max_block_samples=3 * multiple, channels=2, block_multiple=multiple)
    )
    lengths = [multiple * c for c in counts]
    x = noise(sum(lengths))
    y = in_blocks(processor, x, lengths)
    np.testing.assert_array_equal(y, expected(x, network, origin, processor.latency_samples))
    # No sample waits longer than needed: at some block's end the last call's end is exactly that
    # far away.
    ends = multiple * np.arange(grid)
    assert processor.latency_samples == network.latency_samples + ((ends - origin) % grid).max()
    assert all(n % processor.call_samples == 0 for n in network.calls)


@pytest.mark.parametrize("block", [128, 256, 1024])
@pytest.mark.parametrize("origin", [0, 46, 98])
def test_blocks_alike_make_calls_alike_from_the_first_one_on(block: int, origin: int) -> None:
    network = Remembering(128, latency_samples=510)
    processor = StreamingNetwork(network, origin_samples=origin)
    processor.prepare(ProcessSpec(max_block_samples=block, block_multiple=block))
    for _ in range(5):
        processor.process(noise(block, 1))
    assert set(network.calls) == {block} == {processor.call_samples}
    assert len(network.calls) == 5


@pytest.mark.parametrize(
    ("multiple", "origin", "latency"),
    [
        (128, 0, 591),
        (1024, 0, 591),
        (1024, 46, 591 + 82),
        (64, 0, 591 + 64),
        (2, 0, 591 + 126),
        (1, 0, 591 + 127),  # any blocks at all
    ],
)
def test_calls_wait_for_the_grid_and_no_longer(multiple: int, origin: int, latency: int) -> None:
    processor = StreamingNetwork(Remembering(128, latency_samples=591), origin_samples=origin)
    processor.prepare(ProcessSpec(max_block_samples=2048, block_multiple=multiple))
    assert processor.latency_samples == latency


def test_reset_forgets_the_past_and_the_network_starts_again() -> None:
    network = Remembering()
    processor = StreamingNetwork(network, origin_samples=3)
    processor.prepare(ProcessSpec(max_block_samples=100, channels=2))
    x = noise(100)
    first = [processor.process(x) for _ in range(3)]
    starts = network.starts
    processor.reset()
    assert network.starts == starts + 1
    again = [processor.process(x) for _ in range(3)]
    np.testing.assert_array_equal(first, again)


def test_what_was_returned_is_the_callers_own() -> None:
    processor = StreamingNetwork(Remembering(), origin_samples=1)
    processor.prepare(ProcessSpec(max_block_samples=64, channels=1, block_multiple=8))
    x = noise(64, 1)
    y = processor.process(x)
    kept = y.copy()
    processor.process(noise(64, 1) + 1)
    np.testing.assert_array_equal(y, kept)
    assert not np.shares_memory(x, y)
    assert y.dtype == np.float32


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((2, 8), np.float32),
        np.zeros((1, 8), np.float64),
        np.zeros((1, 65), np.float32),
        np.zeros(8, np.float32),
        np.full((1, 8), np.nan, np.float32),
    ],
    ids=["channels", "type", "length", "1d", "nan"],
)
def test_refused_blocks_leave_no_trace(bad: Audio) -> None:
    network = Remembering()
    processor = StreamingNetwork(network)
    processor.prepare(ProcessSpec(max_block_samples=64))
    x = noise(128, 1)
    first = processor.process(x[:, :64])
    with pytest.raises(ValueError, match="block"):
        processor.process(bad)
    second = processor.process(x[:, 64:])
    np.testing.assert_array_equal(
        np.concatenate([first, second], 1), expected(x, network, 0, processor.latency_samples)
    )


def test_a_broken_promise_is_refused_before_it_is_audible() -> None:
    network = Remembering()
    processor = StreamingNetwork(network)
    processor.prepare(ProcessSpec(max_block_samples=64, block_multiple=8))
    x = noise(72, 1)
    with pytest.raises(ValueError, match="promises, got 7"):
        processor.process(np.ones((1, 7), np.float32))
    y = [processor.process(x[:, k * 8 : 8 + k * 8]) for k in range(9)]
    np.testing.assert_array_equal(
        np.concatenate(y, 1), expected(x, network, 0, network.latency_samples)
    )


class Torch:
    """The streaming U-Net as the engine calls it."""

    ratio = 1
    block_multiple = 128

    def __init__(self, network: StreamingUNet, lead: int) -> None:
        self._network = network
        self._lead = lead
        self.latency_samples = network.latency_samples - network.block_multiple + lead

    @torch.inference_mode()
    def start(self, channels: int) -> None:
        self._state = self._network.initial_state(channels, self._lead)

    @torch.inference_mode()
    def __call__(self, x: Audio) -> Audio:
        y, self._state = self._network.stream(torch.from_numpy(x).unsqueeze(1), self._state)
        out: Audio = y.squeeze(1).numpy()
        return out


@pytest.mark.parametrize(
    ("lead", "spec", "lengths", "latency"),
    [
        (82, {"block_multiple": 512}, lambda: [512] * 12, 509 + 82),
        (82, {"block_multiple": 128}, lambda: [128, 384] * 12, 509 + 82),
        (128, {"block_multiple": 128}, lambda: [128, 384] * 12, 637 + 82),
        (1, {}, lambda: [1, 511, 77, 300, 128] * 6, 637),
    ],
    ids=["blocks", "aligned", "plain", "any"],
)
def test_the_unet_streams_through_it_exactly(
    lead: int, spec: dict[str, int], lengths: Callable[[], list[int]], latency: int
) -> None:
    network = StreamingUNet(unet(4))
    # With a lead of L its calls end L samples after a line of its grid.
    processor = StreamingNetwork(Torch(network, lead), origin_samples=(46 + lead) % 128)
    processor.prepare(ProcessSpec(max_block_samples=512, channels=2, **spec))
    assert processor.latency_samples == latency
    x = 0.4 * noise(sum(lengths()))
    y = in_blocks(processor, x, lengths())
    with torch.inference_mode():
        # The network's grid begins where the front end's first upsampled sample comes.
        whole = network(torch.from_numpy(x[:, None, 46:])).squeeze(1).numpy()
    streamed = y[:, 46 + latency :]
    assert streamed.shape[1] > 4000
    np.testing.assert_allclose(
        streamed[:, LOOK_BACK_SAMPLES:],
        whole[:, LOOK_BACK_SAMPLES : streamed.shape[1]],
        rtol=0,
        atol=STREAMED,
    )
