"""The samples that readers of a tap get."""

import numpy as np
import pytest

from realtime.dsp.processor import Audio
from realtime.engine.tap import Tap


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


@pytest.mark.parametrize(
    ("since", "first", "n"), [(50, 50, 0), (10_000, 10_000, 0), (-7, 0, 50), (20, 20, 30)]
)
def test_samples_are_read_from_a_position(since: int, first: int, n: int) -> None:
    made = tap()
    made.write(numbered(0, 50))
    made.write(np.zeros((1, 0), np.float32))
    x, begin = made.read(since)
    assert begin == first
    np.testing.assert_array_equal(x, numbered(first, n))


@pytest.mark.parametrize("blocks", [[20] * 17, [240, 100]], ids=["short", "all that is held"])
def test_a_slow_reader_gets_the_index_of_the_first_sample(blocks: list[int]) -> None:
    made = tap(held=100) if max(blocks) <= 100 else tap(held=240)
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
