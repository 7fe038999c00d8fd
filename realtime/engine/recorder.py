"""Records input and output of a running engine as two sample-aligned WAV files.

A thread copies from the taps, which hold ten seconds, so that a slow disk delays no audio. Sample
2n of the output file belongs to sample n of the input file.
"""

import itertools
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime.dsp.processor import Audio
from realtime.engine.tap import Tap
from realtime.errors import AudioFileError
from realtime.guarded_thread import GuardedThread

TICK_S = 0.1
TIMEOUT_S = 10.0
KEEP_FREE_BYTES = 64 * 2**20
"""A recording ends when less is free."""
MAX_BYTES = 4 * 2**30 - 2**20
"""A WAV file counts its bytes in 32 bits."""
CHUNK_SAMPLES = 1 << 16


@dataclass(frozen=True)
class Recording:
    """State of a recording.

    Attributes:
        input_path: the input, at 22.05 kHz.
        output_path: the output, at 44.1 kHz.
        seconds: length of both files.
        lost_samples: samples at 44.1 kHz that the disk was too slow for; silence in the files.
        error: why it ended, in one line; empty while there is no error.
    """

    input_path: Path
    output_path: Path
    seconds: float
    lost_samples: int
    error: str


class Recorder:
    """Records one engine's taps into two files, from the call of :meth:`start` on.

    Args:
        input_tap: at 22.05 kHz.
        output_tap: at 44.1 kHz.
        delay_samples: delay of the output tap, at 44.1 kHz.
        folder: created if it is missing.
        stem: of the file names; a number is added if they are taken.

    Raises:
        AudioFileError: if the files cannot be created; then no file is left.
    """

    def __init__(
        self, input_tap: Tap, output_tap: Tap, *, delay_samples: int, folder: Path, stem: str
    ) -> None:
        input_path, output_path = _free_names(folder, stem)
        self._input = _Track(input_path, input_tap)
        try:
            self._output = _Track(output_path, output_tap)
        except AudioFileError:
            self._input.file.close()
            input_path.unlink(missing_ok=True)
            raise
        self._delay = delay_samples
        self._folder = folder
        # A daemon: a disk that hangs must not keep the program from ending.
        self._thread = GuardedThread(
            self._run, name="topoctave-recorder", what="the recording", daemon=True
        )
        self._error = ""

    def start(self) -> None:
        """Record from the newest input sample on."""
        begin = max(self._input.tap.written, -(self._delay // 2))
        self._input.next_sample = begin
        self._output.next_sample = max(0, 2 * begin + self._delay)
        self._thread.start()

    def finish(self) -> None:
        """Ask the recorder to end, without waiting; then :attr:`running` becomes False."""
        self._thread.stopping.set()

    def stop(self, timeout_s: float = TIMEOUT_S) -> Recording:
        """End both files at the same moment and close them; idempotent.

        The disk has ``timeout_s``; ``error`` says if that was too short.
        """
        self._thread.stop(timeout_s)
        if self.running:
            error = f"The recording may be incomplete: the disk did not answer for {timeout_s:g} s."
            return replace(self.recording(), error=error)
        self._close()
        return self.recording()

    @property
    def running(self) -> bool:
        """Whether the recorder still writes. It ends by itself after an error."""
        return self._thread.running

    def recording(self) -> Recording:
        """The present state; from any thread."""
        return Recording(
            self._input.path,
            self._output.path,
            self._output.frames / self._output.tap.sample_rate,
            self._output.lost + 2 * self._input.lost,
            self._error or self._thread.error,
        )

    def _run(self) -> None:
        try:
            while not self._thread.stopping.wait(TICK_S):
                self._copy()
                if limit := self._disk_limit():
                    self._error = limit
                    break
            else:
                self._copy()
        except (OSError, RuntimeError, AssertionError) as error:
            # soundfile answers a short write with an assertion.
            reason = getattr(error, "strerror", "") or "the disk is full or was removed"
            self._error = f"The recording ended: {reason}. What was recorded before is kept."
        finally:
            self._close()

    def _copy(self) -> None:
        """Copy what both taps have, so that the files stay equally long."""
        end = min(self._input.tap.written, (self._output.tap.written - self._delay) // 2)
        self._input.copy_to(end)
        self._output.copy_to(2 * end + self._delay)

    def _disk_limit(self) -> str:
        if shutil.disk_usage(self._folder).free < KEEP_FREE_BYTES:
            return "The recording ended: the disk is almost full. The files are complete."
        # The output has twice as many frames as the input, of four bytes a channel.
        if self._output.frames * self._output.tap.channels * 4 > MAX_BYTES:
            return "The recording ended: a WAV file holds 4 GB. The files are complete."
        return ""

    def _close(self) -> None:
        for track in (self._input, self._output):
            try:
                track.file.close()
            except (OSError, RuntimeError) as error:
                self._error = self._error or f"The recording may be damaged: {error}"


class _Track:
    """One file and the tap it records."""

    def __init__(self, path: Path, tap: Tap) -> None:
        self.path, self.tap = path, tap
        self.next_sample = 0
        self.frames = 0
        self.lost = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file: Any = soundfile.SoundFile(
                path, "x", tap.sample_rate, tap.channels, "FLOAT", format="WAV"
            )
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", "") or "no permission, or the disk is full"
            raise AudioFileError(f"cannot record into {path.parent}: {reason}") from error

    def copy_to(self, end: int) -> None:
        if end <= self.next_sample:
            return
        samples, first = self.tap.read(self.next_sample)
        while (missing := min(first, end) - self.next_sample) > 0:
            silence = np.zeros((self.tap.channels, min(missing, CHUNK_SAMPLES)), np.float32)
            self._write(silence)
            self.lost += silence.shape[1]
        self._write(samples[:, : max(0, end - first)])

    def _write(self, samples: Audio) -> None:
        self.file.write(samples.T)
        self.frames += samples.shape[1]
        self.next_sample += samples.shape[1]


def _free_names(folder: Path, stem: str) -> tuple[Path, Path]:
    starts = (stem if n == 1 else f"{stem} {n}" for n in itertools.count(1))
    pairs = ((folder / f"{s} input.wav", folder / f"{s} output.wav") for s in starts)
    return next(pair for pair in pairs if not any(name.exists() for name in pair))
