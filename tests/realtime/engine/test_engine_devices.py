"""The engine between fake devices: the latency is exact to the sample after any fault."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from realtime.dsp.processor import Audio
from realtime.engine.snapshot import Faults, State
from realtime.files.enhance import render
from tests.helpers.engine_signals import ROUNDING, impulse, loudest, noise
from tests.helpers.fake_streams import FakeInput, FakeOutput, Rig, wait_until
from tests.helpers.networks import Gate, loaded_chain

# A time limit for waiting; only a busy machine takes seconds.
SOON_S = 5.0


def test_jitter_and_bursts_change_nothing(rng) -> None:
    """As long as the prefill is not used up, jitter of the callbacks changes nothing."""
    x = noise(20_000)
    with Rig(loaded_chain(), prefill_samples=2_048) as rig:
        rig.source.push(x[:, :1])
        pushed, pulled = 1, 0
        while pushed < x.shape[1]:
            n = min(int(rng.integers(0, 500)), x.shape[1] - pushed)
            rig.source.push(x[:, pushed : pushed + n])
            pushed += n
            rig.settle()
            while pulled < 2 * pushed - 1_000:
                m = int(rng.integers(0, 700))
                rig.sink.pull(m)
                pulled += m
        seen = rig.snapshot
        assert seen.faults == Faults()
        y, late = rig.played[:, : 2 * x.shape[1]], seen.latency.engine
        expected = render(loaded_chain().chain, x, block_samples=256)[:, : y.shape[1] - late]
        np.testing.assert_allclose(y[:, late:], expected, rtol=0, atol=ROUNDING)
        assert not y[:, : late - 346].any()


@pytest.mark.parametrize(("at", "period_s", "prefill"), [(0, 0.0, 256), (1_234, 0.005, 662)])
def test_an_impulse_is_as_late_as_the_snapshot_says(at, period_s, prefill) -> None:
    with Rig(loaded_chain(), sink=FakeOutput(period_s=period_s)) as rig:
        rig.run(impulse(3_968, at))
        assert rig.snapshot.latency.safety == prefill
        assert loudest(rig.played) == 2 * at + rig.snapshot.latency.engine
        assert rig.snapshot.faults == Faults()


def test_a_block_is_ready_in_time_without_any_prefill() -> None:
    """The block part of the latency suffices if computing takes no time."""
    with Rig(loaded_chain(), prefill_samples=0) as rig:
        rig.run(noise(6_000), step=16)
        assert rig.snapshot.faults == Faults()


# Late blocks that the rings hold, and so many that the input's ring of one second overflows.
@pytest.mark.parametrize("late_blocks", [30, 240])
def test_after_a_slow_network_the_latency_is_the_same_to_the_sample(late_blocks) -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        late = rig.snapshot.latency.engine
        rig.run(impulse(4_000, 500))
        assert rig.snapshot.faults == Faults()
        assert loudest(rig.played) == 1_000 + late
        gate.open.clear()
        for _ in range(late_blocks):
            rig.source.push(noise(rig.block))
            rig.sink.pull(2 * rig.block)
        assert rig.snapshot.faults.ring_underrun == 1
        gate.open.set()
        wait_until(lambda: rig.snapshot.faults.dropped_samples > 0, "that something was dropped")
        rig.run(np.zeros((1, 40 * rig.block), np.float32))
        faults = rig.snapshot.faults
        # The oldest input was dropped, in whole blocks if the ring held it, and no more than was
        # late.
        assert faults.ring_overrun > 0
        lost = max(late_blocks * rig.block - 22_050, 0)
        assert lost - 4_000 <= faults.dropped_samples <= late_blocks * rig.block
        if not lost:
            assert faults.dropped_samples == faults.ring_overrun * rig.block
        before = rig.played.shape[1]
        assert before == 2 * rig.source.pushed
        rig.run(impulse(4_000, 700))
        assert loudest(rig.played[:, before:]) == 2 * 700 + late
        seen = rig.snapshot
        assert (seen.faults, seen.latency.engine, seen.state) == (faults, late, State.RUNNING)


def test_the_devices_own_faults_are_counted_apart() -> None:
    with Rig(loaded_chain()) as rig:
        rig.run(np.full((1, 8 * rig.block), np.nan, np.float32))
        rig.source.push(np.zeros((1, 10), np.float32), overflow=True)
        rig.sink.pull(10, underflow=True)
        rig.sink.pull(10, underflow=True)
        # Samples that are not finite become silence; they are no fault of the engine's.
        faults = Faults(input_overflow=1, output_underflow=2, bad_samples=8 * rig.block)
        assert rig.snapshot.faults == faults
        assert faults.total == 3
        assert not rig.played.any()
        rig.engine.reset_counters()
        assert rig.snapshot.faults == Faults()
        assert rig.snapshot.timing.blocks == 0
        rig.sink.pull(10, underflow=True)
        assert rig.snapshot.faults == Faults(output_underflow=1)


@pytest.mark.parametrize(("rate_in", "rate_out"), [(48_000, 48_000), (44_100, 96_000)])
def test_devices_of_other_rates_stay_in_time(rate_in, rate_out) -> None:
    source, sink = FakeInput(sample_rate_hz=rate_in), FakeOutput(sample_rate_hz=rate_out)
    rig = Rig(loaded_chain(), source=source, sink=sink)
    seen = rig.snapshot
    assert (seen.input_rate_hz, seen.output_rate_hz) == (rate_in, rate_out)
    assert seen.latency.device_in > 0
    assert seen.latency.device_out > 0
    at_s = 0.1
    with rig:
        queue = rig.sink.output_queue
        for i in range(40):
            part = np.zeros((1, rate_in // 100), np.float32)
            if i == round(at_s * 100):
                part[0, 0] = 0.9
            rig.source.push(part)
            wait_until(lambda: queue.ring.available >= rate_out // 100, "the block")
            rig.sink.pull(rate_out // 100)
        assert rig.snapshot.faults.total == 0
        at = loudest(rig.played) / rate_out
        # A converter's peak lies between samples.
        assert at == pytest.approx(at_s + seen.latency.total / 44_100, abs=3 / 44_100)


@contextmanager
def waiting_output(rig: Rig) -> Iterator[None]:
    """A loudspeaker that waits for a late block; the body ends the wait."""
    there = rig.sink.output_queue.ring.available
    pulling = threading.Thread(target=rig.sink.pull, args=(there + 100,), kwargs={"spare_s": 60.0})
    pulling.start()
    time.sleep(0.005)
    assert pulling.is_alive()
    yield
    pulling.join(SOON_S)
    assert not pulling.is_alive()


def test_a_late_block_is_no_fault_where_the_device_can_wait() -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        rig.run(noise(10 * rig.block))
        gate.open.clear()
        rig.source.push(noise(rig.block))
        with waiting_output(rig):
            gate.open.set()
        rig.run(noise(9 * rig.block))
        assert rig.snapshot.faults == Faults(late_blocks=1)
        rig.engine.reset_counters()
        assert rig.snapshot.faults == Faults()


@pytest.mark.parametrize("fails", [False, True])
def test_no_device_waits_for_an_engine_that_stops_or_failed(fails, monkeypatch) -> None:
    def broken(_: Audio) -> None:
        raise RuntimeError("a bug")

    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        rig.run(noise(4 * rig.block))
        gate.open.clear()
        if fails:
            monkeypatch.setattr(rig.engine.output_tap, "write", broken)
        rig.source.push(noise(rig.block if fails else 0))
        with waiting_output(rig):
            gate.open.set()
            if not fails:
                rig.engine.stop()
        assert rig.snapshot.state is (State.FAILED if fails else State.STOPPED)
        assert rig.snapshot.faults.ring_underrun == 0
