"""A gain in a straight line."""

import numpy as np
import pytest

from realtime.dsp.ramp import Ramp

LENGTH = 100
# Rounding of float32 values up to 2.
ROUNDING = 1e-6


def take(ramp: Ramp, lengths: list[int]) -> np.ndarray:
    return np.concatenate([np.broadcast_to(np.float32(ramp.next(n)), (n,)) for n in lengths])


def test_at_rest_it_is_one_number() -> None:
    ramp = Ramp(0.25, length_samples=LENGTH)
    assert ramp.next(10) == 0.25
    assert ramp.resting_at == 0.25


def test_it_reaches_its_target_exactly_after_its_length() -> None:
    ramp = Ramp(0.1, length_samples=LENGTH)
    ramp.move(0.7)
    assert ramp.resting_at is None
    y = take(ramp, [LENGTH + 20])
    np.testing.assert_allclose(y[:LENGTH], 0.1 + 0.6 * np.arange(1, 101) / 100, atol=ROUNDING)
    assert (y[LENGTH - 1 :] == np.float32(0.7)).all()
    assert ramp.resting_at == 0.7


@pytest.mark.parametrize("lengths", [[1] * 150, [0, 99, 1, 50], [100, 50], [101, 49], [7] * 21])
def test_blocks_make_no_difference(lengths: list[int]) -> None:
    one, cut = Ramp(1.0, length_samples=LENGTH), Ramp(1.0, length_samples=LENGTH)
    one.move(0.0)
    cut.move(0.0)
    expected = take(one, [sum(lengths)])
    np.testing.assert_allclose(take(cut, lengths), expected, rtol=0, atol=ROUNDING)


def test_a_new_target_on_the_way_makes_no_jump() -> None:
    ramp = Ramp(0.0, length_samples=LENGTH)
    ramp.move(1.0)
    first = take(ramp, [37])
    ramp.move(0.2)
    second = take(ramp, [200])
    steps = np.abs(np.diff(np.concatenate([first, second])))
    assert steps.max() <= 1 / LENGTH + ROUNDING
    assert second[-1] == np.float32(0.2)


def test_the_same_target_again_does_not_start_anew() -> None:
    ramp = Ramp(0.0, length_samples=LENGTH)
    values = []
    for _ in range(10):
        ramp.move(1.0)
        values.append(take(ramp, [10]))
    assert np.concatenate(values)[-1] == 1.0
    assert ramp.resting_at == 1.0


def test_a_jump_is_at_once() -> None:
    ramp = Ramp(0.0, length_samples=LENGTH)
    ramp.move(1.0)
    take(ramp, [10])
    ramp.jump(0.5)
    assert ramp.next(3) == 0.5
