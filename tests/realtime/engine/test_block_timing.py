"""Statistics of block times."""

import numpy as np
import pytest

from realtime.engine.block_timing import HELD_BLOCKS, BlockTimes

BLOCK_S = 0.02
# One bin is 0.8 %; a percentile is the middle of its bin.
BIN = 0.01


def test_nothing_is_all_zero() -> None:
    times = BlockTimes(BLOCK_S)
    for timing in (times.whole(), times.last(3.0)):
        assert timing.blocks == 0
        assert timing.ratio_median == timing.ratio_min == timing.block_ms_max == 0.0


@pytest.mark.parametrize("duration_s", [0.0, 1e-9, 0.004, 10.0, 500.0])
def test_one_block_is_all_percentiles(duration_s) -> None:
    times = BlockTimes(BLOCK_S)
    times.add(duration_s)
    last = times.last(3.0)
    assert last.blocks == times.whole().blocks == 1
    assert last.block_ms_p50 == last.block_ms_p99 == last.block_ms_max
    assert last.block_ms_max == pytest.approx(1e3 * duration_s)
    assert times.whole().block_ms_max == pytest.approx(1e3 * duration_s)
    assert times.whole().block_ms_p50 <= times.whole().block_ms_max
    assert last.ratio_min == pytest.approx(BLOCK_S / max(duration_s, 1e-6))


def test_percentiles_are_those_of_all_blocks(rng) -> None:
    durations = rng.lognormal(np.log(0.003), 0.8, 20_000)
    times = BlockTimes(BLOCK_S)
    for d in durations:
        times.add(float(d))
    whole = times.whole()
    p50, p99 = np.percentile(durations, [50, 99])
    assert whole.blocks == 20_000 > HELD_BLOCKS
    assert whole.block_ms_p50 == pytest.approx(1e3 * p50, rel=BIN)
    assert whole.block_ms_p99 == pytest.approx(1e3 * p99, rel=BIN)
    assert whole.block_ms_max == pytest.approx(1e3 * durations.max())
    assert whole.ratio_median == pytest.approx(BLOCK_S / p50, rel=BIN)
    assert whole.ratio_p01 == pytest.approx(BLOCK_S / p99, rel=BIN)
    assert whole.ratio_min == pytest.approx(BLOCK_S / durations.max())
    assert whole.ratio_min <= whole.ratio_p01 <= whole.ratio_median


def test_the_last_seconds_are_the_last_blocks_if_there_are_so_many(rng) -> None:
    times = BlockTimes(BLOCK_S)
    durations = rng.uniform(0.001, 0.01, HELD_BLOCKS + 500)
    durations[100] = 1.0  # too old for them
    for i, d in enumerate(durations):
        times.add(float(d))
        if i in (0, 2):
            assert times.last(60.0).blocks == i + 1
    assert times.last(0.0).blocks == 1
    last = times.last(1.0)
    recent = durations[-50:]
    assert last.blocks == 50
    assert last.block_ms_p50 == pytest.approx(1e3 * np.percentile(recent, 50))
    assert last.block_ms_max == pytest.approx(1e3 * recent.max())
    assert times.whole().block_ms_max == pytest.approx(1e3)
