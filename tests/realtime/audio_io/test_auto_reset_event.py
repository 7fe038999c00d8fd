"""A ring wakes whoever waits, at once or later, and never waits itself."""

import threading
import time

import numpy as np

from realtime.audio_io.auto_reset_event import Bell
from realtime.audio_io.input_queue import Intake

# Long enough for a busy machine; a wake-up takes microseconds on an idle one.
PATIENCE_S = 20.0
SOON_S = 0.01


def test_a_ring_is_kept_for_the_next_wait_and_several_count_as_one() -> None:
    bell = Bell()
    for _ in range(3):
        bell.ring()
    assert bell.wait(PATIENCE_S)
    assert not bell.wait(SOON_S)
    bell.ring()
    assert bell.wait(PATIENCE_S)


def test_no_ring_between_two_threads_is_lost() -> None:
    """What was brought before a ring is seen by the wait that hears it, or by the next one."""
    bell = Bell()
    rounds = 20_000
    brought = seen = 0

    def bring() -> None:
        nonlocal brought
        for _ in range(rounds):
            brought += 1
            bell.ring()

    bringing = threading.Thread(target=bring)
    bringing.start()
    deadline = time.monotonic() + PATIENCE_S
    while seen < rounds and time.monotonic() < deadline:
        seen = brought
        # A ring that got lost would cost all of the patience.
        assert seen == rounds or bell.wait(PATIENCE_S)
    bringing.join()
    assert seen == rounds


def test_an_intake_rings_for_every_block() -> None:
    intake = Intake(1, 64)
    block = np.zeros((1, 48), np.float32)
    assert not intake.bell.wait(SOON_S)
    intake.push(block)
    assert intake.bell.wait(PATIENCE_S)
    # Also where it does not fit: the worker may be waiting for just that to be told.
    intake.push(block)
    assert intake.bell.wait(PATIENCE_S)
