"""Restores files while the window stays usable: jobs, progress and cancelling."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

import gui
from realtime.errors import AudioFileError, TopoctaveError
from realtime.files.audio_file import SUFFIXES
from realtime.files.enhance import Job, plan_jobs

FOLDER_NAME = "restored"
"""Restored files go into a folder of this name beside the originals."""
CLOSE_TIMEOUT_MS = 1000


@dataclass
class Progress:
    """State of one file.

    Attributes:
        job: Source and target.
        seconds: Length of the audio; 0 if it is unknown.
        share: Finished part, 0..1.
        started: Time of the start, of ``time.monotonic``; 0 before.
        text: Result in one line; empty while it runs.
        failed: Whether the text is an error.
    """

    job: Job
    seconds: float = 0.0
    share: float = 0.0
    started: float = 0.0
    text: str = ""
    failed: bool = False

    @property
    def done(self) -> bool:
        """Whether the file is finished or has failed."""
        return bool(self.text)

    def ratio(self, now: float) -> float:
        """Seconds of audio per second of computing so far."""
        elapsed = now - self.started
        return self.share * self.seconds / elapsed if self.started and elapsed > 0 else 0.0


def plan(paths: list[Path], folder: Path | None) -> list[Job]:
    """The jobs for files and folders.

    Args:
        paths: Audio files, and folders that are searched for audio files.
        folder: Where restored files go; None for a folder beside each original.

    Raises:
        AudioFileError: if there is nothing to restore.
    """
    jobs: list[Job] = []
    for path in paths:
        place = folder or path.parent / FOLDER_NAME
        if path.is_dir():
            jobs += plan_jobs(path, place / path.name)
        else:
            suffix = path.suffix if path.suffix.lower() == ".flac" else ".wav"
            target = place / path.with_suffix(suffix).name
            if target.resolve() == path.resolve():
                raise AudioFileError(f"{target} is the input; choose another folder")
            jobs.append(Job(path, target))
    return jobs


def is_restorable(path: Path) -> bool:
    """Whether a path is an audio file or a folder."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


class Restorer(QObject):
    """Runs jobs one after the other in a worker process."""

    changed = Signal()
    """Progress, a result, or the list."""
    ended = Signal()
    """All jobs are done, or were cancelled."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.files: list[Progress] = []
        self.error = ""
        """Why nothing could be restored; empty otherwise."""
        self._process: QProcess | None = None
        self._running: list[Progress] = []
        self._received = b""

    @property
    def running(self) -> bool:
        """Whether files are being restored."""
        return self._process is not None

    def add(self, paths: list[Path], folder: Path | None) -> str:
        """Append files and folders.

        Returns:
            An error in one line; empty if all paths could be added.
        """
        try:
            jobs = plan(paths, folder)
        except TopoctaveError as error:
            return str(error)
        sources = {progress.job.target: progress.job.source for progress in self.files}
        for job in jobs:
            other = sources.setdefault(job.target, job.source)
            if other != job.source:
                return f"{other} and {job.source} would both become {job.target}"
        known = {progress.job.target for progress in self.files}
        self.files += [Progress(job) for job in jobs if job.target not in known]
        self.changed.emit()
        return ""

    def start(self, *, model: str, compute: str, threads: int | None) -> None:
        """Restore the files that are not done."""
        self._running = [progress for progress in self.files if not progress.done]
        if self.running or not self._running:
            return
        self.error, self._received = "", b""
        process = self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        root = str(Path(gui.__file__).parents[1])
        environment.insert("PYTHONPATH", root)
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._process_failed)
        process.start(sys.executable, ["-m", "gui.restore.worker"])
        jobs = [[str(p.job.source), str(p.job.target)] for p in self._running]
        request = {"model": model, "compute": compute, "threads": threads, "jobs": jobs}
        process.write(json.dumps(request).encode())
        process.closeWriteChannel()
        self.changed.emit()

    def cancel(self) -> None:
        """End the worker; a file in progress is not written."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the worker when the window closes."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(CLOSE_TIMEOUT_MS)

    def _read(self) -> None:
        if self._process is None:
            return
        self._received += bytes(self._process.readAllStandardOutput().data())
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        self.changed.emit()

    def _take(self, message: dict[str, object]) -> None:
        number = message.get("job")
        if not isinstance(number, int):
            self.error = str(message.get("error", ""))
            return
        progress = self._running[number]
        progress.started = progress.started or time.monotonic()
        if "seconds" in message:
            progress.seconds = float(str(message["seconds"]))
        elif "share" in message:
            progress.share = float(str(message["share"]))
        else:
            progress.failed = "error" in message
            progress.text = str(message.get("error") or message.get("note") or "Done")
            progress.share = progress.share if progress.failed else 1.0

    def _process_failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.error = "The worker process could not be started."
            self._finished()

    def _finished(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            for progress in self._running:
                if not progress.done:
                    progress.share, progress.started = 0.0, 0.0
            process.deleteLater()
            self.changed.emit()
            self.ended.emit()
