"""The engine between files: the latency is exact to the sample."""

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.audio_io.file_streams import FileOutput, NullOutput
from realtime.dsp.processor import Audio
from realtime.engine.engine import Engine
from realtime.engine.snapshot import Faults, State
from realtime.errors import AudioFileError
from realtime.files.enhance import render
from realtime.sample_rates import SAMPLE_RATE_IN
from tests.helpers.engine_signals import file_input, impulse, loudest, noise
from tests.helpers.fake_streams import hurry, wait_until
from tests.helpers.networks import loaded_chain, smooth

# Rounding of float32 samples up to 1, over sums of a few dozen products.
ROUNDING = 1e-6


def run_to_file(x: Audio, path: Path, *, paced: bool = False, **lengths: int) -> Engine:
    """A whole signal through an engine into a file."""
    loaded = loaded_chain(smooth, channels=len(x), **lengths)
    engine = Engine(file_input(x), FileOutput(path), loaded)
    if not paced:
        hurry(engine)
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


@pytest.mark.parametrize("at", [0, 1, 127, 1_999])
@pytest.mark.parametrize("block_samples", [128, 1_024])
def test_an_impulse_has_the_latency_of_the_snapshot(
    tmp_path: Path, at: int, block_samples: int
) -> None:
    engine = run_to_file(impulse(2_000, at), tmp_path / "out.wav", block_samples=block_samples)
    latency = engine.snapshot().latency
    assert loudest(read(tmp_path / "out.wav")) == 2 * at + latency.engine
    assert latency.total == latency.engine
    assert latency.block == latency.safety == block_samples
    assert latency.front_end == 46


def assert_late_but_equal(engine: Engine, path: Path, x: Audio) -> None:
    """A file is the chain's output, silence in front, with no fault."""
    y = read(path)
    late = engine.snapshot().latency.engine
    assert y.shape == (len(x), 2 * x.shape[1] + late)
    # 300 samples: how far the network and its windows reach before a sound.
    assert not y[:, : late - 46 - 300].any()
    expected = render(loaded_chain(channels=len(x)).chain, x, block_samples=256)
    np.testing.assert_allclose(y[:, late:], expected, rtol=0, atol=ROUNDING)
    assert engine.snapshot().faults == Faults()
    assert engine.snapshot().seconds == pytest.approx(x.shape[1] / SAMPLE_RATE_IN)


@pytest.mark.parametrize(
    ("length", "channels"),
    [(1, 1), (2, 2), (23, 1), (24, 1), (127, 1), (128, 1), (129, 1), (151, 1), (12_345, 2)],
)
def test_a_file_through_the_engine_equals_the_chain_s_output(
    tmp_path: Path, length: int, channels: int
) -> None:
    x = noise(length, channels)
    x[1:] *= 0.1
    assert_late_but_equal(run_to_file(x, tmp_path / "out.wav"), tmp_path / "out.wav", x)


def test_real_time_gives_the_same_samples(tmp_path: Path) -> None:
    x = noise(11_025)
    begin = time.monotonic()
    engine = run_to_file(x, tmp_path / "out.wav", paced=True)
    assert time.monotonic() - begin > 0.45  # half a second of audio
    assert_late_but_equal(engine, tmp_path / "out.wav", x)


def test_a_fast_chain_does_not_outrun_the_disk(tmp_path: Path) -> None:
    """In a hurry, seconds are computed while the disk pauses: nothing is lost."""

    class SlowDisk(FileOutput):
        def _write(self, file: soundfile.SoundFile, frames: Audio) -> None:
            time.sleep(0.05)
            super()._write(file, frames)

    x = noise(3 * 22_050)
    engine = Engine(file_input(x), SlowDisk(tmp_path / "out.wav"), loaded_chain())
    hurry(engine)
    engine.start()
    wait_until(lambda: engine.snapshot().state is State.FINISHED, "the end")
    engine.stop()
    assert_late_but_equal(engine, tmp_path / "out.wav", x)


def test_a_file_has_finished_once_it_was_played() -> None:
    x = noise(4_410)
    engine = Engine(file_input(x), NullOutput(), loaded_chain())
    engine.start()
    try:
        assert engine.snapshot().state is State.RUNNING
        assert engine.snapshot().length_s == pytest.approx(0.2)
        wait_until(lambda: engine.snapshot().state is State.FINISHED, "the end")
        seen = engine.snapshot()
        assert seen.position_s == seen.length_s == pytest.approx(0.2)
        # A busy machine may drop blocks of a paced file; it counts them.
        dropped_s = seen.faults.dropped_samples / SAMPLE_RATE_IN
        assert seen.seconds + dropped_s == pytest.approx(seen.length_s)
        assert seen.error == ""
    finally:
        engine.stop()
    assert engine.snapshot().state is State.STOPPED


def test_seeking_keeps_the_latency(tmp_path: Path) -> None:
    """The steps of a staircase show where in the file a sample comes from."""
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
    # Steps that last; the fades cross all others quickly.
    steps_played = {v for v in range(60) if (y == v).sum() > 500}
    assert {0, 1, 50, 51, 52} <= steps_played
    assert not steps_played & set(range(20, 50))
    assert engine.snapshot().faults.total == 0


def test_a_file_that_cannot_be_created_is_an_error_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = FileOutput(folder / "out.wav")
    folder.rmdir()
    engine = Engine(file_input(np.ones((1, 100), np.float32)), sink, loaded_chain())
    with pytest.raises(AudioFileError, match="folder"):
        engine.start()
