"""The queues, which audio callbacks fill and empty: copies, silence with a fade, counts."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.start_gate import StartGate
from realtime.dsp.crossfade import FADE_SAMPLES
from realtime.dsp.processor import Audio

# Rounding of float32 samples up to 1.
ROUNDING = 1e-6
# How long a device could wait in a test where samples come, and how long a pull without waiting may
# take. They differ clearly even on a busy machine.
SPARE_S = 60.0
PROMPT_S = 20.0


def block(n: int, value: float = 1.0, channels: int = 1) -> Audio:
    return np.full((channels, n), value, np.float32)


def pull(output_queue: OutputQueue, n: int, *, underflow: bool = False, channels: int = 1) -> Audio:
    out = np.full((channels, n), np.nan, np.float32)
    output_queue.pull(out, underflow=underflow)
    assert np.isfinite(out).all()  # always wholly filled
    return out


def opened(capacity: int = 1_000, channels: int = 1) -> OutputQueue:
    """An output queue whose input has begun."""
    gate = StartGate()
    gate.input_runs = True
    return OutputQueue(channels, capacity, gate)


def filling() -> InputQueue:
    """An input queue for 100 samples whose output runs."""
    return InputQueue(1, 100, StartGate(output_runs=True))


def test_what_does_not_fit_is_lost_and_one_stall_is_one_event() -> None:
    input_queue = filling()
    input_queue.push(block(60))
    assert (input_queue.lost_samples, input_queue.overruns, input_queue.overflows) == (0, 0, 0)
    for _ in range(4):
        input_queue.push(block(60))
    assert (input_queue.lost_samples, input_queue.overruns) == (200, 1)
    input_queue.ring.read(block(100))
    input_queue.push(block(60))
    input_queue.push(block(60))
    assert (input_queue.lost_samples, input_queue.overruns) == (220, 2)
    assert input_queue.ring.available == 100


def test_the_driver_s_faults_are_counted_apart() -> None:
    input_queue, output_queue = filling(), opened()
    output_queue.push(block(100))
    for fault in (True, False, True):
        input_queue.push(block(10), overflow=fault)
        pull(output_queue, 10, underflow=fault)
    assert (input_queue.overflows, input_queue.overruns, input_queue.lost_samples) == (2, 0, 0)
    assert (output_queue.underflows, output_queue.underruns) == (2, 0)


def test_input_is_discarded_until_the_output_calls() -> None:
    gate = StartGate()
    input_queue, output_queue = InputQueue(1, 100, gate), OutputQueue(1, 100, gate)
    input_queue.push(block(60), overflow=True)
    assert (input_queue.ring.written, input_queue.overflows, gate.input_runs) == (0, 0, False)
    pull(output_queue, 10)
    input_queue.push(block(0))
    assert not gate.input_runs
    input_queue.push(block(60))
    assert (input_queue.ring.written, gate.input_runs) == (60, True)


def test_silence_and_no_fault_before_the_input_begins() -> None:
    gate = StartGate(output_runs=True)
    input_queue = InputQueue(1, 100, gate)
    output_queue = OutputQueue(1, 100, gate)
    output_queue.ring.write(block(50))
    assert output_queue.playable == 0
    assert not pull(output_queue, 30, underflow=True).any()
    assert output_queue.ring.available == 50
    assert (output_queue.underruns, output_queue.underflows) == (0, 0)
    assert output_queue.silent_samples == 0
    input_queue.push(block(1))
    assert output_queue.playable == 50
    assert pull(output_queue, 30).all()


def test_samples_pass_as_they_are() -> None:
    output_queue = opened()
    x = np.arange(300, dtype=np.float32)[None]
    output_queue.ring.write(x)
    y = np.concatenate([pull(output_queue, n) for n in (0, 1, 99, 200)], axis=1)
    np.testing.assert_array_equal(y, x)
    assert output_queue.underruns == 0


@pytest.mark.parametrize("n", [1, 10, FADE_SAMPLES, 500])
def test_running_dry_is_silence_with_a_fade_and_one_event(n: int) -> None:
    output_queue = opened(channels=2)
    output_queue.ring.write(block(20, 0.5, channels=2))
    y = np.concatenate([pull(output_queue, n, channels=2) for _ in range(600 // n)], axis=1)
    assert np.abs(np.diff(y)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    assert not y[:, 20 + FADE_SAMPLES :].any()
    assert output_queue.underruns == 1
    assert output_queue.silent_samples == y.shape[1] - 20
    # Samples after the silence fade in.
    output_queue.ring.write(block(200, 0.5, channels=2))
    back = np.concatenate([pull(output_queue, 20, channels=2) for _ in range(10)], axis=1)
    assert not back[:, 0].any()
    assert np.abs(np.diff(back)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    np.testing.assert_array_equal(back[:, FADE_SAMPLES:], 0.5)
    pull(output_queue, 30, channels=2)
    assert output_queue.underruns == 2


@pytest.mark.parametrize("gap", [1, 40, 64])
def test_a_short_silence_has_no_step_either(gap: int) -> None:
    """A fade-out continues during the next fade-in."""
    output_queue = opened()
    output_queue.ring.write(block(100, 0.5))
    parts = [pull(output_queue, 100 + gap)]
    output_queue.ring.write(block(200, 0.5))
    parts.append(pull(output_queue, 200))
    y = np.concatenate(parts, axis=1)[0]
    # Both fades at once, at most.
    assert np.abs(np.diff(y)).max() <= 1.0 / (FADE_SAMPLES - 1) + ROUNDING
    assert y[-1] == 0.5
    assert output_queue.silent_samples == gap


def test_running_dry_at_the_end_is_no_fault() -> None:
    output_queue = opened()
    output_queue.ring.write(block(20, 0.5))
    output_queue.end()
    assert not output_queue.drained
    y = pull(output_queue, 100)[0]
    assert output_queue.drained
    assert np.abs(np.diff(y)).max() <= 0.5 / (FADE_SAMPLES - 1) + ROUNDING
    assert not pull(output_queue, 100).any()
    assert (output_queue.underruns, output_queue.silent_samples) == (0, 0)


def pull_late(output_queue: OutputQueue, n: int, then: Callable[[], object]) -> Audio:
    """Pull with time to wait, run a function during the wait, and require an early end."""
    got: list[Audio] = []

    def run() -> None:
        out = np.full((1, n), np.nan, np.float32)
        output_queue.pull(out, spare_s=SPARE_S)
        got.append(out)

    pulling = threading.Thread(target=run)
    pulling.start()
    time.sleep(0.005)
    assert pulling.is_alive()
    then()
    pulling.join(PROMPT_S)
    assert not pulling.is_alive()
    return got[0]


def test_a_late_block_is_waited_for_until_all_of_it_is_there() -> None:
    output_queue = opened()
    output_queue.push(block(20, 0.5))

    def bring() -> None:
        for _ in range(4):
            output_queue.push(block(75, 0.5))
            time.sleep(0.001)

    np.testing.assert_array_equal(pull_late(output_queue, 100, bring), 0.5)
    assert (output_queue.waits, output_queue.underruns, output_queue.silent_samples) == (1, 0, 0)
    assert output_queue.ring.available == 220
    # A block that is there is not waited for.
    output_queue.pull(np.zeros((1, 100), np.float32), spare_s=SPARE_S)
    assert output_queue.waits == 1


def test_a_worker_that_is_too_late_is_a_fault_and_waited_for_once() -> None:
    output_queue = opened()
    out = np.zeros((1, 100), np.float32)
    output_queue.pull(out, spare_s=0.005)
    begin = time.monotonic()
    for _ in range(50):
        output_queue.pull(out, spare_s=SPARE_S)
    assert time.monotonic() - begin < PROMPT_S
    assert not out.any()
    assert (output_queue.waits, output_queue.underruns) == (0, 1)
    assert output_queue.silent_samples == 5_100
    # The worker runs: the missing samples may come.
    output_queue.push(block(10))
    pull_late(output_queue, 100, lambda: output_queue.push(block(90)))
    assert (output_queue.waits, output_queue.underruns) == (1, 1)


def test_a_worker_that_ends_is_not_waited_for() -> None:
    output_queue = opened()
    y = pull_late(output_queue, 100, output_queue.end)
    assert not y.any()
    assert (output_queue.waits, output_queue.underruns, output_queue.drained) == (0, 0, True)


@pytest.mark.parametrize("spare_s", [0.0, -0.01, -np.inf])
def test_a_device_with_no_time_to_spare_does_not_wait(spare_s: float) -> None:
    output_queue = opened()
    out = np.zeros((1, 100), np.float32)
    output_queue.pull(out, spare_s=spare_s)
    assert (output_queue.waits, output_queue.underruns) == (0, 1)
