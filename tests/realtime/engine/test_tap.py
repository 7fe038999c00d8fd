"""The samples that readers of a tap get."""

import numpy as np
import pytest

from realtime.engine.tap import Tap
from tests.helpers.engine_signals import numbered


def tap(held: int = 100, channels: int = 1) -> Tap:
    return Tap(sample_rate=held, channels=channels, seconds=1.0)


@pytest.mark.parametrize(
    ("since", "first"), [(0, 0), (20, 20), (25, 25), (50, 50), (10_000, 10_000), (-7, 0)]
)
def test_samples_are_read_from_a_position(since, first) -> None:
    made = tap(channels=2)
    assert made.read(0)[0].shape == (2, 0)
    for begin, n in ((0, 30), (30, 0), (30, 20)):
        made.write(numbered(begin, n, 2))
    assert made.written == 50
    x, begin = made.read(since)
    assert begin == first
    np.testing.assert_array_equal(x, numbered(first, max(50 - first, 0), 2))


@pytest.mark.parametrize("blocks", [[20] * 17, [240, 100]], ids=["short", "all that is held"])
def test_a_slow_reader_gets_the_index_of_the_first_sample(blocks) -> None:
    made = tap(held=max(100, *blocks))
    for end, n in zip(np.cumsum(blocks), blocks, strict=True):
        made.write(numbered(int(end) - n, n))
    held = made.read(0)[0].shape[1]
    x, first = made.read(5)
    assert first == 340 - held
    np.testing.assert_array_equal(x, numbered(first, held))


def test_what_was_read_is_a_copy() -> None:
    made = tap()
    made.write(numbered(0, 100))
    x, _ = made.read(0)
    made.write(numbered(100, 100))
    np.testing.assert_array_equal(x, numbered(0, 100))


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
