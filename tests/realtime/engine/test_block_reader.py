"""From an input's ring to blocks."""

import numpy as np
import pytest

from realtime.audio_io.input_queue import InputQueue
from realtime.dsp.crossfade import FADE_SAMPLES
from realtime.engine.block_reader import BlockReader
from tests.helpers.engine_signals import numbered
from tests.helpers.queues import filling

# Rounding of float32 samples up to 500 (they are numbered).
ROUNDING = 1e-3


def made(
    *, rate: int = 22_050, channels: int = 1, capacity: int = 500
) -> tuple[InputQueue, BlockReader]:
    input_queue = filling(capacity, channels=channels)
    return input_queue, BlockReader(input_queue, sample_rate_hz=rate, channels=channels)


def test_blocks_are_the_input_in_order(rng) -> None:
    input_queue, reader = made()
    pushed, parts = 0, []
    while pushed < 5_000:
        n = int(rng.integers(0, 200))
        input_queue.push(numbered(pushed, n))
        pushed += n
        while reader.fetch() >= 64:
            parts.append(reader.read(64))
    y = np.concatenate(parts, axis=1)
    np.testing.assert_array_equal(y, numbered(0, y.shape[1]))
    assert reader.read_samples == y.shape[1] > 4_900
    assert all(p.shape == (1, 64) and p.flags.c_contiguous for p in parts)


def test_missing_samples_are_silence() -> None:
    input_queue, reader = made(channels=2)
    input_queue.push(np.ones((2, 10), np.float32))
    y = reader.read(64)
    assert y.shape == (2, 64)
    assert (y[:, :10] == 1.0).all()
    assert not y[:, 10:].any()
    assert reader.read_samples == 10
    assert reader.fetch() == 0


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_samples_that_are_not_finite_become_silence_and_are_counted(rate) -> None:
    input_queue, reader = made(rate=rate, channels=2, capacity=rate)
    x = np.zeros((2, 10_000), np.float32)
    x[:, 9_000:] = 0.5
    x[0, 1], x[1, 1], x[1, 5] = np.nan, np.inf, -np.inf
    input_queue.push(x)
    y = reader.read(reader.fetch())
    assert reader.bad_samples == 3
    # No trace of them comes out of a rate converter either.
    assert not y[:, : y.shape[1] // 2].any()
    input_queue.push(x[:, 9_000:])
    assert reader.fetch() > 0
    assert reader.bad_samples == 3


@pytest.mark.parametrize(("dropped", "left"), [(1, 400), (10, 5), (300, 0), (0, 100)])
def test_short_drops_and_rests_work(dropped, left) -> None:
    input_queue, reader = made()
    input_queue.push(numbered(0, dropped + left))
    reader.drop(dropped)
    y = reader.read(reader.fetch())
    rest = numbered(dropped, left)[:, FADE_SAMPLES:]
    assert y.shape == (1, left)
    np.testing.assert_allclose(y[:, FADE_SAMPLES:], rest, rtol=0, atol=ROUNDING)


def test_what_is_dropped_fades_into_what_follows() -> None:
    input_queue, reader = made()
    input_queue.push(
        np.concatenate([np.zeros((1, 128), np.float32), np.ones((1, 300), np.float32)], 1)
    )
    reader.drop(128)
    assert reader.fetch() == 300
    y = reader.read(300)[0]
    assert y[0] == 0.0
    assert np.abs(np.diff(y)).max() <= 1 / (FADE_SAMPLES - 1) + ROUNDING
    assert (y[FADE_SAMPLES:] == 1.0).all()
    # Samples that were dropped were not read.
    assert reader.read_samples == 300
