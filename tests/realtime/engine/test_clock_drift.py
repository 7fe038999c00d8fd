"""Devices whose clocks drift, and inputs that lose samples without counting them."""

import numpy as np
import pytest

from realtime.audio_io.output_queue import OutputQueue
from realtime.engine.clock_drift import MIN_SAMPLES, DriftEstimator
from realtime.engine.snapshot import Faults
from realtime.engine.worker import ROOM_BLOCKS
from tests.helpers.engine_signals import impulse, loudest
from tests.helpers.fake_streams import FakeOutput, Rig, wait_until
from tests.helpers.networks import loaded_chain

BLOCK_S = 0.1
# A quarter of the largest mean over a window, of a jitter of 400 samples.
JITTER_SAMPLES = 60


def feed(drift: DriftEstimator, values: list[float]) -> list[int]:
    return [reported for v in values if (reported := drift.step(v))]


def test_jitter_is_no_drift(rng) -> None:
    drift = DriftEstimator(BLOCK_S, tolerance_samples=0)
    reported = feed(drift, list(1_000 + rng.uniform(-400, 400, 3_000)))
    assert max(abs(t) for t in reported) <= JITTER_SAMPLES
    assert max(abs(t) for t in np.cumsum(reported)) <= 3 * JITTER_SAMPLES


def test_rare_stalls_are_no_drift() -> None:
    drift = DriftEstimator(BLOCK_S, tolerance_samples=0)
    assert feed(drift, ([0.0] * 90 + [-40_000.0] * 1 + [0.0] * 9) * 20) == []


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_drift_is_reported_in_small_parts_that_add_up(sign) -> None:
    drift = DriftEstimator(BLOCK_S, tolerance_samples=800)
    ahead = sign * np.arange(2_000) * 2.0
    reported = feed(drift, list(ahead))
    # 60 samples in each window, reported at its end; four times as many remain.
    assert all(np.sign(t) == sign and abs(t) <= 61 for t in reported)
    assert abs(sum(reported) - ahead[-1]) < 60 * 5


@pytest.mark.parametrize(
    ("steady", "jump", "parts"), [(200, -20_000, 2), (12, 80_000, 1)], ids=["late", "early"]
)
def test_a_jump_is_reported_once(steady, jump, parts) -> None:
    """In two parts, where it falls into the middle of a window."""
    drift = DriftEstimator(BLOCK_S, tolerance_samples=0)
    reported = feed(drift, [50.0] * steady + [50.0 + jump] * 200)
    assert 1 <= len(reported) <= parts
    assert sum(reported) == jump
    assert feed(drift, [50.0 + jump] * 200) == []


def test_a_rebased_drift_is_not_reported_again() -> None:
    drift = DriftEstimator(BLOCK_S, tolerance_samples=0)
    assert feed(drift, [0.0] * 100) == []
    drift.rebase(5_000)
    assert feed(drift, [-5_000.0] * 200) == []
    # The late samples arrived.
    assert sum(feed(drift, [0.0] * 100)) == 5_000


@pytest.mark.parametrize(
    ("samples", "reported"), [(MIN_SAMPLES - 4, MIN_SAMPLES / 4 - 1), (MIN_SAMPLES, MIN_SAMPLES)]
)
def test_the_tolerance_is_at_least_the_jitter_of_callbacks(samples, reported) -> None:
    drift = DriftEstimator(BLOCK_S, tolerance_samples=1)
    feed(drift, [0.0] * 100)
    assert feed(drift, [float(samples)] * 30) == [reported]


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twelfth as long."""
    monkeypatch.setattr("realtime.engine.clock_drift.WINDOW_S", 0.25)
    monkeypatch.setattr("realtime.engine.clock_drift.BASE_S", 0.1)


def mark(i: int, n: int) -> np.ndarray:
    """Samples that show their time: a line that rises from 0 to 1 in a second."""
    return (np.arange(i, i + n)[None] / 22_050).astype(np.float32)


@pytest.mark.parametrize(("drift", "block"), [(-0.0015, 1_024), (0.0015, 256)])
def test_drifting_clocks_are_followed_inaudibly(drift, block, short_windows) -> None:
    """As much drift as there is prefill, and the same delay."""
    half = block // 2
    with Rig(loaded_chain(lambda w: w, block_samples=block)) as rig:
        late = rig.snapshot.latency.engine
        owed, delays = 0.0, []
        for k in range(round(1.1 / abs(drift))):
            rig.source.push(mark(k * half, half) % 1.0)
            rig.settle()
            owed += block * (1 + drift)
            n = int(owed)
            owed -= n
            y = rig.sink.pull(n)[0]
            if k > 50 and 0.2 < y[-1] < 0.9:
                # The age of the last sample, at 44.1 kHz.
                age = (((k + 1) * half / 22_050) % 1.0 - y[-1]) % 1.0
                delays.append(age * 44_100)
        assert rig.snapshot.faults.total == 0
    assert len(delays) > 50
    assert np.abs(np.array(delays) - late).max() < block / 2


def test_input_before_the_output_runs_adds_no_latency() -> None:
    """Loudspeakers may take seconds to start."""

    class Sleepy(FakeOutput):
        def start(self, output_queue: OutputQueue, channels: int) -> None:
            self.output_queue, self.channels = output_queue, channels

    with Rig(loaded_chain(lambda w: w), sink=Sleepy()) as rig:
        for _ in range(50):
            rig.source.push(np.full((1, 441), 0.9, np.float32))
        rig.source.pushed = 0  # none of them counts
        assert not rig.sink.pull(882).any()
        rig.run(impulse(4_000, 700))
        assert loudest(rig.played[:, 882:]) == 1_400 + rig.snapshot.latency.engine
        assert rig.snapshot.faults == Faults()


def test_an_output_that_hung_is_in_time_again(short_windows) -> None:
    """A loudspeaker that pulled nothing for two seconds, while the rings filled, and continues."""
    with Rig(loaded_chain(lambda w: w, block_samples=1_024)) as rig:
        late = rig.snapshot.latency.engine
        rig.run(np.zeros((1, 512 * 40), np.float32))
        waiting, playing = rig.source.input_queue.ring, rig.sink.output_queue.ring
        room = ROOM_BLOCKS * 1_024
        rig.source.push(np.zeros((1, 512 * 90), np.float32))
        x = np.pad(impulse(512 * 20, 512 * 4), ((0, 0), (512 * 150, 0)))
        for k in range(170):
            rig.source.push(x[:, 512 * k : 512 * (k + 1)])
            # Until the worker has read it all, or waits for room in the output queue.
            wait_until(lambda: not waiting.available or playing.free < room)
            rig.sink.pull(1_024)
        heard = loudest(rig.played[:, -1_024 * 20 :])
        # Within the tolerance.
        assert abs(heard - 1_024 * 4 - late) <= MIN_SAMPLES + 1_024
