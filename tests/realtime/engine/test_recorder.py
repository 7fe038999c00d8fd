"""The recorder: aligned and complete files, also with a slow or full disk."""

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.engine import recorder as module
from realtime.engine.recorder import Recorder
from realtime.engine.tap import Tap
from realtime.errors import AudioFileError
from tests.helpers.fake_streams import wait_until

DELAY = 1537


class Stream:
    """Both taps of an engine that doubles every sample, DELAY samples late."""

    def __init__(self, rng: np.random.Generator, channels: int = 1, seconds: float = 10.0) -> None:
        self.input = Tap(sample_rate=22_050, channels=channels, seconds=seconds)
        self.output = Tap(sample_rate=44_100, channels=channels, seconds=seconds)
        self.rng = rng
        self._late = np.zeros((channels, DELAY), np.float32)

    def push(self, count: int) -> None:
        x = self.rng.uniform(-1, 1, (self.input.channels, count)).astype(np.float32)
        self.input.write(x)
        late = np.concatenate([self._late, np.repeat(x, 2, axis=1)], axis=1)
        self.output.write(late[:, : 2 * count])
        self._late = late[:, 2 * count :]

    def recorder(self, folder: Path) -> Recorder:
        return Recorder(self.input, self.output, delay_samples=DELAY, folder=folder, stem="take")


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("channels", [1, 2])
def test_output_file_belongs_to_input_file_from_the_start_on(tmp_path, rng, channels) -> None:
    stream = Stream(rng, channels)
    stream.push(5_000)
    recorder = stream.recorder(tmp_path)
    recorder.start()
    for _ in range(50):
        stream.push(441)
    done = recorder.stop()
    source, output = read(done.input_path), read(done.output_path)
    # The end of the output is still delayed, so neither file has it; nor what preceded the start.
    assert len(source) == 50 * 441 - (DELAY + 1) // 2
    np.testing.assert_array_equal(output, np.repeat(source, 2, axis=0))
    assert done.seconds == len(source) / 22_050
    assert (done.error, done.lost_samples) == ("", 0)


def test_every_recording_has_its_files_and_stopping_is_idempotent(tmp_path, rng) -> None:
    stream = Stream(rng)
    names = set()
    for started in (True, True, False):
        recorder = stream.recorder(tmp_path)
        if started:
            recorder.start()
        done = recorder.stop()
        assert recorder.stop() == done
        assert (done.seconds, recorder.running) == (0, False)
        names |= {done.input_path.name, done.output_path.name}
    assert len(names) == 6
    assert {path.name for path in tmp_path.iterdir()} == names


def test_slow_disk_leaves_silence_and_keeps_the_alignment(tmp_path, rng, monkeypatch) -> None:
    """It copies once in three seconds; the taps hold half a second."""
    stream = Stream(rng, seconds=0.5)
    monkeypatch.setattr(module, "TICK_S", 60.0)
    recorder = stream.recorder(tmp_path)
    recorder.start()
    for _ in range(150):
        stream.push(441)
    done = recorder.stop()
    source, output = read(done.input_path), read(done.output_path)
    assert done.lost_samples > 0
    assert len(output) == 2 * len(source)
    both = (output[::2] != 0) & (source != 0)
    assert both.any()
    np.testing.assert_array_equal(output[::2][both], source[both])


def test_almost_full_disk_ends_it_with_whole_files(tmp_path, rng, monkeypatch) -> None:
    stream = Stream(rng)
    recorder = stream.recorder(tmp_path)
    monkeypatch.setattr(module, "KEEP_FREE_BYTES", 2**62)
    recorder.start()
    stream.push(5_000)
    wait_until(lambda: not recorder.running)
    done = recorder.stop()
    assert "almost full" in done.error
    assert len(read(done.output_path)) == 2 * len(read(done.input_path)) > 0


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), AssertionError()])
def test_failing_write_is_reported_in_one_line(tmp_path, rng, error, monkeypatch) -> None:
    stream = Stream(rng)
    recorder = stream.recorder(tmp_path)

    def cut_short(*_: object) -> None:
        raise error

    monkeypatch.setattr(soundfile.SoundFile, "write", cut_short)
    recorder.start()
    stream.push(20_000)
    wait_until(lambda: not recorder.running)
    done = recorder.stop()
    assert done.error.startswith("The recording ended: ")
    assert "\n" not in done.error
    assert "recorder" not in {thread.name for thread in threading.enumerate()}


def test_disk_that_hangs_is_not_waited_for_longer_than_the_limit(
    tmp_path, rng, monkeypatch
) -> None:
    stream = Stream(rng)
    recorder = stream.recorder(tmp_path)
    hanging, answer = threading.Event(), threading.Event()

    def hang(end: int) -> None:
        hanging.set()
        answer.wait(10)

    monkeypatch.setattr(recorder._input, "copy_to", hang)
    recorder.start()
    assert hanging.wait(10)
    done = recorder.stop(0.05)
    assert done.error == "The recording may be incomplete: the disk did not answer for 0.05 s."
    answer.set()
    wait_until(lambda: not recorder.running)
    assert recorder.stop().error == ""


def test_folder_that_cannot_be_made_is_refused_and_leaves_nothing(tmp_path, rng) -> None:
    in_the_way = tmp_path / "taken"
    in_the_way.write_text("a file")
    with pytest.raises(AudioFileError, match="cannot record into"):
        Stream(rng).recorder(in_the_way / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
