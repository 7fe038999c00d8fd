"""Errors of training, export and evaluation that users see as one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from realtime.errors import TopoctaveError


class ConfigError(TopoctaveError):
    """A training configuration is unreadable or wrong, or names a missing device or folder."""


class DataError(TopoctaveError):
    """Recordings are missing or unusable, or a file of results cannot be written."""


class CheckpointError(TopoctaveError):
    """A checkpoint is missing, damaged, of another training, or cannot be written."""


class TrainingError(TopoctaveError):
    """A training cannot continue: it diverged, memory is short, or processes are missing."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
