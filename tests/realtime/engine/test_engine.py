"""The engine's life: failures, start and stop, taps and snapshots."""

import gc
import sys
import threading

import numpy as np
import pytest

from realtime.dsp.fallback import TOO_SLOW
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio
from realtime.engine.recorder import Recorder
from realtime.engine.snapshot import Faults, State
from realtime.errors import DeviceError
from tests.helpers.engine_signals import ROUNDING, impulse, loudest, noise
from tests.helpers.fake_streams import Rig, wait_until
from tests.helpers.networks import Gate, loaded_chain


@pytest.mark.parametrize(
    ("failure", "reported"),
    [
        (RuntimeError("first line\n\nthe network is tired"), "the network is tired"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_a_network_that_fails_is_reported_in_one_line_and_left_out(
    failure: Exception, reported: str
) -> None:
    """An identity is the network here: nothing is missing, and nothing is heard of it."""
    gate = Gate()
    x = noise(6_000)
    with Rig(loaded_chain(gate)) as rig:
        rig.run(x[:, :2_000])
        gate.failure = failure
        rig.run(x[:, 2_000:])
        seen, played = rig.snapshot, rig.played
    with Rig(loaded_chain(Gate())) as rig:
        rig.run(x)
        np.testing.assert_allclose(played, rig.played, rtol=0, atol=ROUNDING)
    assert (seen.state, seen.error, seen.faults) == (State.RUNNING, "", Faults())
    assert (seen.fallback, seen.fallbacks) == (reported, 1)
    assert seen.fallback_s == pytest.approx(4_000 / 22_050, abs=2 * rig.block / 22_050)
    assert seen.notice == f"the network is left out ({reported}), and tried again"


def test_a_recording_goes_on_while_the_network_is_left_out_and_tried(tmp_path) -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        engine = rig.engine
        recorder = Recorder(
            engine.input_tap,
            engine.output_tap,
            delay_samples=engine.tap_delay_samples,
            folder=tmp_path,
            stem="take",
        )
        recorder.start()
        rig.run(noise(4_096))
        gate.failure = RuntimeError("tired")
        rig.run(noise(4_096))
        assert rig.snapshot.fallback == "tired"
        gate.failure = None
        for _ in range(40):
            rig.run(noise(2_048))
            if not rig.snapshot.fallback:
                break
        seen = rig.snapshot
        done = recorder.stop()
    assert (seen.fallback, seen.fallbacks, seen.notice, seen.faults) == ("", 1, "", Faults())
    assert (done.error, done.lost_samples) == ("", 0)
    assert done.seconds == pytest.approx(seen.seconds, abs=0.05)


def test_a_network_slower_than_real_time_drops_nothing() -> None:
    """Its time is a fake; everything that was pushed is played."""
    now = [0.0]

    def slow(x: Audio) -> Audio:
        now[0] += 1.5 * 256 / 44_100
        return x.copy()

    with Rig(loaded_chain(slow)) as rig:
        for fallback in rig.engine._loaded.chain.fallbacks:
            fallback.clock = lambda: now[0]
        rig.run(noise(30 * rig.block))
        seen = rig.snapshot
    assert (seen.fallback, seen.fallbacks, seen.faults) == (TOO_SLOW, 1, Faults())
    assert now[0] < 4 * 256 / 44_100 * 1.5


def test_an_engine_stops_while_its_network_is_tried() -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        gate.failure = RuntimeError("tired")
        rig.run(noise(2 * rig.block))
        gate.failure = None
        gate.open.clear()
        rig.run(noise(23_000))
        # The trial hangs in the network; the audio goes on.
        assert rig.snapshot.fallback == "tired"
        threading.Timer(0.05, gate.open.set).start()
    assert rig.snapshot.state is State.STOPPED
    assert not [t for t in threading.enumerate() if t.name.startswith("topoctave")]


@pytest.mark.parametrize("side", ["source", "sink"])
def test_a_lost_device_is_still_reported_after_the_stop(side) -> None:
    """A closed device has no error; the engine keeps it."""
    rig = Rig(loaded_chain())
    with rig:
        rig.run(np.zeros((1, 500), np.float32))
        getattr(rig, side).unplug()
        failed = rig.snapshot
    assert failed.state is rig.snapshot.state is State.FAILED
    assert "went away" in failed.error == rig.snapshot.error


@pytest.mark.parametrize("runs", [True, False])
def test_an_engine_runs_once_and_its_stop_stops_everything_once(runs) -> None:
    sys.setswitchinterval(0.005)
    gc.unfreeze()
    rig = Rig(loaded_chain())
    seen = rig.snapshot
    assert (seen.state, seen.seconds, seen.timing.blocks) == (State.READY, 0.0, 0)
    assert seen.input_level.rms_db == -np.inf
    if runs:
        rig.engine.start()
        rig.run(noise(1_000))
        with pytest.raises(RuntimeError, match="runs once"):
            rig.engine.start()
    for _ in range(2):
        rig.engine.stop()
        assert rig.snapshot.state is State.STOPPED
        assert rig.source.stops == rig.sink.stops == 1
    with pytest.raises(RuntimeError, match="runs once"):
        rig.engine.start()
    assert sys.getswitchinterval() == 0.005
    assert gc.get_freeze_count() == 0
    assert not [t for t in threading.enumerate() if t.name.startswith("topoctave")]


def test_a_device_that_refuses_to_start_leaves_nothing_running() -> None:
    rig = Rig(loaded_chain())
    rig.source.refuse = DeviceError("it is busy")
    with pytest.raises(DeviceError, match="it is busy"):
        rig.engine.start()
    assert (rig.source.stops, rig.sink.stops, rig.snapshot.state) == (1, 1, State.STOPPED)


def test_taps_belong_together_and_are_after_the_gains() -> None:
    """Output tap sample j is input tap sample (j - tap_delay_samples) / 2."""
    quiet = Parameters(input_gain_db=-20.0, output_gain_db=-20.0)
    x = np.concatenate([impulse(1_000, 777), np.full((1, 4_120), 0.5, np.float32)], axis=1)
    with Rig(loaded_chain(lambda w: w, parameters=quiet)) as rig:
        rig.run(x)
        seen = rig.snapshot
        assert rig.engine.parameters == quiet
        given, first = rig.engine.input_tap.read(0)
        made, _ = rig.engine.output_tap.read(0)
        assert first == 0
        np.testing.assert_allclose(given, 0.1 * x[:, : given.shape[1]], rtol=0, atol=ROUNDING)
        assert loudest(made[:, :2_000]) == 2 * 777 + rig.engine.tap_delay_samples
        assert rig.engine.input_tap.sample_rate == 22_050
        assert rig.engine.output_tap.sample_rate == 44_100
        for level, level_db in ((seen.input_level, -26.02), (seen.output_level, -46.02)):
            assert level.rms_db == pytest.approx(level_db, abs=0.1)
            # kaiser_fast overshoots the edge of the constant by a decibel or so.
            assert level_db - 0.1 < level.peak_db < level_db + 2.0


def test_every_reader_sees_a_peak_while_it_is_recent() -> None:
    """A snapshot takes nothing from the next one: a meter and a log may both snapshot."""
    with Rig(loaded_chain()) as rig:
        rig.source.push(impulse(2_000, 500))
        wait_until(lambda: rig.engine.output_tap.written > 3_500, "all blocks")
        for _ in range(2):
            assert rig.snapshot.input_level.peak_db == pytest.approx(-0.915, abs=0.01)
        rig.source.push(np.zeros((1, 4_000), np.float32))
        wait_until(lambda: rig.engine.output_tap.written > 11_000, "some more blocks")
        assert rig.snapshot.input_level.peak_db == -np.inf


def test_a_snapshot_has_counts_and_times() -> None:
    with Rig(loaded_chain()) as rig:
        rig.run(noise(4_000))
        seen = rig.snapshot
        assert seen.timing.blocks == 4_000 // 128
        assert seen.recent.blocks == seen.timing.blocks
        assert 0 < seen.timing.ratio_min <= seen.timing.ratio_p01 <= seen.timing.ratio_median
        assert seen.seconds == pytest.approx(128 * seen.timing.blocks / 22_050)
        assert (seen.model, seen.compute, seen.threads) == ("test", "cpu", 1)
        assert seen.block_samples == 256
        assert (seen.input_name, seen.output_name) == ("fake microphone", "fake loudspeaker")
        assert (seen.position_s, seen.length_s) == (0.0, 0.0)
