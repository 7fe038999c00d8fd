"""A gain in a straight line."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime.dsp.ramp import Ramp
from tests.helpers.engine_signals import ROUNDING

LENGTH = 100


def take(ramp: Ramp, lengths: list[int]) -> np.ndarray:
    return np.concatenate([np.broadcast_to(np.float32(ramp.next(n)), (n,)) for n in lengths])


@given(lengths=st.lists(st.integers(0, 120), min_size=1, max_size=30))
def test_it_is_a_straight_line_to_its_target_in_any_blocks(lengths) -> None:
    ramp = Ramp(0.1, length_samples=LENGTH)
    assert (ramp.next(10), ramp.resting_at) == (0.1, 0.1)
    ramp.move(0.7)
    assert ramp.resting_at is None
    y = take(ramp, lengths)
    line = 0.1 + 0.6 * np.minimum(np.arange(1, len(y) + 1) / LENGTH, 1)
    np.testing.assert_allclose(y, line, rtol=0, atol=ROUNDING)
    assert (y[LENGTH - 1 :] == np.float32(0.7)).all()
    assert ramp.resting_at == (0.7 if len(y) >= LENGTH else None)


def test_a_new_target_on_the_way_makes_no_jump_and_the_same_one_no_new_start() -> None:
    ramp = Ramp(0.0, length_samples=LENGTH)
    ramp.move(1.0)
    first = take(ramp, [37])
    ramp.move(0.2)
    second = take(ramp, [200])
    steps = np.abs(np.diff(np.concatenate([first, second])))
    assert steps.max() <= 1 / LENGTH + ROUNDING
    assert second[-1] == np.float32(0.2)
    for _ in range(10):
        ramp.move(1.0)
        take(ramp, [10])
    assert ramp.resting_at == 1.0


def test_a_jump_is_at_once() -> None:
    ramp = Ramp(0.0, length_samples=LENGTH)
    ramp.move(1.0)
    take(ramp, [10])
    ramp.jump(0.5)
    assert ramp.next(3) == 0.5
