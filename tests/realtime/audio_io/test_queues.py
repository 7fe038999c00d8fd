"""The queues, which audio callbacks fill and empty: copies, silence with a fade, counts, events."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from realtime.audio_io.auto_reset_event import AutoResetEvent
from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.start_gate import StartGate
from realtime.dsp.crossfade import FADE_SAMPLES
from realtime.dsp.processor import Audio
from tests.helpers.clock import Clock
from tests.helpers.engine_signals import ROUNDING
from tests.helpers.queues import filling, opened, pull


def block(n: int, value: float = 1.0, channels: int = 1) -> Audio:
    return np.full((channels, n), value, np.float32)


def test_what_does_not_fit_is_lost_and_one_stall_is_one_event() -> None:
    input_queue = filling(100)
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


def test_the_driver_s_faults_are_counted_apart_and_samples_pass_as_they_are() -> None:
    input_queue, output_queue = filling(100), opened()
    x = np.arange(300, dtype=np.float32)[None]
    output_queue.push(x)
    y = []
    for n, fault in ((0, True), (1, False), (99, True), (200, False)):
        input_queue.push(block(10), overflow=fault)
        y.append(pull(output_queue, n, underflow=fault))
    np.testing.assert_array_equal(np.concatenate(y, axis=1), x)
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


@pytest.mark.parametrize("n", [1, 10, FADE_SAMPLES, 500])
def test_running_dry_is_silence_with_a_fade_and_one_event(n) -> None:
    output_queue = opened(channels=2)
    output_queue.push(block(20, 0.5, channels=2))
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
def test_a_short_silence_has_no_step_either(gap) -> None:
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


class Waiting(AutoResetEvent):
    """The event of an output queue whose worker does something at each wait, on a test's clock."""

    def __init__(self, clock: Clock, *steps: Callable[[], object]) -> None:
        super().__init__()
        self.clock, self.steps = clock, list(steps)

    def wait(self, timeout_s: float) -> bool:
        self.clock.now += 0.01 if self.steps else timeout_s
        return bool(self.steps and [self.steps.pop(0)()])


def waited_for(clock: Clock, *steps: Callable[[OutputQueue], object]) -> OutputQueue:
    """An output queue with 20 samples, whose worker takes these steps while it is waited for."""
    output_queue = opened()
    output_queue.push(block(20, 0.5))
    output_queue._event = Waiting(clock, *(lambda step=step: step(output_queue) for step in steps))
    return output_queue


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, "realtime.audio_io.output_queue")


def test_a_late_block_is_waited_for_until_all_of_it_is_there(clock) -> None:
    output_queue = waited_for(clock, *[lambda queue: queue.push(block(75, 0.5))] * 4)
    np.testing.assert_array_equal(pull(output_queue, 100, spare_s=1.0), 0.5)
    assert (output_queue.waits, output_queue.underruns, output_queue.silent_samples) == (1, 0, 0)
    assert output_queue.ring.available == 70
    # A block that is there is not waited for.
    pull(output_queue, 50, spare_s=1.0)
    assert output_queue.waits == 1
    assert clock.now == pytest.approx(100.02)


def test_a_worker_that_is_too_late_is_a_fault_and_waited_for_once(clock) -> None:
    output_queue = waited_for(clock)
    for _ in range(50):
        pull(output_queue, 120, spare_s=0.5)
    assert clock.now == pytest.approx(100.5)
    assert (output_queue.waits, output_queue.underruns) == (0, 1)
    assert output_queue.silent_samples == 50 * 120 - 20
    # The worker runs: the missing samples may come.
    output_queue.push(block(10))
    output_queue._event.steps.append(lambda: output_queue.push(block(110)))
    pull(output_queue, 120, spare_s=0.5)
    assert (output_queue.waits, output_queue.underruns) == (1, 1)


@pytest.mark.parametrize("spare_s", [0.0, -0.01, -np.inf])
def test_a_device_with_no_time_to_spare_does_not_wait(clock, spare_s) -> None:
    output_queue = waited_for(clock, lambda queue: queue.push(block(100)))
    pull(output_queue, 100, spare_s=spare_s)
    assert (output_queue.waits, output_queue.underruns, clock.now) == (0, 1, 100.0)


# How long a wait for an event may take, and one that must not end.
TIMEOUT_S = 20.0
SOON_S = 0.01


def test_an_event_is_kept_for_the_next_wait_and_set_by_every_block() -> None:
    event = filling(100).event
    assert not event.wait(SOON_S)
    for _ in range(3):
        event.set()
    assert event.wait(TIMEOUT_S)
    assert not event.wait(SOON_S)
    input_queue = filling(100)
    # Also by a block that does not fit, because the worker may be waiting.
    for _ in range(2):
        input_queue.push(block(80))
        assert input_queue.event.wait(TIMEOUT_S)


def test_no_event_between_two_threads_is_lost() -> None:
    """Samples pushed before the event was set are seen by the wait that it ends, or by the next."""
    event = AutoResetEvent()
    rounds = 20_000
    brought = seen = 0

    def bring() -> None:
        nonlocal brought
        for _ in range(rounds):
            brought += 1
            event.set()

    bringing = threading.Thread(target=bring)
    bringing.start()
    while seen < rounds:
        seen = brought
        # A lost event would take the whole time-out.
        assert seen == rounds or event.wait(TIMEOUT_S)
    bringing.join()
