"""Records input and output of a running engine as two sample-aligned WAV files.

A thread of its own copies from the taps, which hold ten seconds: a slow disk delays nobody. Sample
2n of the output file belongs to sample n of the input file.
"""

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile

from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError

TICK_S = 0.1
KEEP_FREE_BYTES = 64 * 2**20
"""A recording ends here, whole, rather than fill the disk to the last byte."""
LONGEST_BYTES = 4 * 2**30 - 2**20
"""A WAV file counts its bytes in 32 bits."""
CHUNK_SAMPLES = 1 << 16


class TapLike(Protocol):
    """What is needed of ``realtime.engine.tap.Tap``."""

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def channels(self) -> int:
        """Rows."""

    @property
    def written(self) -> int:
        """Samples so far."""

    def read(self, since: int) -> tuple[Audio, int]:
        """Everything from `since` on that is still held, and the index of its first sample."""


@dataclass(frozen=True)
class Recording:
    """What a recorder has done by now.

    Attributes:
        input_path: InputStream at 22.05 kHz.
        output_path: OutputStream at 44.1 kHz.
        seconds: Length of both.
        lost_samples: Samples at 44.1 kHz that the disk was too slow for; silence in the files.
        error: Empty, or one line: why it ended.
    """

    input_path: Path
    output_path: Path
    seconds: float
    lost_samples: int
    error: str


class Recorder:
    """Two files of one engine's taps, from the call of :meth:`start` on.

    Args:
        input_tap: 22.05 kHz.
        output_tap: 44.1 kHz.
        delay_samples: What the output tap lags behind, at 44.1 kHz.
        folder: Where to; is made if it is missing.
        stem: Begin of the files' names; a number is added where they are taken.

    Raises:
        AudioFileError: if the files cannot be made; then nothing is left behind.
    """

    def __init__(
        self,
        input_tap: TapLike,
        output_tap: TapLike,
        *,
        delay_samples: int,
        folder: Path,
        stem: str,
    ) -> None:
        self.input_path, self.output_path = _free_names(folder, stem)
        self._given = _Track(self.input_path, input_tap)
        try:
            self._made = _Track(self.output_path, output_tap)
        except AudioFileError:
            self._given.abandon()
            raise
        self._delay = delay_samples
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="topoctave-recorder", daemon=True)
        self._error = ""

    def start(self) -> None:
        """Record from this moment of the input on."""
        begin = max(self._given.tap.written, -(self._delay // 2))
        self._given.next_sample = begin
        self._made.next_sample = max(0, 2 * begin + self._delay)
        self._thread.start()

    def finish(self) -> None:
        """Ask it to end, without waiting: :attr:`running` tells when it has."""
        self._stop.set()

    def stop(self, timeout_s: float | None = None) -> Recording:
        """End both files at the same moment and close them; idempotent.

        Args:
            timeout_s: Longest time to wait for a slow disk; None waits until the files are closed.
        """
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        else:
            self._close()
        return self.recording()

    @property
    def running(self) -> bool:
        """False once it was stopped, or ended by itself with an error."""
        return self._thread.is_alive()

    def recording(self) -> Recording:
        """What there is by now; from any thread."""
        return Recording(
            self.input_path,
            self.output_path,
            self._made.frames / self._made.tap.sample_rate,
            self._made.lost + 2 * self._given.lost,
            self._error,
        )

    def _run(self) -> None:
        try:
            while not self._stop.wait(TICK_S):
                self._copy()
                if free := self._trouble():
                    self._error = free
                    break
            else:
                self._copy()
        except (OSError, RuntimeError, AssertionError) as error:
            # soundfile answers a short write with an assertion; all mean the same here.
            reason = getattr(error, "strerror", "") or "the disk is full or was taken away"
            self._error = f"The recording ended: {reason}. What was recorded before is kept."
        finally:
            self._close()

    def _copy(self) -> None:
        """Bring both files forward by what both taps have, so that they stay equally long."""
        end = min(self._given.tap.written, (self._made.tap.written - self._delay) // 2)
        self._given.copy_until(end)
        self._made.copy_until(2 * end + self._delay)

    def _trouble(self) -> str:
        if shutil.disk_usage(self._folder).free < KEEP_FREE_BYTES:
            return "The recording ended: the disk is almost full. The files are whole."
        if max(self._given.size_bytes, self._made.size_bytes) > LONGEST_BYTES:
            return "The recording ended: a WAV file holds 4 GB. The files are whole."
        return ""

    def _close(self) -> None:
        for track in (self._given, self._made):
            try:
                track.file.close()
            except (OSError, RuntimeError) as error:
                self._error = self._error or f"The recording may be damaged: {error}"


class _Track:
    """One file and the tap it follows."""

    def __init__(self, path: Path, tap: TapLike) -> None:
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

    @property
    def size_bytes(self) -> int:
        return self.frames * self.tap.channels * 4

    def copy_until(self, end: int) -> None:
        if end <= self.next_sample:
            return
        samples, first = self.tap.read(self.next_sample)
        missing = min(first, end) - self.next_sample
        self.lost += missing
        self._write_silence(missing)
        self._write(samples[:, : max(0, end - first)])

    def _write(self, samples: Audio) -> None:
        self.file.write(samples.T)
        self.frames += samples.shape[1]
        self.next_sample += samples.shape[1]

    def _write_silence(self, count: int) -> None:
        while count > 0:
            part = min(count, CHUNK_SAMPLES)
            self._write(np.zeros((self.tap.channels, part), np.float32))
            count -= part

    def abandon(self) -> None:
        self.file.close()
        self.path.unlink(missing_ok=True)


def _free_names(folder: Path, stem: str) -> tuple[Path, Path]:
    number = 1
    while True:
        tail = "" if number == 1 else f" {number}"
        names = folder / f"{stem}{tail} input.wav", folder / f"{stem}{tail} output.wav"
        if not any(name.exists() for name in names):
            return names
        number += 1
