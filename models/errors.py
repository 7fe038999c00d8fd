"""Errors of training, export and evaluation that users see as one line."""

from realtime.errors import TopoctaveError


class ConfigError(TopoctaveError):
    """A training configuration is unreadable or wrong, or names a missing device or folder."""


class DataError(TopoctaveError):
    """Recordings are missing or unusable, or a file of results cannot be written."""


class CheckpointError(TopoctaveError):
    """A checkpoint is missing, damaged, of another training, or cannot be written."""


class TrainingError(TopoctaveError):
    """A training cannot continue: it diverged, memory is short, or processes are missing."""
