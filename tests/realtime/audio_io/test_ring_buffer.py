"""The ring buffer against a plain list, and between two threads."""

import threading
import time

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from realtime.audio_io.ring_buffer import RingBuffer

STRESS_S = 1.0


class RingModel(RuleBasedStateMachine):
    """All samples are numbered, so that each one read shows where it came from."""

    @initialize(capacity=st.integers(1, 17), channels=st.integers(1, 2))
    def make(self, capacity: int, channels: int) -> None:
        self.ring = RingBuffer(channels, capacity)
        self.held: list[float] = []
        self.next = 1.0
        self.consumed = 0

    @rule(n=st.integers(0, 40))
    def write(self, n: int) -> None:
        x = np.arange(self.next, self.next + n, dtype=np.float32)
        stored = self.ring.write(self.block(x))
        assert stored == min(n, self.ring.capacity_samples - len(self.held))
        self.held += [float(v) for v in x[:stored]]
        self.next += n

    def block(self, x: np.ndarray) -> np.ndarray:
        """The second channel is the first one, negated."""
        return np.stack([x, -x])[: len(self.ring._memory)]

    @rule(n=st.integers(0, 40))
    def read(self, n: int) -> None:
        out = np.full((len(self.ring._memory), n), -1000.0, np.float32)
        count = self.ring.read(out)
        assert count == min(n, len(self.held))
        expected = np.array(self.held[:count], np.float32)
        np.testing.assert_array_equal(out[:, :count], self.block(expected))
        # The rest was not changed.
        assert (out[:, count:] == -1000.0).all()
        del self.held[:count]
        self.consumed += count

    @invariant()
    def counts(self) -> None:
        assert self.ring.available == len(self.held)
        assert self.ring.free == self.ring.capacity_samples - len(self.held)
        assert self.ring.consumed == self.consumed
        assert self.ring.written == self.consumed + len(self.held)


RingModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRingModel = RingModel.TestCase


def test_counters_do_not_wrap() -> None:
    ring = RingBuffer(1, 100)
    ring.written = ring.consumed = 2**40 + 3
    x = np.arange(90, dtype=np.float32)[None]
    assert ring.write(x) == 90
    out = np.zeros((1, 90), np.float32)
    assert ring.read(out) == 90
    np.testing.assert_array_equal(out, x)
    assert ring.consumed == 2**40 + 93


def test_two_threads_lose_and_mix_up_nothing() -> None:
    """One thread writes numbers, another reads them: they come out in order, each once."""
    ring = RingBuffer(2, 97)
    stop = threading.Event()
    sent = [0]

    def produce() -> None:
        rng = np.random.default_rng(2)
        n = 0
        while not stop.is_set():
            # Float32 counts exactly up to 2**24.
            x = (np.arange(n, n + int(rng.integers(1, 60))) % 2**24).astype(np.float32)
            stored = ring.write(np.stack([x, -x]))
            n += stored
            if not stored:
                time.sleep(0)
        sent[0] = n

    producer = threading.Thread(target=produce)
    producer.start()
    rng = np.random.default_rng(3)
    received, wrong = 0, 0
    deadline = time.monotonic() + STRESS_S

    def take() -> int:
        out = np.zeros((2, int(rng.integers(1, 60))), np.float32)
        count = ring.read(out)
        expected = (np.arange(received, received + count) % 2**24).astype(np.float32)
        nonlocal wrong
        wrong += int((out[0, :count] != expected).sum() + (out[1, :count] != -expected).sum())
        return count

    while time.monotonic() < deadline:
        count = take()
        received += count
        if not count:
            time.sleep(0)
    stop.set()
    producer.join()
    while count := take():
        received += count
    assert wrong == 0
    assert received == sent[0] > 10_000
