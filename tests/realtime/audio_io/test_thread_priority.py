"""Real-time scheduling: used if it is allowed, otherwise nothing changes."""

import os
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from realtime.audio_io.thread_priority import WORKER_PRIORITY, raise_priority, restore_priority
from realtime.dsp.processor import Audio
from tests.helpers.fake_streams import Rig, wait_until
from tests.helpers.networks import Gate, loaded_chain

linux = pytest.mark.skipif(sys.platform != "linux", reason="scheduling is Linux's own")


def in_thread(call: Callable[[], object]) -> list[object]:
    out: list[object] = []
    thread = threading.Thread(target=lambda: out.append(call()))
    thread.start()
    thread.join()
    return out


@linux
def test_a_thread_gets_priority_if_the_system_allows_it_and_no_other_does() -> None:
    """It is not inherited, and can be undone."""
    kept = os.SCHED_RESET_ON_FORK

    def schedule() -> tuple[bool, int, int, list[object], int]:
        allowed = raise_priority(WORKER_PRIORITY)
        policy, priority = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
        child = in_thread(lambda: os.sched_getscheduler(0))
        restore_priority()
        return allowed, policy & ~kept, priority, child, os.sched_getscheduler(0) & ~kept

    before = os.sched_getscheduler(0)
    ((allowed, policy, priority, child, after),) = in_thread(schedule)
    expected = (os.SCHED_RR, WORKER_PRIORITY) if allowed else (before, 0)
    assert (policy, priority) == expected
    assert child == [os.SCHED_OTHER]
    assert after == os.SCHED_OTHER
    assert os.sched_getscheduler(0) == before


def test_if_it_is_refused_or_unknown_nothing_happens(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    assert not raise_priority(WORKER_PRIORITY)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not raise_priority(WORKER_PRIORITY)
    restore_priority()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the worker asks the system for; it is granted."""
    log: list[str] = []
    worker = "realtime.engine.worker"
    monkeypatch.setattr(f"{worker}.raise_priority", lambda _: not log.append("raised"))
    monkeypatch.setattr(f"{worker}.restore_priority", lambda: log.append("restored"))
    return log


def test_a_network_that_is_too_slow_loses_its_priority(asked) -> None:
    def slow(x: Audio) -> Audio:
        time.sleep(2 * x.shape[1] / 44_100)
        return x.copy()

    with Rig(loaded_chain(slow), prefill_samples=0) as rig:
        for _ in range(2):
            dropped = rig.snapshot.faults.dropped_samples
            rig.source.push(np.zeros((1, 20 * rig.block), np.float32))
            rig.sink.pull(40 * rig.block)
            wait_until(
                lambda d=dropped: rig.snapshot.faults.dropped_samples > d, "that it caught up"
            )
            rig.settle()
    assert asked == ["raised", "restored"]


def test_a_network_that_was_held_up_keeps_its_priority(asked, monkeypatch) -> None:
    # Its quick blocks count even on a busy machine.
    monkeypatch.setattr("realtime.engine.worker.SLOW_S", 60.0)
    gate = Gate()
    with Rig(loaded_chain(gate, block_samples=1_024), prefill_samples=0) as rig:
        rig.run(np.zeros((1, 20 * rig.block), np.float32))
        gate.open.clear()
        rig.source.push(np.zeros((1, 20 * rig.block), np.float32))
        rig.sink.pull(40 * rig.block)
        gate.open.set()
        wait_until(lambda: rig.snapshot.faults.dropped_samples > 0, "a dropped block")
        rig.settle()
    assert asked == ["raised"]
