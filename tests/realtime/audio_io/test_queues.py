"""What audio callbacks run: copies, silence with a fade, counts."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from realtime.audio_io.input_queue import Intake
from realtime.audio_io.output_queue import Outlet
from realtime.dsp.crossfade import FADE_SAMPLES
from realtime.dsp.processor import Audio

# Rounding of float32 samples up to 1.
ROUNDING = 1e-6

# What a device could wait where a test waits for something that comes, and what it may take that
# nothing is waited for: both far from the other on the busiest machine.
SPARE_S = 60.0
PROMPT_S = 20.0


def block(n: int, value: float = 1.0, channels: int = 1) -> Audio:
    return np.full((channels, n), value, np.float32)


def pull(outlet: Outlet, n: int, *, underflow: bool = False, channels: int = 1) -> Audio:
    out = np.full((channels, n), np.nan, np.float32)
    outlet.pull(out, underflow=underflow)
    assert np.isfinite(out).all()  # always wholly filled
    return out


def opened(capacity: int = 1_000, channels: int = 1) -> Outlet:
    """An outlet whose input has begun."""
    intake = Intake(channels, 10)
    intake.push(block(1, channels=channels))
    return Outlet(channels, capacity, intake)


def test_what_does_not_fit_is_lost_and_counted() -> None:
    intake = Intake(1, 100)
    intake.push(block(60))
    assert (intake.lost_samples, intake.overruns, intake.overflows) == (0, 0, 0)
    intake.push(block(60))
    assert (intake.lost_samples, intake.overruns) == (20, 1)
    assert intake.ring.available == 100


def test_one_jam_is_one_event() -> None:
    intake = Intake(1, 100)
    for _ in range(5):
        intake.push(block(60))
    assert (intake.lost_samples, intake.overruns) == (200, 1)
    intake.ring.skip(100)
    intake.push(block(60))
    intake.push(block(60))
    assert (intake.lost_samples, intake.overruns) == (220, 2)


def test_the_driver_s_overflows_are_counted_apart() -> None:
    intake = Intake(1, 100)
    intake.push(block(10), overflow=True)
    intake.push(block(10))
    intake.push(block(10), overflow=True)
    assert (intake.overflows, intake.overruns, intake.lost_samples) == (2, 0, 0)


def test_an_intake_has_started_with_the_first_sample() -> None:
    intake = Intake(1, 100)
    assert not intake.started
    intake.push(block(0))
    assert not intake.started
    intake.push(block(1))
    assert intake.started


def test_silence_and_no_fault_before_the_input_begins() -> None:
    intake = Intake(1, 100)
    outlet = Outlet(1, 100, intake)
    outlet.ring.write(block(50))
    assert not pull(outlet, 30, underflow=True).any()
    assert outlet.ring.available == 50
    assert (outlet.underruns, outlet.underflows, outlet.silent_samples) == (0, 0, 0)
    intake.push(block(1))
    assert pull(outlet, 30).all()


def test_samples_pass_as_they_are() -> None:
    outlet = opened()
    x = np.arange(300, dtype=np.float32)[None]
    outlet.ring.write(x)
    y = np.concatenate([pull(outlet, n) for n in (0, 1, 99, 200)], axis=1)
    np.testing.assert_array_equal(y, x)
    assert outlet.underruns == 0


@pytest.mark.parametrize("n", [1, 10, FADE_SAMPLES, 500])
def test_running_dry_is_silence_with_a_fade_and_one_event(n: int) -> None:
    outlet = opened(channels=2)
    outlet.ring.write(block(20, 0.5, channels=2))
    y = np.concatenate([pull(outlet, n, channels=2) for _ in range(600 // n)], axis=1)
    assert np.abs(np.diff(y)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    assert not y[:, 20 + FADE_SAMPLES :].any()
    assert outlet.underruns == 1
    assert outlet.silent_samples == y.shape[1] - 20


def test_the_fade_out_begins_at_the_last_sample_and_has_no_step() -> None:
    outlet = opened()
    outlet.ring.write(block(20, 0.5))
    y = pull(outlet, 300)[0]
    assert np.abs(np.diff(y)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    assert y[-1] == 0.0


def test_no_step_however_short_the_callbacks_are() -> None:
    """A driver with blocks of 16 samples gets the whole fade, too."""
    outlet = opened()
    outlet.ring.write(block(16, 0.5))
    y = np.concatenate([pull(outlet, 16) for _ in range(20)], axis=1)[0]
    assert np.abs(np.diff(y)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    outlet.ring.write(block(160, 0.5))
    back = np.concatenate([pull(outlet, 16) for _ in range(10)], axis=1)[0]
    assert np.abs(np.diff(back, prepend=0.0)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    assert back[-1] == 0.5


@pytest.mark.parametrize("gap", [1, 16, 40, 63, 64])
def test_a_short_silence_has_no_step_either(gap: int) -> None:
    """What is still fading out goes on under what fades in."""
    outlet = opened()
    outlet.ring.write(block(100, 0.5))
    parts = [pull(outlet, 100 + gap)]
    outlet.ring.write(block(200, 0.5))
    parts.append(pull(outlet, 200))
    y = np.concatenate(parts, axis=1)[0]
    # Both fades at once, at most.
    assert np.abs(np.diff(y)).max() <= 1.0 / (FADE_SAMPLES - 1) + ROUNDING
    assert y[-1] == 0.5
    assert outlet.silent_samples == gap


def test_what_comes_after_silence_fades_in() -> None:
    outlet = opened()
    pull(outlet, 100)
    outlet.ring.write(block(200))
    y = pull(outlet, 200)[0]
    assert y[0] == 0.0
    assert np.abs(np.diff(y)).max() <= 1 / (FADE_SAMPLES - 1) + ROUNDING
    np.testing.assert_array_equal(y[FADE_SAMPLES:], 1.0)
    assert outlet.underruns == 1


def test_every_starvation_is_an_event() -> None:
    outlet = opened()
    for _ in range(3):
        outlet.ring.write(block(10))
        pull(outlet, 30)
        pull(outlet, 30)
    assert outlet.underruns == 3
    assert outlet.silent_samples == 3 * 50


def test_the_driver_s_underflows_are_counted_apart() -> None:
    outlet = opened()
    outlet.ring.write(block(100))
    pull(outlet, 10, underflow=True)
    pull(outlet, 10)
    assert (outlet.underflows, outlet.underruns) == (1, 0)


def test_running_dry_at_the_end_is_no_fault() -> None:
    outlet = opened()
    outlet.ring.write(block(20, 0.5))
    outlet.end()
    assert not outlet.drained
    y = pull(outlet, 100)[0]
    assert outlet.drained
    assert np.abs(np.diff(y)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    assert not pull(outlet, 100).any()
    assert (outlet.underruns, outlet.silent_samples) == (0, 0)


def pull_late(outlet: Outlet, n: int, then: Callable[[], object]) -> Audio:
    """Pull with time to spare, and let something happen while that waits; it must end soon."""
    got: list[Audio] = []

    def run() -> None:
        out = np.full((1, n), np.nan, np.float32)
        outlet.pull(out, spare_s=SPARE_S)
        got.append(out)

    pulling = threading.Thread(target=run)
    pulling.start()
    time.sleep(0.005)
    assert pulling.is_alive()
    then()
    pulling.join(PROMPT_S)
    assert not pulling.is_alive()
    return got[0]


def test_a_late_block_is_waited_for_while_the_device_has_something_to_play() -> None:
    outlet = opened()
    outlet.push(block(20, 0.5))
    y = pull_late(outlet, 100, lambda: outlet.push(block(300, 0.5)))
    np.testing.assert_array_equal(y, 0.5)
    assert (outlet.waits, outlet.underruns, outlet.silent_samples) == (1, 0, 0)
    assert outlet.ring.available == 220


def test_a_block_that_is_there_is_not_waited_for() -> None:
    outlet = opened()
    outlet.push(block(100))
    out = np.zeros((1, 100), np.float32)
    outlet.pull(out, spare_s=SPARE_S)
    assert out.all()
    assert outlet.waits == 0


def test_it_is_waited_until_the_whole_block_is_there() -> None:
    outlet = opened()

    def bring() -> None:
        for _ in range(4):
            outlet.push(block(25))
            time.sleep(0.001)

    assert pull_late(outlet, 100, bring).all()
    assert (outlet.waits, outlet.underruns) == (1, 0)


def test_a_worker_that_is_too_late_is_a_fault_and_waited_for_once() -> None:
    outlet = opened()
    out = np.zeros((1, 100), np.float32)
    outlet.pull(out, spare_s=0.005)
    begin = time.monotonic()
    for _ in range(50):
        outlet.pull(out, spare_s=SPARE_S)
    assert time.monotonic() - begin < PROMPT_S
    assert not out.any()
    assert (outlet.waits, outlet.underruns, outlet.silent_samples) == (0, 1, 5_100)
    # It is alive: what is missing may come.
    outlet.push(block(10))
    pull_late(outlet, 100, lambda: outlet.push(block(90)))
    assert (outlet.waits, outlet.underruns) == (1, 1)


def test_a_worker_that_ends_is_not_waited_for() -> None:
    outlet = opened()
    y = pull_late(outlet, 100, outlet.end)
    assert not y.any()
    assert (outlet.waits, outlet.underruns, outlet.drained) == (0, 0, True)


@pytest.mark.parametrize("spare_s", [0.0, -0.01, -np.inf])
def test_a_device_with_no_time_to_spare_does_not_wait(spare_s: float) -> None:
    outlet = opened()
    out = np.zeros((1, 100), np.float32)
    outlet.pull(out, spare_s=spare_s)
    assert (outlet.waits, outlet.underruns) == (0, 1)
