"""The contract of Processor, tested on every processor."""

from collections.abc import Callable

import numpy as np
import pytest

from realtime.dsp.chain import Chain, NetworkPath
from realtime.dsp.delay import Delay
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, Processor, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.inference.model_file import ModelInfo
from realtime.inference.stream_network import StreamNetwork
from realtime.inference.streaming import StreamingNetwork
from tests.helpers.engine_signals import ROUNDING, in_blocks, noise, random_lengths
from tests.helpers.networks import windows

MAX_BLOCK = 300
LENGTH = 2_000


def chain(front_end: str = "kaiser_fast", **parameters: float) -> Chain:
    origin = {"kaiser_fast": 46, "kaiser_best": 98}[front_end]
    path = NetworkPath(windows(origin=origin), front_end, 64)
    return Chain(path, parameters=Parameters(**parameters))


CASES: dict[str, Callable[[], Processor]] = {
    "kaiser_fast": lambda: KaiserUpsampler("kaiser_fast"),
    "kaiser_best": lambda: KaiserUpsampler("kaiser_best"),
    "delay": lambda: Delay(37),
    "delay of nothing": lambda: Delay(0),
    "windowed, hop 1": lambda: windows(hop=1, left=2, right=2, crossfade=1, grid=1),
    "windowed, odd lengths": lambda: windows(hop=101, left=33, right=7, crossfade=5, grid=1),
    "windowed, crossfade of a hop": lambda: windows(hop=64, left=8, right=8, grid=1),
    "windowed, no crossfade": lambda: windows(hop=64, left=8, right=8, crossfade=0, grid=1),
    "windowed, origin": lambda: windows(hop=128, crossfade=32),
    "windowed, hop above a block": lambda: windows(hop=1024, origin=0),
    "windowed, no context": lambda: windows(hop=128, left=0, right=0, crossfade=0),
    "chain": chain,
    "chain, kaiser_best": lambda: chain("kaiser_best", mix=1.5),
    "chain, bypassed": lambda: chain(bypass=True),
    "chain, kaiser_best, bypassed": lambda: chain("kaiser_best", bypass=True),
    "chain, none, bypassed": lambda: Chain(
        NetworkPath(KaiserUpsampler("kaiser_best"), "none"), parameters=Parameters(bypass=True)
    ),
    "chain, mixed": lambda: chain(mix=0.4, input_gain_db=-6.0, output_gain_db=3.0),
    "chain without a network": lambda: Chain(None),
}


def streaming(info: ModelInfo) -> StreamingNetwork:
    return StreamingNetwork(StreamNetwork(info, compute="cpu", threads=1))


@pytest.fixture(params=[*CASES, "streaming", "chain, streaming"])
def processor(request: pytest.FixtureRequest, doubling: ModelInfo) -> Processor:
    made: Processor
    if request.param == "streaming":
        made = streaming(doubling)
    elif request.param == "chain, streaming":
        made = Chain(NetworkPath(streaming(doubling), "none"), parameters=Parameters(mix=0.5))
    else:
        made = CASES[request.param]()
    made.prepare(ProcessSpec(max_block_samples=MAX_BLOCK, channels=2))
    return made


def whole(made: Processor, x: Audio) -> Audio:
    """The output of one call of a processor that is prepared for it, with the same latency."""
    made.prepare(ProcessSpec(max_block_samples=x.shape[1], channels=len(x)))
    return made.process(x)


def test_any_blocking_gives_the_same_samples(processor, rng) -> None:
    """After each reset, too."""
    x = noise(LENGTH, 2)
    cut = []
    for _ in range(3):
        cut.append(in_blocks(processor.process, x, random_lengths(rng, LENGTH, MAX_BLOCK)))
        processor.reset()
    late = processor.latency_samples
    expected = whole(processor, x)
    assert processor.latency_samples == late
    assert np.abs(expected).max() > 0.05
    for y in cut:
        np.testing.assert_allclose(y, expected, rtol=0, atol=ROUNDING)


def test_counts_types_and_memory_are_exact(processor) -> None:
    returned = []
    for n in (0, 1, 2, 127, 128, 129, MAX_BLOCK, 0, MAX_BLOCK, 5):
        x = noise(n, 2)
        before = x.copy()
        y = processor.process(x)
        assert y.shape == (2, processor.ratio * n)
        assert y.dtype == np.float32
        assert not np.shares_memory(x, y)
        np.testing.assert_array_equal(x, before)
        returned.append((y, y.copy()))
    # What was returned stays as it is.
    for y, kept in returned:
        np.testing.assert_array_equal(y, kept)


def test_reset_forgets_the_past_to_the_last_bit(processor) -> None:
    x = noise(MAX_BLOCK, 2)
    processor.reset()
    blocks = np.tile(x, 4), [MAX_BLOCK] * 4
    fresh = in_blocks(processor.process, *blocks)
    processor.process(noise(77, 2))
    processor.reset()
    np.testing.assert_array_equal(
        in_blocks(processor.process, np.tile(x, 4), [MAX_BLOCK] * 4), fresh
    )


def test_channels_do_not_mix(processor) -> None:
    x = noise(1_200, 2)
    both = in_blocks(processor.process, x, [300] * 4)
    processor.reset()
    silenced = x.copy()
    silenced[1] = 0.0
    alone = in_blocks(processor.process, silenced, [300] * 4)
    np.testing.assert_allclose(alone[0], both[0], rtol=0, atol=ROUNDING)
    assert np.abs(alone[1]).max() == 0.0


@pytest.mark.parametrize("at", [0, 299])
def test_an_impulse_comes_at_the_latency(processor, at) -> None:
    x = np.zeros((2, 3_000), np.float32)
    x[:, at] = 0.8
    y = in_blocks(processor.process, x, [MAX_BLOCK] * 10)
    loudest = int(np.abs(y[0]).argmax())
    assert loudest - processor.ratio * at == processor.latency_samples


BAD_BLOCKS = [
    np.zeros(8, np.float32),
    np.zeros((1, 8), np.float32),
    np.zeros((3, 8), np.float32),
    np.zeros((2, 8, 1), np.float32),
    np.zeros((2, 8), np.float64),
    np.zeros((2, 8), np.int16),
    np.zeros((2, MAX_BLOCK + 1), np.float32),
    np.full((2, 8), np.nan, np.float32),
    np.array([[0.0, np.inf], [-np.inf, 0.0]], np.float32),
]


def test_blocks_that_break_the_contract_are_refused_and_leave_no_trace(processor) -> None:
    x = noise(600, 2)
    expected = in_blocks(processor.process, x, [300, 300])
    processor.reset()
    first = processor.process(x[:, :300].copy())
    for bad in BAD_BLOCKS:
        with pytest.raises(ValueError, match="a block m"):
            processor.process(bad)
    second = processor.process(x[:, 300:].copy())
    np.testing.assert_allclose(np.concatenate([first, second], 1), expected, rtol=0, atol=ROUNDING)
