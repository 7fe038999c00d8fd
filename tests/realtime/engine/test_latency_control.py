"""Latency control in a simulation with its own clock: no threads, no audio."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from realtime.engine.clock_drift import MIN_SAMPLES, WINDOW_S
from realtime.engine.latency_control import Correction, Flow, LatencyControl, prefill_for

BLOCK = 256
BASE = 2 * BLOCK
SILENCE = -1
Indices = npt.NDArray[np.int64]


def flow(**changes: float) -> Flow:
    """The state of a stream without faults and with much room."""
    return Flow(**dict.fromkeys(Flow.__dataclass_fields__, 0) | {"room": 44_100} | changes)


def control(clocks_differ: bool = False) -> LatencyControl:
    return LatencyControl(block_samples=BLOCK, prefill_samples=BLOCK, clocks_differ=clocks_differ)


def correct(made: LatencyControl, samples: int, **changes: float) -> Correction:
    """The correction of a block without faults."""
    return made.correct(samples, flow(**changes), flow(**changes))


class Stream:
    """A stream of numbered samples, in steps of any length; the numbers show the latency."""

    def __init__(self, *, clocks_differ: bool = False) -> None:
        self.control = control(clocks_differ)
        self.corrections: list[Correction] = []
        self._waiting: Indices = np.zeros(0, np.int64)
        self._queue: Indices = np.full(BASE, SILENCE)
        self._recorded = self._lost = self._received = self._silent = 0
        self._played: list[Indices] = []
        self.played_samples = 0

    def record(self, n: int, *, arrives: bool = True, counted: bool = True) -> None:
        """The input records; what does not arrive is lost, and may be counted."""
        fresh = np.arange(self._recorded, self._recorded + n)
        self._recorded += n
        self._received += n if counted else 0
        if arrives:
            self._waiting = np.concatenate([self._waiting, fresh])
        elif counted:
            self._lost += n

    def play(self, n: int) -> None:
        """The output takes samples, and silence where there are none."""
        out, self._queue = self._queue[:n], self._queue[n:]
        self._silent += n - out.size
        self._played.append(np.concatenate([out, np.full(n - out.size, SILENCE)]))
        self.played_samples += n

    def flow(self) -> Flow:
        return flow(
            received=self._received, lost=self._lost, waiting=self._waiting.size,
            queued=self._queue.size, played=self.played_samples, silent=self._silent,
        )  # fmt: skip

    def work(self, *, played_meanwhile: int = 0, blocks: int = 1_000_000) -> None:
        """Process all whole blocks; during the first one, samples are played."""
        while self._waiting.size >= BLOCK and blocks > 0:
            blocks -= 1
            ready = self.flow()
            y, self._waiting = self._waiting[:BLOCK], self._waiting[BLOCK:]
            self.play(played_meanwhile)
            played_meanwhile = 0
            done = self.control.correct(BLOCK, ready, self.flow())
            self.corrections.append(done)
            # The last sample is repeated, or the end left out.
            y = y[np.arange(BLOCK + done.stretch_samples).clip(max=BLOCK - 1)]
            y = y[done.leave_out_samples :]
            silence = np.full(done.silence_samples, SILENCE)
            self._queue = np.concatenate([self._queue, silence, y])
            self._waiting = self._waiting[done.drop_blocks * BLOCK :]

    def run(self, seconds: float = 0.5, drift: float = 0.0) -> None:
        """Run without faults, with an output that is too fast by a share."""
        owed = 0.0
        for _ in range(round(seconds * 44_100 / BLOCK)):
            owed += BLOCK * (1 + drift)
            n = int(owed)
            owed -= n
            self.record(BLOCK)
            self.work()
            self.play(n)

    def errors(self, last: int) -> Indices:
        """How much later than at the start the last samples were, without silence."""
        y = np.concatenate(self._played)
        at = np.arange(y.size)
        heard = y[-last:] != SILENCE
        assert heard.mean() > 0.9
        return (at - y - BASE)[-last:][heard]

    @property
    def corrected(self) -> int:
        """Samples by which all corrections together made the stream shorter."""
        return sum(
            c.leave_out_samples - c.silence_samples + c.drop_blocks * BLOCK
            for c in self.corrections
        )


def test_silence_waits_until_there_is_room_for_it() -> None:
    """An output that hangs: the blocks are kept, and the silence is corrected later."""
    made = control()
    assert correct(made, 90, lost=1_000, room=100).silence_samples == 10
    assert made.late_samples(flow(lost=1_000)) == -990
    assert correct(made, 90, lost=1_000, room=50).silence_samples == 0
    assert correct(made, 500, lost=1_000).silence_samples == 990
    assert made.late_samples(flow(lost=1_000)) == 0


def test_whole_blocks_are_dropped_only_while_more_than_one_waits() -> None:
    made = control()
    late = 5 * BLOCK + 10
    assert correct(made, BLOCK, silent=late, waiting=BLOCK).drop_blocks == 0
    assert correct(made, BLOCK, silent=late, waiting=3 * BLOCK - 1).drop_blocks == 1
    assert correct(made, BLOCK, silent=late, waiting=9 * BLOCK).drop_blocks == 1
    assert made.late_samples(flow(silent=late)) == 10
    assert made.dropped_blocks == 2


@pytest.mark.parametrize("seed", range(4))
def test_stalls_and_losses_always_end_at_the_start_latency(seed) -> None:
    """Exact to the sample, and nothing is corrected twice."""
    rng = np.random.default_rng(seed)
    stream = Stream()
    stream.run()
    for _ in range(200):
        n = int(rng.integers(1, 900))
        stream.record(n, arrives=rng.random() > 0.1)
        if rng.random() > 0.3:
            stream.work(played_meanwhile=n, blocks=int(rng.integers(1, 20)))
        stream.play(n)
    # The rounds above have played more than was recorded: the input delivers the rest.
    stream.record(stream.played_samples - stream._recorded)
    stream.run()
    assert not stream.errors(5_000).any()
    end = stream.flow()
    assert stream.corrected == end.silent - end.lost
    assert end.silent > 0
    assert end.lost > 0
    before = len(stream.corrections)
    stream.run()
    assert set(stream.corrections[before:]) == {Correction()}


@pytest.mark.parametrize("stall", [1, BLOCK, 3 * BLOCK + 7, 40 * BLOCK])
def test_a_slow_block_is_cut_by_the_silence_that_stood_in_for_it(stall) -> None:
    stream = Stream()
    stream.run()
    stream.record(BASE + stall)
    before = len(stream.corrections)
    stream.work(played_meanwhile=BASE + stall)
    # At once, not a block later: the silence takes the place of the samples that were due.
    first = stream.corrections[before]
    assert first.leave_out_samples == min(stream.flow().silent, BLOCK) > 0
    stream.run()
    assert not stream.errors(5_000).any()
    assert stream.corrected == stream.flow().silent


def test_late_but_complete_input_does_not_count_as_lost() -> None:
    """A driver that holds back three blocks, and delivers them at once."""
    stream = Stream(clocks_differ=True)
    stream.run()
    for _ in range(20):
        stream.play(4 * BLOCK)
        stream.record(4 * BLOCK)
        stream.work()
    stream.run()
    assert not stream.errors(5_000).any()
    assert stream.corrected == stream.flow().silent


@pytest.mark.parametrize("sign", [-1, 1])
def test_drift_is_corrected_by_stretching(sign) -> None:
    """0.01 % for two minutes: twice the prefill, and no silence at all."""
    stream = Stream(clocks_differ=True)
    stream.run(3.0)
    stream.run(120.0, sign * 1e-4)
    assert stream.flow().silent == 0
    stretches = [abs(c.stretch_samples) for c in stream.corrections]
    # A sample in 512 at most.
    assert max(a + b for a, b in itertools.pairwise(stretches)) == 1
    assert sum(c.stretch_samples for c in stream.corrections) * sign > 400
    assert stream.corrected == 0


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("window_s", [0.25, WINDOW_S])
def test_a_fast_drift_is_corrected_in_jumps(sign, window_s, monkeypatch) -> None:
    """1 % for 20 s: the delay stays within a window's drift and the tolerance."""
    monkeypatch.setattr("realtime.engine.clock_drift.WINDOW_S", window_s)
    stream = Stream(clocks_differ=True)
    stream.run(3.0)
    for _ in range(20):
        stream.run(1.0, sign * 1e-2)
        now = stream.flow()
        assert abs(now.waiting + now.queued - BASE) < 0.01 * 44_100 * WINDOW_S + MIN_SAMPLES


def test_after_input_was_lost_uncounted_the_prefill_is_filled_again() -> None:
    """Two seconds that never came: corrected once, not left out for two seconds."""
    stream = Stream(clocks_differ=True)
    stream.run()
    for _ in range(345):
        stream.record(BLOCK, arrives=False, counted=False)
        stream.work()
        stream.play(BLOCK)
    before = len(stream.corrections)
    stream.run(4.0)
    assert not any(c.leave_out_samples for c in stream.corrections[before : before + 20])
    silent = stream.flow().silent
    stream.run(8.0)
    assert stream.flow().silent == silent
    # To within a block: the time at which the input returned is not known more precisely.
    assert np.abs(stream.errors(5_000)).max() <= BLOCK


@pytest.mark.parametrize(
    ("block", "period_s", "reserve_s", "prefill"),
    [
        (512, 0.0, 0.0, 512),
        (512, 0.005, 0.0, 662),
        (128, 0.005, 0.0, 662),
        (512, 0.02, 0.0, 1_323),
        (1_024, 0.005, 0.0, 1_024),
        # What the device has to play while it waits is no prefill; a period is always left.
        (1_024, 0.005, 0.01, 583),
        (512, 0.005, 0.01, 221),
        (512, 0.005, 1.0, 220),
    ],
)
def test_the_prefill_is_a_block_or_a_device_period_and_10_ms(
    block, period_s, reserve_s, prefill
) -> None:
    assert prefill_for(block, period_s, reserve_s) == prefill
