"""The engine's calls of streaming networks: on a fixed grid, for any block lengths."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.dsp.processor import Audio, ProcessSpec
from realtime.inference.streaming import StreamingNetwork
from tests.helpers.engine_signals import in_blocks, noise


@dataclass
class Remembering:
    """A network in numpy that delays, and whose gain depends on the place in its grid."""

    block_multiple: int = 8
    latency_samples: int = 13
    ratio: int = 1
    calls: list[int] = field(default_factory=list)

    def gain(self, position: np.ndarray) -> Audio:
        """Of the sample at a position on the network's grid."""
        return (1.0 + position % self.block_multiple).astype(np.float32)

    def start(self, channels: int) -> None:
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


@settings(max_examples=100, deadline=None)
@given(
    grid=st.sampled_from([1, 2, 6, 8]),
    origin=st.integers(0, 20),
    multiple=st.integers(1, 24),
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=20),
)
def test_any_blocks_give_the_same_samples_at_the_promised_latency(
    grid, origin, multiple, counts
) -> None:
    network = Remembering(grid)
    processor = StreamingNetwork(network, origin_samples=origin)
    processor.prepare(
        ProcessSpec(max_block_samples=3 * multiple, channels=2, block_multiple=multiple)
    )
    lengths = [multiple * c for c in counts]
    x = noise(sum(lengths), 2)
    y = in_blocks(processor.process, x, lengths)
    np.testing.assert_array_equal(y, expected(x, network, origin, processor.latency_samples))
    # No sample waits longer than needed: at some block's end the last call's end is exactly that
    # far away.
    ends = multiple * np.arange(grid)
    assert processor.latency_samples == network.latency_samples + ((ends - origin) % grid).max()
    assert all(n % processor.call_samples == 0 for n in network.calls)


@pytest.mark.parametrize("block", [128, 1024])
@pytest.mark.parametrize("origin", [0, 46, 98])
def test_blocks_alike_make_calls_alike_from_the_first_one_on(block, origin) -> None:
    network = Remembering(128, latency_samples=510)
    processor = StreamingNetwork(network, origin_samples=origin)
    processor.prepare(ProcessSpec(max_block_samples=block, block_multiple=block))
    for _ in range(5):
        processor.process(noise(block))
    assert set(network.calls) == {block} == {processor.call_samples}
    assert len(network.calls) == 5


def test_a_broken_promise_is_refused_before_it_is_audible() -> None:
    network = Remembering()
    processor = StreamingNetwork(network)
    processor.prepare(ProcessSpec(max_block_samples=64, block_multiple=8))
    x = noise(72)
    with pytest.raises(ValueError, match="promises, got 7"):
        processor.process(np.ones((1, 7), np.float32))
    y = in_blocks(processor.process, x, [8] * 9)
    np.testing.assert_array_equal(y, expected(x, network, 0, network.latency_samples))
