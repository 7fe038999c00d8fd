"""What can go wrong in the world outside; bad arguments are ``ValueError``."""


class TopoctaveError(Exception):
    """Root of the errors a user is told in one line."""


class DeviceError(TopoctaveError):
    """An audio device is missing, refuses what is asked, or went away."""


class ModelFileError(TopoctaveError):
    """A model file is missing, unreadable or does not keep the contract."""


class AudioFileError(TopoctaveError):
    """An audio file cannot be read or written, or holds what cannot be used."""
