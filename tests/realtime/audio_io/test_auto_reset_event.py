"""Setting the event wakes the waiting thread, now or at its next wait, and never blocks."""

import threading
import time

import numpy as np

from realtime.audio_io.auto_reset_event import AutoResetEvent
from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.start_gate import StartGate

# Long enough for a busy machine; a wake-up takes microseconds on an idle one.
TIMEOUT_S = 20.0
SOON_S = 0.01


def test_a_set_is_kept_for_the_next_wait_and_several_count_as_one() -> None:
    event = AutoResetEvent()
    for _ in range(3):
        event.set()
    assert event.wait(TIMEOUT_S)
    assert not event.wait(SOON_S)
    event.set()
    assert event.wait(TIMEOUT_S)


def test_no_set_between_two_threads_is_lost() -> None:
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
    deadline = time.monotonic() + TIMEOUT_S
    while seen < rounds and time.monotonic() < deadline:
        seen = brought
        # A lost event would take the whole time-out.
        assert seen == rounds or event.wait(TIMEOUT_S)
    bringing.join()
    assert seen == rounds


def test_an_input_queue_sets_it_for_every_block() -> None:
    input_queue = InputQueue(1, 64, StartGate(output_runs=True))
    block = np.zeros((1, 48), np.float32)
    assert not input_queue.event.wait(SOON_S)
    input_queue.push(block)
    assert input_queue.event.wait(TIMEOUT_S)
    # Also if the block does not fit, because the worker may be waiting.
    input_queue.push(block)
    assert input_queue.event.wait(TIMEOUT_S)
