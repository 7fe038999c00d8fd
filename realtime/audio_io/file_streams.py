"""Files as inputs and outputs that behave like devices, and an output that plays nothing."""

import contextlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.dsp.crossfade import crossfade
from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError
from realtime.files.audio_file import AudioFile, check_output, open_output, write_frames
from realtime.guarded_thread import GuardedThread
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# The threads of this module look this often whether samples are due.
TICK_S = 0.003
MAX_PUSH_SAMPLES = 4096
SEEK_FADE_SAMPLES = 128
PULL_SAMPLES = 8192
NULL_BLOCK_SAMPLES = 256


class _ThreadStream:
    """A stream whose thread does all its work."""

    latency_s = 0.0

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        self._thread = GuardedThread(self._run, name=f"topoctave {what}", what=what)

    def _run(self, *arguments: Any) -> None:
        raise NotImplementedError

    def start(self, *arguments: Any) -> None:
        """Begin to push or pull."""
        self._thread.start(*arguments)

    def check(self) -> str:
        """Empty, or one line: why the thread ended."""
        return self._thread.error

    def stop(self) -> None:
        """End; idempotent."""
        self._thread.stop()


class FileInput(_ThreadStream):
    """Audio in memory, pushed in real time, once or in a loop."""

    sample_rate_hz = SAMPLE_RATE_IN

    def __init__(self, name: str, audio: AudioFile, *, loop: bool = False) -> None:
        super().__init__(name, f"reading {name}")
        self._samples = audio.samples
        self.channels = len(audio.samples)
        self.length_s = audio.samples.shape[1] / SAMPLE_RATE_IN
        self._loop = loop
        self._position = 0
        # The newest position that another thread asked for; both sides are atomic.
        self._seek_to: deque[int] = deque(maxlen=1)
        self.finished = False

    @property
    def position_s(self) -> float:
        """Position of the newest sample that was pushed."""
        return self._position / SAMPLE_RATE_IN

    def seek(self, seconds: float) -> None:
        """Continue from this position, at once."""
        last = self._samples.shape[1] - 1
        self._seek_to.append(min(max(round(seconds * SAMPLE_RATE_IN), 0), last))

    def _run(self, input_queue: InputQueue, elapsed: Callable[[], float]) -> None:
        pushed = 0
        while not self._thread.stopping.is_set() and not self.finished:
            # One tick ahead, so that samples are there when they are due.
            due = int((elapsed() + TICK_S) * SAMPLE_RATE_IN) - pushed
            # A microphone would lose what does not fit; a file can wait.
            due = min(due, input_queue.ring.free, MAX_PUSH_SAMPLES)
            if due <= 0:
                self._thread.stopping.wait(TICK_S)
                continue
            block = self._next(due)
            input_queue.push(block)
            pushed += block.shape[1]
            # Only now: the worker sees the end, and then finds everything in the ring.
            self.finished = self._position >= self._samples.shape[1]

    def _next(self, n: int) -> Audio:
        target = self._seek_to.pop() if self._seek_to else None
        block = self._cut(n)
        if target is not None:
            # Crossfade from the old position to the new one.
            self._position = target
            block = crossfade(block, self._cut(n), SEEK_FADE_SAMPLES)
        if self._loop and self._position >= self._samples.shape[1]:
            self._position = 0
        return block

    def _cut(self, n: int) -> Audio:
        block = self._samples[:, self._position : self._position + n]
        self._position += block.shape[1]
        return block


class NullOutput(_ThreadStream):
    """Takes samples at exactly 44.1 kHz by the system's clock, and plays them nowhere."""

    sample_rate_hz = SAMPLE_RATE_OUT
    period_s = reserve_s = 0.0
    clocked = True

    def __init__(self) -> None:
        super().__init__("null", "null output")

    def _run(self, output_queue: OutputQueue, channels: int) -> None:
        block = np.zeros((channels, NULL_BLOCK_SAMPLES), np.float32)
        begin, pulled = time.perf_counter(), 0
        while not self._thread.stopping.is_set():
            due = int((time.perf_counter() - begin) * SAMPLE_RATE_OUT)
            while pulled + NULL_BLOCK_SAMPLES <= due:
                output_queue.pull(block)
                pulled += NULL_BLOCK_SAMPLES
            self._thread.stopping.wait(TICK_S)


class FileOutput(_ThreadStream):
    """Writes the output to a file, which appears under its name once it is complete.

    If it cannot be completed, or there was no input at all, no file is left. A file cannot run dry,
    so nothing is missing in it; the null output counts how often a device would have run dry.

    Args:
        path: ``.wav`` (32-bit float) or ``.flac`` (24 bit).

    Raises:
        AudioFileError: if the folder is missing or the name has another suffix.
    """

    sample_rate_hz = SAMPLE_RATE_OUT
    period_s = reserve_s = 0.0
    clocked = False

    def __init__(self, path: Path) -> None:
        check_output(path)
        super().__init__(str(path), f"writing {path}")
        self._path = path
        self._error = ""
        self._output_queue: OutputQueue | None = None
        self._exit = contextlib.ExitStack()

    def start(self, output_queue: OutputQueue, channels: int) -> None:
        """Begin to pull."""
        self._output_queue = output_queue
        file = self._exit.enter_context(open_output(self._path, channels=channels))
        self._thread.start(output_queue, channels, file)

    def check(self) -> str:
        """Empty, or one line: why the file is not written."""
        return self._error or super().check()

    def _run(self, output_queue: OutputQueue, channels: int, file: soundfile.SoundFile) -> None:
        buffer = np.zeros((channels, PULL_SAMPLES), np.float32)
        while True:
            stopping = self._thread.stopping.is_set()
            # Never more than there is: a file cannot run dry.
            while count := min(output_queue.playable, PULL_SAMPLES):
                output_queue.pull(buffer[:, :count])
                try:
                    if not self._error:
                        write_frames(file, buffer[:, :count].T)
                except OSError:
                    self._error = (
                        f"cannot write {self._path}: the disk is full, or the file went away"
                    )
            if stopping:
                return
            self._thread.stopping.wait(TICK_S)

    def stop(self) -> None:
        """Write the rest and finish the file; idempotent."""
        super().stop()
        begun = self._output_queue is None or self._output_queue.gate.input_runs
        try:
            if (error := self.check()) or not begun:
                unfinished = AudioFileError(error)
                self._exit.__exit__(AudioFileError, unfinished, None)
            else:
                self._exit.close()
        except AudioFileError as error:
            self._error = self.check() or str(error)
