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
from tests.helpers.engine_signals import ROUNDING, file_input, noise
from tests.helpers.fake_streams import hurry, take_no_time, wait_until
from tests.helpers.networks import loaded_chain


def run_to_file(
    x: Audio,
    path: Path,
    *,
    paced: bool = False,
    block_samples: int = 256,
    output: type[FileOutput] = FileOutput,
) -> Engine:
    """A whole signal through an engine into a file."""
    loaded = loaded_chain(channels=len(x), block_samples=block_samples)
    engine = Engine(file_input(x), output(path), loaded)
    if paced:
        take_no_time(loaded.chain)
    else:
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


def assert_late_but_equal(engine: Engine, path: Path, x: Audio) -> None:
    """A file is the chain's output, silence in front, with no fault."""
    y = read(path)
    seen = engine.snapshot()
    late, block = seen.latency.engine, seen.block_samples
    assert (seen.latency.total, seen.latency.front_end) == (late, 46)
    assert seen.latency.block == seen.latency.safety == block
    assert y.shape == (len(x), 2 * x.shape[1] + late)
    # 300 samples: how far the network and its windows reach before a sound.
    assert not y[:, : late - 46 - 300].any()
    chain = loaded_chain(channels=len(x), block_samples=block).chain
    expected = render(chain, x, block_samples=block)
    np.testing.assert_allclose(y[:, late:], expected, rtol=0, atol=ROUNDING)
    assert seen.faults == Faults()
    assert seen.seconds == pytest.approx(x.shape[1] / SAMPLE_RATE_IN)


@pytest.mark.parametrize(
    ("length", "channels", "block_samples"),
    [
        (1, 1, 256),
        (2, 2, 256),
        (23, 1, 128),
        (24, 1, 1_024),
        (127, 1, 256),
        (128, 1, 256),
        (129, 1, 256),
        (151, 1, 256),
        (2_001, 1, 128),
        (12_345, 2, 1_024),
    ],
)
def test_a_file_through_the_engine_equals_the_chain_s_output(
    tmp_path: Path, length: int, channels: int, block_samples: int
) -> None:
    x = noise(length, channels)
    engine = run_to_file(x, tmp_path / "out.wav", block_samples=block_samples)
    assert_late_but_equal(engine, tmp_path / "out.wav", x)


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
    engine = run_to_file(x, tmp_path / "out.wav", output=SlowDisk)
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
