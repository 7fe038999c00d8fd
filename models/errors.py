"""What can be wrong with what a training, an export or an evaluation is given."""

from realtime.errors import TopoctaveError


class ConfigError(TopoctaveError):
    """A training configuration is unreadable, or names what is wrong or missing here."""


class DataError(TopoctaveError):
    """Recordings are missing or cannot be used, or a file of results cannot be written."""


class CheckpointError(TopoctaveError):
    """A checkpoint is missing, damaged or of another training, or cannot be written."""


class TrainingError(TopoctaveError):
    """A training cannot go on: it diverged, memory is short, or processes are missing."""
