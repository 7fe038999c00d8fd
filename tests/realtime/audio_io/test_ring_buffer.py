"""The ring buffer against a plain list, and between two threads."""

import threading
import time

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from realtime.audio_io.ring_buffer import RingBuffer


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


def test_two_threads_lose_and_mix_up_nothing() -> None:
    """One thread writes numbers, another reads them: they come out in order, each once."""
    ring, count = RingBuffer(2, 97), 20_000

    def produce() -> None:
        lengths = np.random.default_rng(2)
        sent = 0
        while sent < count:
            n = min(int(lengths.integers(1, 60)), count - sent)
            x = np.arange(sent, sent + n, dtype=np.float32)
            sent += ring.write(np.stack([x, -x]))
            time.sleep(0)

    producer = threading.Thread(target=produce)
    producer.start()
    lengths, parts, received = np.random.default_rng(3), [], 0
    while received < count:
        out = np.zeros((2, int(lengths.integers(1, 60))), np.float32)
        parts.append(out[:, : ring.read(out)])
        received += parts[-1].shape[1]
        time.sleep(0)
    producer.join()
    x = np.arange(count, dtype=np.float32)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), np.stack([x, -x]))
