"""What is to be restored, and where it goes."""

from pathlib import Path

from PySide6.QtGui import QDropEvent

from realtime.errors import AudioFileError
from realtime.files.audio_file import SUFFIXES
from realtime.files.enhance import Job, plan_jobs

FOLDER_NAME = "restored"
"""Restored files go into a folder of this name beside the originals."""


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Audio files and folders in a drop, which is accepted if there are any."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    paths = [path for path in paths if path.is_dir() or path.suffix.lower() in SUFFIXES]
    event.setAccepted(bool(paths))
    return paths


def plan(paths: list[Path], folder: Path | None, known: dict[Path, Path]) -> list[Job]:
    """The jobs for files and folders.

    Args:
        paths: Audio files, and folders that are searched for audio files.
        folder: Where restored files go; None for a folder beside each original.
        known: Sources by targets that are in the list; their jobs are left out.

    Raises:
        AudioFileError: if there is nothing to restore, or a file would overwrite another.
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
    sources = dict(known)
    for job in jobs:
        other = sources.setdefault(job.target, job.source)
        if other != job.source:
            raise AudioFileError(f"{other} and {job.source} would both become {job.target}")
    return [Job(source, target) for target, source in sources.items() if target not in known]
