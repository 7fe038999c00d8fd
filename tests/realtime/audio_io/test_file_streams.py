"""Files as inputs and outputs that behave like devices, and the null output."""

import time
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.audio_io.file_streams import FileInput, FileOutput, NullOutput
from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.start_gate import StartGate
from realtime.dsp.processor import Audio
from tests.helpers.engine_signals import file_input, noise, numbered
from tests.helpers.fake_streams import wait_until
from tests.helpers.queues import filling, opened


def all_is_due() -> float:
    """A clock that makes a file come as fast as it is read."""
    return 1e6


def taken(input_queue: InputQueue, n: int = 1_000) -> Audio:
    out = np.zeros((1, n), np.float32)
    return out[:, : input_queue.ring.read(out)]


def drain(source: FileInput, input_queue: InputQueue) -> Audio:
    """All samples, by a slow reader."""
    parts: list[Audio] = []

    def done() -> bool:
        finished = source.finished
        parts.append(taken(input_queue, 300))
        return finished and not input_queue.ring.available

    wait_until(done, "the end")
    source.stop()
    return np.concatenate(parts, axis=1)


# A file waits where a microphone would lose samples.
@pytest.mark.parametrize(
    ("n", "capacity"), [(1, 22_050), (4_096, 22_050), (4_097, 22_050), (30_000, 5_000)]
)
def test_a_file_is_complete_and_in_order(n, capacity) -> None:
    source, input_queue = file_input(numbered(1, n)), filling(capacity)
    source.start(input_queue, all_is_due)
    np.testing.assert_array_equal(drain(source, input_queue), numbered(1, n))
    assert (input_queue.lost_samples, input_queue.overruns) == (0, 0)
    assert source.position_s == source.length_s


def test_a_file_is_finished_once_all_of_it_is_in_the_ring() -> None:
    """The worker sees the end first, and must then find everything in the ring."""

    class Slow(InputQueue):
        def push(self, x: Audio, *, overflow: bool = False) -> None:
            time.sleep(0.05)
            super().push(x, overflow=overflow)

    source, input_queue = file_input(numbered(1, 100)), Slow(1, 1_000, StartGate(output_runs=True))
    source.start(input_queue, all_is_due)
    wait_until(lambda: source.finished, "the end")
    assert input_queue.ring.available == 100
    source.stop()


def test_time_decides_how_much_has_come() -> None:
    clock = [0.0]
    source, input_queue = file_input(numbered(1, 22_050)), filling()
    source.start(input_queue, lambda: clock[0])
    wait_until(lambda: input_queue.ring.written > 0, "the first samples")
    for seconds in (0.1, 0.25, 0.9):
        clock[0] = seconds
        wait_until(lambda s=seconds: input_queue.ring.written >= 22_050 * s, "what is due")
        # One tick ahead of the time at most.
        assert input_queue.ring.written <= 22_050 * (seconds + 0.003)
    source.stop()


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.5, 11_025), (0.0, 0), (-3.0, 0), (1.0, 22_049), (1e9, 22_049)]
)
def test_seeking_begins_there(seconds, expected) -> None:
    source, input_queue = file_input(numbered(1, 22_050)), filling()
    source.seek(0.9)
    source.seek(seconds)  # the last one counts
    source.start(input_queue, all_is_due)
    y = drain(source, input_queue)[0]
    assert y.size == 22_050 - expected
    # After the fade-out of the old place.
    np.testing.assert_array_equal(y[128:], numbered(1, 22_050)[0, expected + 128 :])


@pytest.mark.parametrize("n", [3, 700])
def test_a_loop_begins_again_at_the_end(n) -> None:
    source, input_queue = file_input(numbered(1, n), loop=True), filling()
    source.start(input_queue, all_is_due)
    parts: list[Audio] = []
    wait_until(lambda: parts.append(taken(input_queue)) or sum(p.shape[1] for p in parts) > 5_000)
    source.stop()
    y = np.concatenate(parts, axis=1)
    np.testing.assert_array_equal(y[0], np.resize(numbered(1, n), y.shape[1]))
    assert not source.finished


def test_stop_is_idempotent_and_allowed_before_the_start() -> None:
    for stream in (file_input(numbered(1, 10)), NullOutput()):
        stream.stop()
        stream.stop()


def fail(*_: object, **__: object) -> Any:
    raise IndexError("first line\nno such sample")


@pytest.mark.parametrize("what", ["reading memory", "null output", "writing {out}"])
def test_a_stream_that_fails_unforeseen_says_so_and_keeps_nothing(tmp_path, what) -> None:
    path = tmp_path / "out.wav"
    stream: Any = NullOutput() if "null" in what else FileOutput(path)
    if "reading" in what:
        stream = file_input(numbered(1, 100))
        stream._next = fail
        stream.start(filling(), all_is_due)
    else:
        broken = opened()
        broken.push(np.zeros((1, 1_000), np.float32))
        broken.pull = fail
        stream.start(broken, 1)
    wait_until(lambda: stream.check() != "", "the error")
    assert not getattr(stream, "finished", False)
    stream.stop()
    assert stream.check() == f"{what.format(out=path)} failed: no such sample"
    assert list(tmp_path.iterdir()) == []


def test_the_null_output_pulls_in_real_time() -> None:
    played = opened()
    played.ring.write(np.ones((1, 90_000), np.float32))
    sink = NullOutput()
    begin = time.perf_counter()
    sink.start(played, 1)
    wait_until(lambda: played.ring.consumed > 8_820, "a fifth of a second")
    sink.stop()
    assert played.ring.consumed <= (time.perf_counter() - begin) * 44_100
    assert played.underruns == 0


def test_a_file_takes_everything_and_appears_at_the_end(tmp_path) -> None:
    played, sink = opened(channels=2), FileOutput(tmp_path / "out.wav")
    sink.start(played, 2)
    x = noise(100_000, 2)
    done = 0
    while done < x.shape[1]:
        done += played.ring.write(x[:, done : done + 20_000])
        assert not (tmp_path / "out.wav").exists()
        time.sleep(0.001)
    sink.stop()
    sink.stop()
    y, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_array_equal(y.T, x)
    assert [p.name for p in tmp_path.iterdir()] == ["out.wav"]
    assert sink.check() == ""


def test_a_file_without_any_input_is_not_kept(tmp_path) -> None:
    played = OutputQueue(1, 1_000, StartGate())
    played.ring.write(np.zeros((1, 500), np.float32))
    sink = FileOutput(tmp_path / "out.wav")
    sink.start(played, 1)
    sink.stop()
    assert list(tmp_path.iterdir()) == []
    assert sink.check() == ""
