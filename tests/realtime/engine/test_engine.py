"""The engine between fake devices, and between files: in time, to the sample, whatever happens."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
import soundfile

from realtime.audio_io.file_streams import FileInput, FileOutput, NullOutput
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio
from realtime.engine.engine import Engine
from realtime.engine.snapshot import Faults, State
from realtime.errors import AudioFileError, DeviceError
from realtime.files.audio_file import AudioFile
from realtime.files.enhance import render
from tests.helpers.fake_streams import FakeInput, FakeOutput, Rig, wait_until
from tests.helpers.networks import Gate, loaded_chain, smooth

# Rounding of float32 samples up to 1, over sums of a few dozen products.
ROUNDING = 1e-6
# Ends of the process that a test waits for take seconds only on a machine that is busy.
SOON_S = 5.0


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    wait_until(
        lambda: {t for t in threading.enumerate() if t.name.startswith("topoctave")} <= before,
        "that all threads had ended",
    )


def speech(rng: np.random.Generator, n: int, channels: int = 1) -> Audio:
    """Noise with less treble, far from the limits."""
    x = rng.uniform(-0.5, 0.5, (channels, n + 2))
    return (x[:, 2:] + x[:, 1:-1] + x[:, :-2]).astype(np.float32) / 3


def impulse(n: int, at: int, channels: int = 1) -> Audio:
    x = np.zeros((channels, n), np.float32)
    x[:, at] = 0.9
    return x


def loudest(y: Audio) -> int:
    return int(np.abs(y[0]).argmax())


def file_input(x: Audio, **changes: bool) -> FileInput:
    return FileInput("memory", AudioFile(x, 22_050, ""), **changes)


def run_to_file(x: Audio, path: Path, *, paced: bool = False, **lengths: int) -> Engine:
    """A whole signal through an engine into a file."""
    loaded = loaded_chain(smooth, channels=len(x), **lengths)
    engine = Engine(file_input(x), FileOutput(path), loaded, paced=paced)
    engine.start()
    wait_until(lambda: engine.snapshot().state is not State.RUNNING, "the end of the file")
    assert engine.snapshot().state is State.FINISHED
    engine.stop()
    assert engine.snapshot().error == ""
    return engine


def read(path: Path) -> Audio:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 44_100
    return np.ascontiguousarray(samples.T)


# Files


@pytest.mark.parametrize("at", [0, 1, 100, 127, 128, 1_999])
@pytest.mark.parametrize("block_samples", [128, 256, 1_024])
def test_an_impulse_is_as_late_as_the_snapshot_says(
    tmp_path: Path, at: int, block_samples: int
) -> None:
    engine = run_to_file(impulse(2_000, at), tmp_path / "out.wav", block_samples=block_samples)
    latency = engine.snapshot().latency
    assert loudest(read(tmp_path / "out.wav")) == 2 * at + latency.engine
    assert latency.total == latency.engine
    assert latency.block == latency.safety == block_samples
    assert latency.front_end == 46


def test_a_file_through_the_engine_is_what_the_chain_makes_of_it(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    x = speech(rng, 12_345)
    engine = run_to_file(x, tmp_path / "out.wav")
    y = read(tmp_path / "out.wav")
    late = engine.snapshot().latency.engine
    assert y.shape == (1, 2 * x.shape[1] + late)
    assert not y[:, : late - 46 - 300].any()
    expected = render(loaded_chain().chain, x, block_samples=256)
    np.testing.assert_allclose(y[:, late:], expected, rtol=0, atol=ROUNDING)
    assert engine.snapshot().faults == Faults()


@pytest.mark.parametrize("length", [1, 2, 3, 22, 23, 24, 127, 128, 129, 151, 152, 256])
def test_short_files_come_out_whole(tmp_path: Path, rng: np.random.Generator, length: int) -> None:
    x = speech(rng, length)
    engine = run_to_file(x, tmp_path / "out.wav")
    late = engine.snapshot().latency.engine
    y = read(tmp_path / "out.wav")
    assert y.shape == (1, 2 * length + late)
    expected = render(loaded_chain().chain, x, block_samples=256)
    np.testing.assert_allclose(y[:, late:], expected, rtol=0, atol=ROUNDING)
    assert engine.snapshot().seconds == pytest.approx(length / 22_050)


def test_stereo_stays_stereo(tmp_path: Path, rng: np.random.Generator) -> None:
    x = speech(rng, 5_000, channels=2)
    x[1] *= 0.1
    engine = run_to_file(x, tmp_path / "out.wav")
    late = engine.snapshot().latency.engine
    y = read(tmp_path / "out.wav")[:, late:]
    for channel in range(2):
        expected = render(loaded_chain().chain, x[channel : channel + 1], block_samples=256)
        np.testing.assert_allclose(y[channel : channel + 1], expected, rtol=0, atol=ROUNDING)


def test_real_time_gives_the_same_samples(tmp_path: Path, rng: np.random.Generator) -> None:
    x = speech(rng, 11_025)
    begin = time.monotonic()
    engine = run_to_file(x, tmp_path / "out.wav", paced=True)
    assert time.monotonic() - begin > 0.45  # half a second of audio
    late = engine.snapshot().latency.engine
    expected = render(loaded_chain().chain, x, block_samples=256)
    np.testing.assert_allclose(
        read(tmp_path / "out.wav")[:, late:], expected, rtol=0, atol=ROUNDING
    )


def test_a_fast_chain_does_not_outrun_the_disk(tmp_path: Path, rng: np.random.Generator) -> None:
    """Unpaced, seconds are computed while the disk takes a breath: nothing is lost."""

    class SlowDisk(FileOutput):
        def _write(self, file: soundfile.SoundFile, frames: Audio) -> None:
            time.sleep(0.05)
            super()._write(file, frames)

    x = speech(rng, 6 * 22_050)
    engine = Engine(
        file_input(x), SlowDisk(tmp_path / "out.wav"), loaded_chain(lambda w: w), paced=False
    )
    engine.start()
    wait_until(lambda: engine.snapshot().state is State.FINISHED, "the end")
    engine.stop()
    late = engine.snapshot().latency.engine
    y = read(tmp_path / "out.wav")
    assert y.shape[1] == 2 * x.shape[1] + late
    expected = render(loaded_chain(lambda w: w).chain, x, block_samples=256)
    np.testing.assert_allclose(y[:, late:], expected, rtol=0, atol=ROUNDING)


def test_the_end_of_a_file_is_told_after_it_was_played(rng: np.random.Generator) -> None:
    x = speech(rng, 4_410)
    engine = Engine(file_input(x), NullOutput(), loaded_chain())
    engine.start()
    try:
        assert engine.snapshot().state is State.RUNNING
        assert engine.snapshot().length_s == pytest.approx(0.2)
        wait_until(lambda: engine.snapshot().state is State.FINISHED, "the end")
        look = engine.snapshot()
        assert look.position_s == look.length_s == look.seconds == pytest.approx(0.2)
        assert look.error == ""
    finally:
        engine.stop()
    assert engine.snapshot().state is State.STOPPED


def test_a_loop_goes_on(tmp_path: Path, rng: np.random.Generator) -> None:
    x = speech(rng, 1_000)
    engine = Engine(
        file_input(x, loop=True), FileOutput(tmp_path / "out.wav"), loaded_chain(), paced=False
    )
    engine.start()
    wait_until(lambda: engine.snapshot().seconds > 0.5, "the tenth round")
    assert engine.snapshot().state is State.RUNNING
    engine.stop()
    late = engine.snapshot().latency.engine
    y = read(tmp_path / "out.wav")[:, late:]
    rounds = np.tile(x, (1, y.shape[1] // 2_000 + 2))
    expected = render(loaded_chain().chain, rounds, block_samples=256)
    np.testing.assert_allclose(y, expected[:, : y.shape[1]], rtol=0, atol=ROUNDING)


def test_a_loop_of_three_samples_goes_on() -> None:
    engine = Engine(
        file_input(np.ones((1, 3), np.float32), loop=True), NullOutput(), loaded_chain()
    )
    engine.start()
    try:
        wait_until(lambda: engine.snapshot().seconds > 0.1, "a tenth of a second")
        assert engine.snapshot().error == ""
    finally:
        engine.stop()


def test_seeking_goes_there_and_keeps_the_latency(tmp_path: Path) -> None:
    """A staircase says where in the file a sample comes from."""
    steps = np.repeat(np.arange(60) / 100, 2_205).astype(np.float32)[None]
    path = tmp_path / "out.wav"
    engine = Engine(file_input(steps), FileOutput(path), loaded_chain(lambda w: w))
    engine.start()
    wait_until(lambda: engine.snapshot().position_s > 0.15, "the second step")
    engine.seek(5.05)
    wait_until(lambda: engine.snapshot().position_s > 5.0, "the seek")
    wait_until(lambda: engine.snapshot().position_s > 5.35, "some more")
    engine.seek(1e6)
    wait_until(lambda: engine.snapshot().state is State.FINISHED, "the end")
    engine.stop()
    y = np.round(100 * read(path)[0]).astype(int)
    # What lies on a step for long; the fades cross all others in no time.
    steps_heard = {v for v in range(60) if (y == v).sum() > 500}
    assert {0, 1, 50, 51, 52} <= steps_heard
    assert not steps_heard & set(range(20, 50))
    assert engine.snapshot().faults.total == 0


def test_seeking_before_the_start_is_the_start() -> None:
    source = file_input(np.ones((1, 22_050), np.float32))
    engine = Engine(source, NullOutput(), loaded_chain())
    engine.start()
    try:
        wait_until(lambda: engine.snapshot().position_s > 0.1, "a tenth of a second")
        engine.seek(-5.0)
        wait_until(lambda: engine.snapshot().position_s < 0.1, "the start")
    finally:
        engine.stop()


# Devices


def test_jitter_and_bursts_change_nothing(rng: np.random.Generator) -> None:
    """As long as the safety is not used up, nobody hears how the callbacks come."""
    x = speech(rng, 20_000)
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
        look = rig.look
        assert look.faults == Faults()
        y = rig.played
        late = look.latency.engine
        expected = render(loaded_chain().chain, x, block_samples=256)
        inside = min(y.shape[1], expected.shape[1])
        np.testing.assert_allclose(
            y[:, late:inside], expected[:, : inside - late], rtol=0, atol=ROUNDING
        )
        assert not y[:, : late - 346].any()


@pytest.mark.parametrize("at", [0, 1, 300, 1_234])
def test_an_impulse_through_devices_is_as_late_as_the_snapshot_says(at: int) -> None:
    with Rig(loaded_chain()) as rig:
        rig.run(impulse(4_000, at))
        assert loudest(rig.played) == 2 * at + rig.look.latency.engine


def test_what_a_block_needs_is_there_in_time_without_any_safety(rng: np.random.Generator) -> None:
    """The block part of the latency is enough where nothing takes time."""
    x = speech(rng, 6_000)
    with Rig(loaded_chain(), prefill_samples=0) as rig:
        rig.run(x, step=16)
        assert rig.look.faults == Faults()


@pytest.mark.parametrize(
    ("block", "period_s", "safety"),
    [
        (512, 0.0, 512),  # files and what has no lumps
        (512, 0.005, 662),  # 15 ms
        (128, 0.005, 662),
        (512, 0.02, 1_323),
        (1_024, 0.005, 1_024),
    ],
)
def test_a_device_that_takes_lumps_has_them_and_some_more_in_store(
    block: int, period_s: float, safety: int
) -> None:
    sink = FakeOutput()
    sink.period_s = period_s
    with Rig(loaded_chain(block_samples=block), sink=sink) as rig:
        assert rig.look.latency.safety == safety
        x = impulse(4_000 // rig.block * rig.block, 700)
        rig.run(x)
        assert loudest(rig.played) == 1_400 + rig.look.latency.engine
        assert rig.look.faults == Faults()


def test_a_slow_network_is_heard_counted_and_forgotten(rng: np.random.Generator) -> None:
    """After the jam the latency is what it was, to the sample."""
    gate = Gate()
    rig = Rig(loaded_chain(gate))
    late = rig.look.latency.engine
    with rig:
        rig.run(impulse(4_000, 500))
        assert rig.look.faults == Faults()
        assert loudest(rig.played) == 1_000 + late
        gate.open.clear()
        for _ in range(40):
            rig.source.push(speech(rng, 100))
            rig.sink.pull(200)
        jammed = rig.look.faults
        assert jammed.ring_underrun == 1
        gate.open.set()
        rig.settle()
        rig.run(np.zeros((1, 4_000), np.float32))
        faults = rig.look.faults
        # Whole blocks of the oldest input were dropped, and no more than were late.
        assert faults.ring_overrun > 0
        assert faults.dropped_samples == faults.ring_overrun * rig.block
        assert faults.dropped_samples <= 4_000
        begin_in, begin_out = rig.source.pushed, rig.played.shape[1]
        assert begin_out == 2 * begin_in
        rig.run(impulse(4_000, 700))
        assert rig.look.faults == faults
        assert loudest(rig.played[:, begin_out:]) == 2 * 700 + late
        assert rig.look.latency.engine == late
        assert rig.look.state is State.RUNNING


def test_every_jam_ends_at_the_base_latency(rng: np.random.Generator) -> None:
    """It never ratchets: jams of many lengths, and an impulse after each."""
    gate = Gate()
    rig = Rig(loaded_chain(gate))
    late = rig.look.latency.engine
    with rig:
        rig.run(np.zeros((1, 1_000), np.float32))
        for length in (1, 5, 17, 33):
            gate.open.clear()
            for _ in range(length):
                n = int(rng.integers(1, 200))
                rig.source.push(np.zeros((1, n), np.float32))
                rig.sink.pull(2 * n)
            gate.open.set()
            rig.settle()
            rig.run(np.zeros((1, 1_500), np.float32))
            before = rig.played.shape[1]
            assert before == 2 * rig.source.pushed
            rig.run(impulse(2_000, 300))
            assert loudest(rig.played[:, before:]) == 600 + late


def test_an_underrun_fades_out_and_in() -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        rig.run(np.full((1, 4_000), 0.5, np.float32))
        gate.open.clear()
        for _ in range(30):
            rig.source.push(np.full((1, 100), 0.5, np.float32))
            rig.sink.pull(200)
        gate.open.set()
        rig.settle()
        rig.run(np.full((1, 4_000), 0.5, np.float32))
        y = rig.played[0, 3_000:]
        assert rig.look.faults.ring_underrun > 0
        assert np.abs(y).min() == 0.0
        # Two fades of 64 samples at once, at most.
        assert np.abs(np.diff(y)).max() <= 2 * 0.5 / 63 + 1e-3


def test_input_that_does_not_fit_is_counted_and_made_up_for(rng: np.random.Generator) -> None:
    gate = Gate()
    rig = Rig(loaded_chain(gate))
    late = rig.look.latency.engine
    with rig:
        rig.run(np.zeros((1, 1_000), np.float32))
        gate.open.clear()
        # The first block gets stuck in the network; then the ring of a second runs over.
        for _ in range(150):
            rig.source.push(np.zeros((1, 200), np.float32))
            rig.sink.pull(400)
        gate.open.set()
        wait_until(lambda: rig.look.faults.dropped_samples > 0, "that something was dropped")
        time.sleep(0.05)
        for _ in range(40):
            rig.source.push(np.zeros((1, 128), np.float32))
            time.sleep(0.002)
            rig.sink.pull(256)
        faults = rig.look.faults
        assert faults.ring_overrun > 0
        assert faults.dropped_samples > 150 * 200 - 22_050 - 1_000
        time.sleep(0.05)
        before = rig.played.shape[1]
        for start in range(0, 4_000, 100):
            rig.source.push(impulse(4_000, 500)[:, start : start + 100])
            time.sleep(0.004)
            rig.sink.pull(200)
        assert loudest(rig.played[:, before:]) == 1_000 + late


def test_the_devices_own_faults_are_counted_apart() -> None:
    with Rig(loaded_chain()) as rig:
        rig.run(np.zeros((1, 1_000), np.float32))
        rig.source.push(np.zeros((1, 10), np.float32), overflow=True)
        rig.sink.pull(10, underflow=True)
        rig.sink.pull(10, underflow=True)
        faults = rig.look.faults
        assert (faults.input_overflow, faults.output_underflow) == (1, 2)
        assert (faults.ring_overrun, faults.ring_underrun) == (0, 0)
        assert faults.total == 3
        rig.engine.reset_counters()
        assert rig.look.faults == Faults()
        assert rig.look.timing.blocks == 0
        rig.sink.pull(10, underflow=True)
        assert rig.look.faults == Faults(output_underflow=1)


def test_samples_that_are_not_finite_are_silence_and_counted(rng: np.random.Generator) -> None:
    x = speech(rng, 4_000)
    dirty = x.copy()
    x[0, 1_000:1_010] = 0.0
    dirty[0, 1_000:1_010] = [np.nan, np.inf, -np.inf, np.nan, np.inf] * 2
    with Rig(loaded_chain()) as clean, Rig(loaded_chain()) as rig:
        rig.run(dirty)
        clean.run(x)
        assert rig.look.faults.bad_samples == 10
        assert rig.look.faults.total == 0
        np.testing.assert_array_equal(rig.played, clean.played)
        assert rig.look.state is State.RUNNING


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (RuntimeError("first line\n\nthe network is tired"), "the network is tired"),
        (MemoryError(), "MemoryError"),
        (ValueError("   \n"), "ValueError"),
    ],
)
def test_a_network_that_fails_is_told_in_one_line(
    rng: np.random.Generator, failure: Exception, told: str
) -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        rig.run(speech(rng, 2_000))
        gate.failure = failure
        rig.source.push(speech(rng, 2_000))
        wait_until(lambda: rig.look.state is State.FAILED, "that it failed")
        assert told in rig.look.error
        assert "\n" not in rig.look.error
        for _ in range(20):
            rig.sink.pull(1_000)
        assert not rig.sink.pull(1_000).any()
        assert rig.look.faults.ring_underrun == 0
    assert rig.look.state is State.FAILED


def test_a_network_that_returns_no_numbers_is_told_and_not_played(
    rng: np.random.Generator,
) -> None:
    def broken(x: Audio) -> Audio:
        return np.where(np.abs(x) > 0.7, np.float32(np.nan), x).astype(np.float32)

    with Rig(loaded_chain(broken)) as rig:
        rig.run(speech(rng, 2_000))
        rig.source.push(impulse(2_000, 500))
        wait_until(lambda: rig.look.state is State.FAILED, "that it failed")
        assert "network" in rig.look.error
        rig.sink.pull(20_000)
        assert np.isfinite(rig.played).all()


@contextmanager
def waiting_output(rig: Rig) -> Iterator[None]:
    """A loudspeaker that waits for a late block; inside, something ends that."""
    assert rig.sink.output_queue is not None
    there = rig.sink.output_queue.ring.available
    pulling = threading.Thread(target=rig.sink.pull, args=(there + 100,), kwargs={"spare_s": 60.0})
    pulling.start()
    time.sleep(0.005)
    assert pulling.is_alive()
    yield
    pulling.join(SOON_S)
    assert not pulling.is_alive()


def test_a_late_block_is_no_fault_where_the_device_can_wait(rng: np.random.Generator) -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        x = speech(rng, 20 * rig.block)
        rig.run(x[:, : 10 * rig.block])
        gate.open.clear()
        rig.source.push(x[:, 10 * rig.block : 11 * rig.block])
        with waiting_output(rig):
            gate.open.set()
        assert rig.look.faults == Faults(late_blocks=1)
        rig.run(x[:, 11 * rig.block :])
        assert rig.look.faults == Faults(late_blocks=1)
        rig.engine.reset_counters()
        assert rig.look.faults == Faults()


def test_no_device_waits_for_an_engine_that_stops(rng: np.random.Generator) -> None:
    with Rig(loaded_chain()) as rig:
        rig.run(speech(rng, 4 * rig.block))
        with waiting_output(rig):
            rig.engine.stop()
        assert rig.look.faults == Faults()


def test_no_device_waits_for_a_network_that_failed(rng: np.random.Generator) -> None:
    gate = Gate()
    with Rig(loaded_chain(gate)) as rig:
        rig.run(speech(rng, 4 * rig.block))
        gate.open.clear()
        gate.failure = RuntimeError("the network is tired")
        rig.source.push(speech(rng, rig.block))
        with waiting_output(rig):
            gate.open.set()
        assert rig.look.state is State.FAILED


def test_a_file_that_fails_unforeseen_ends_the_session(rng: np.random.Generator) -> None:
    class Broken(FileInput):
        def _next(self, n: int) -> Audio:
            raise IndexError("no such sample")

    source = Broken("memory", AudioFile(speech(rng, 1_000), 22_050, ""))
    engine = Engine(source, NullOutput(), loaded_chain())
    engine.start()
    wait_until(lambda: engine.snapshot().state is State.FAILED, "that it failed")
    engine.stop()
    assert engine.snapshot().error == "reading memory failed: no such sample"


@pytest.mark.parametrize("side", ["source", "sink"])
def test_a_device_that_goes_away_is_still_told_after_the_stop(side: str) -> None:
    """A closed device knows nothing any more; the engine has to remember."""
    rig = Rig(loaded_chain())
    rig.engine.start()
    rig.run(np.zeros((1, 500), np.float32))
    getattr(rig, side).unplug()
    assert rig.look.state is State.FAILED
    assert "went away" in rig.look.error
    rig.engine.stop()
    assert rig.look.state is State.FAILED
    assert "went away" in rig.look.error


def test_stop_is_quick_idempotent_and_stops_everything(rng: np.random.Generator) -> None:
    switch_interval = sys.getswitchinterval()
    rig = Rig(loaded_chain())
    rig.engine.start()
    rig.run(speech(rng, 1_000))
    begin = time.monotonic()
    rig.engine.stop()
    assert time.monotonic() - begin < SOON_S
    assert rig.look.state is State.STOPPED
    rig.engine.stop()
    assert rig.source.stops == rig.sink.stops == 1
    assert sys.getswitchinterval() == switch_interval
    assert not [t for t in threading.enumerate() if t.name.startswith("topoctave")]


def test_an_engine_that_never_ran_can_be_stopped() -> None:
    rig = Rig(loaded_chain())
    assert rig.look.state is State.READY
    rig.engine.stop()
    assert rig.look.state is State.STOPPED
    assert rig.source.stops == rig.sink.stops == 1


def test_an_engine_runs_once() -> None:
    rig = Rig(loaded_chain())
    with rig, pytest.raises(RuntimeError, match="runs once"):
        rig.engine.start()
    with pytest.raises(RuntimeError, match="runs once"):
        rig.engine.start()


@pytest.mark.parametrize("side", ["source", "sink"])
def test_a_device_that_refuses_to_start_leaves_nothing_running(side: str) -> None:
    switch_interval = sys.getswitchinterval()
    rig = Rig(loaded_chain())
    getattr(rig, side).refuse = DeviceError("it is busy")
    with pytest.raises(DeviceError, match="it is busy"):
        rig.engine.start()
    assert rig.source.stops == rig.sink.stops == 1
    assert sys.getswitchinterval() == switch_interval
    assert rig.look.state is State.STOPPED


def test_an_input_that_refuses_leaves_no_file(tmp_path: Path) -> None:
    source = FakeInput()
    source.refuse = DeviceError("it is busy")
    engine = Engine(source, FileOutput(tmp_path / "out.wav"), loaded_chain())
    with pytest.raises(DeviceError):
        engine.start()
    assert list(tmp_path.iterdir()) == []


def test_only_files_can_be_faster_than_real_time() -> None:
    with pytest.raises(ValueError, match="faster"):
        Engine(FakeInput(), FakeOutput(), loaded_chain(), paced=False)


@pytest.mark.parametrize(("rate_in", "rate_out"), [(48_000, 48_000), (44_100, 96_000)])
def test_devices_of_other_rates_stay_in_time(rate_in: int, rate_out: int) -> None:
    rig = Rig(
        loaded_chain(),
        source=FakeInput(sample_rate_hz=rate_in),
        sink=FakeOutput(sample_rate_hz=rate_out),
    )
    look = rig.look
    assert (look.input_rate_hz, look.output_rate_hz) == (rate_in, rate_out)
    assert look.latency.device_in > 0
    assert look.latency.device_out > 0
    at_s = 0.1
    with rig:
        for i in range(40):
            part = np.zeros((1, rate_in // 100), np.float32)
            if i == round(at_s * 100):
                part[0, 0] = 0.9
            rig.source.push(part)
            # All whole blocks of what the converter has let go.
            due = (i + 1) * 220.5 - look.latency.device_in / 2 - rig.block - 3
            wait_until(lambda due=due: rig.engine.input_tap.written >= due, "the blocks")
            time.sleep(0.003)
            rig.sink.pull(rate_out // 100)
        assert rig.look.faults.total == 0
        at = loudest(rig.played) / rate_out
        # A converter's peak lies between samples.
        assert at == pytest.approx(at_s + look.latency.total / 44_100, abs=3 / 44_100)


def test_taps_belong_together(rng: np.random.Generator) -> None:
    """Output tap sample j is input tap sample (j - tap_delay_samples) / 2."""
    x = impulse(3_000, 777)
    with Rig(loaded_chain()) as rig:
        rig.run(x)
        given, first = rig.engine.input_tap.read(0)
        made, _ = rig.engine.output_tap.read(0)
        assert first == 0
        np.testing.assert_array_equal(given, x[:, : given.shape[1]])
        assert loudest(made) == 2 * loudest(given) + rig.engine.tap_delay_samples
        assert (rig.engine.input_tap.sample_rate, rig.engine.output_tap.sample_rate) == (
            22_050,
            44_100,
        )


def test_taps_and_meters_are_behind_the_gains(rng: np.random.Generator) -> None:
    loaded = loaded_chain(
        lambda w: w, parameters=Parameters(input_gain_db=-20.0, output_gain_db=-20.0)
    )
    x = np.full((1, 4_000), 0.5, np.float32)
    with Rig(loaded) as rig:
        rig.run(x)
        # Settling took snapshots, and with them the peaks.
        rig.source.push(x[:, : 2 * rig.block])
        wait_until(lambda: rig.engine.output_tap.written > 8_000, "another block")
        look = rig.look
        assert look.input_level.peak_db == pytest.approx(-26.02, abs=0.1)
        assert look.input_level.rms_db == pytest.approx(-26.02, abs=0.1)
        # kaiser_fast overshoots the edge of the constant by a decibel or so.
        assert look.output_level.rms_db == pytest.approx(-46.02, abs=0.1)
        assert -46.1 < look.output_level.peak_db < -44
        given, _ = rig.engine.input_tap.read(3_000)
        np.testing.assert_allclose(given, 0.05, rtol=0, atol=ROUNDING)


def test_every_reader_sees_a_peak_while_it_is_recent() -> None:
    """A snapshot takes nothing from the next one: a meter and a log may both look."""
    with Rig(loaded_chain()) as rig:
        rig.source.push(impulse(2_000, 500))
        wait_until(lambda: rig.engine.output_tap.written > 3_500, "all blocks")
        for _ in range(2):
            assert rig.look.input_level.peak_db == pytest.approx(-0.915, abs=0.01)
        rig.source.push(np.zeros((1, 4_000), np.float32))
        wait_until(lambda: rig.engine.output_tap.written > 11_000, "some more blocks")
        assert rig.look.input_level.peak_db == -np.inf


def test_counters_can_be_reset_at_any_moment_of_a_block() -> None:
    """Between any two steps of the interpreter, as another thread may."""
    rig = Rig(loaded_chain())
    worker = rig.engine._worker
    for at in range(400):
        rig.engine.reset_counters()
        for _ in range(3):
            worker.times.add(1e-3)
        times, steps = worker.times, iter(range(at))

        def step(frame: FrameType, event: str, _: object, left: Iterator[int] = steps) -> object:
            frame.f_trace_opcodes = True
            if event == "opcode" and next(left, None) is None:
                sys.settrace(None)
                rig.engine.reset_counters()
                return None
            return step

        sys.settrace(step)
        times.add(1e-3)
        sys.settrace(None)
        timing = rig.look.timing
        assert timing.blocks == rig.look.recent.blocks
        assert timing.blocks in (0, 1, 4)
    rig.engine.stop()


def test_parameters_reach_the_sound(rng: np.random.Generator) -> None:
    x = speech(rng, 3_000)
    with Rig(loaded_chain()) as rig, Rig(loaded_chain()) as other:
        for each in (rig, other):
            each.run(x)
        rig.engine.parameters = Parameters(bypass=True)
        assert rig.engine.parameters.bypass
        rig.run(x)
        other.run(x)
        late = rig.look.latency.engine
        before = slice(0, 6_000)
        np.testing.assert_array_equal(rig.played[:, before], other.played[:, before])
        assert np.abs(rig.played - other.played)[:, 6_000 + late :].max() > 0.01


def test_a_snapshot_is_cheap_and_never_in_the_way(rng: np.random.Generator) -> None:
    with Rig(loaded_chain()) as rig:
        rig.run(speech(rng, 3_000))
        took = []
        for _ in range(200):
            begin = time.perf_counter()
            rig.engine.snapshot()
            took.append(time.perf_counter() - begin)
        # The design says well under a millisecond; the best of many, for a machine that is busy.
        assert min(took) < 0.001


def test_counts_and_times_of_a_run_are_told(rng: np.random.Generator) -> None:
    with Rig(loaded_chain()) as rig:
        rig.run(speech(rng, 4_000))
        look = rig.look
        assert look.timing.blocks == 4_000 // 128
        assert look.recent.blocks == look.timing.blocks
        assert 0 < look.timing.ratio_min <= look.timing.ratio_p01 <= look.timing.ratio_median
        assert look.seconds == pytest.approx(128 * look.timing.blocks / 22_050)
        assert (look.model, look.compute, look.threads, look.block_samples) == (
            "test",
            "cpu",
            1,
            256,
        )
        assert (look.input_name, look.output_name) == ("fake microphone", "fake loudspeaker")
        assert (look.position_s, look.length_s) == (0.0, 0.0)


def test_a_snapshot_before_the_first_block_is_empty() -> None:
    look = Rig(loaded_chain()).look
    assert look.state is State.READY
    assert look.seconds == 0.0
    assert look.timing.blocks == 0
    assert look.input_level.rms_db == -np.inf


def test_a_file_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = FileOutput(folder / "out.wav")
    folder.rmdir()
    engine = Engine(file_input(np.ones((1, 100), np.float32)), sink, loaded_chain())
    with pytest.raises(AudioFileError, match="folder"):
        engine.start()
