"""The samples that readers of a tap get."""

import threading
import time

import numpy as np
import pytest

from realtime.dsp.processor import Audio
from realtime.engine.tap import Tap

STRESS_S = 1.0


def numbered(first: int, n: int, channels: int = 1) -> Audio:
    row = np.arange(first, first + n, dtype=np.float32)
    return np.stack([row * (-1) ** c for c in range(channels)])


def tap(held: int = 100, channels: int = 1) -> Tap:
    return Tap(sample_rate=held, channels=channels, seconds=1.0)


def test_a_new_tap_is_empty() -> None:
    x, first = tap(channels=2).read(0)
    assert x.shape == (2, 0)
    assert first == 0


def test_everything_since_a_sample_is_read() -> None:
    made = tap(channels=2)
    made.write(numbered(0, 30, 2))
    made.write(numbered(30, 20, 2))
    assert made.written == 50
    x, first = made.read(25)
    assert first == 25
    np.testing.assert_array_equal(x, numbered(25, 25, 2))
    x, first = made.read(0)
    assert first == 0
    np.testing.assert_array_equal(x, numbered(0, 50, 2))


@pytest.mark.parametrize("since", [50, 51, 10_000])
def test_nothing_is_read_beyond_the_end(since: int) -> None:
    made = tap()
    made.write(numbered(0, 50))
    x, first = made.read(since)
    assert x.shape == (1, 0)
    assert first == since


def test_a_negative_since_means_all() -> None:
    made = tap()
    made.write(numbered(0, 50))
    x, first = made.read(-7)
    assert (x.shape[1], first) == (50, 0)


def test_a_slow_reader_gets_the_index_of_the_first_sample() -> None:
    made = tap()
    for n in range(0, 340, 20):
        made.write(numbered(n, 20))
    x, first = made.read(5)
    assert first == 340 - 100
    np.testing.assert_array_equal(x, numbered(240, 100))


def test_what_was_read_is_a_copy() -> None:
    made = tap()
    made.write(numbered(0, 100))
    x, _ = made.read(0)
    made.write(numbered(100, 100))
    np.testing.assert_array_equal(x, numbered(0, 100))


def test_empty_blocks_change_nothing() -> None:
    made = tap()
    made.write(numbered(0, 100))
    made.write(np.zeros((1, 0), np.float32))
    assert made.written == 100
    np.testing.assert_array_equal(made.read(0)[0], numbered(0, 100))


def test_a_block_may_be_as_long_as_all_that_is_held() -> None:
    made = tap()
    made.write(numbered(0, 30))
    made.write(numbered(30, 100))
    x, first = made.read(0)
    assert first == 30
    np.testing.assert_array_equal(x, numbered(30, 100))


class HalfWritten(Tap):
    """A tap in the middle of a write: the samples are stored, and the count is not."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "written" and getattr(self, "spy", None) is not None:
            self.seen = self.spy.read(0)
        super().__setattr__(name, value)

    spy: Tap | None = None


def test_a_block_that_is_being_written_never_shows_in_the_past() -> None:
    """The memory is a ring: new samples lie where the oldest were, before they are counted."""
    made = HalfWritten(sample_rate=100, channels=1, seconds=1.0)
    made.write(numbered(0, 100))
    made.spy = made
    made.write(numbered(100, 30))
    x, first = made.seen
    np.testing.assert_array_equal(x, numbered(first, x.shape[1]))
    assert first == 30


def test_a_reader_in_another_thread_sees_only_what_was_written() -> None:
    made = tap(held=3_000)
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set() and n < 2**24 - 1_000:
            made.write(numbered(n, 700))
            n += 700
            time.sleep(0)

    writer = threading.Thread(target=write)
    writer.start()
    deadline = time.monotonic() + STRESS_S
    reads, wrong, since = 0, 0, 0
    try:
        while time.monotonic() < deadline:
            x, first = made.read(since if reads % 2 else 0)
            wrong += int((x != numbered(first, x.shape[1])).sum())
            since = max(0, first + x.shape[1] - 1_000)
            reads += 1
    finally:
        stop.set()
        writer.join()
    assert wrong == 0
    assert reads > 100
