"""Errors that the user can correct. Any other exception is a fault of the program."""


class TopoctaveError(Exception):
    """Base class. The message is one line for the user."""


class SettingsError(TopoctaveError, ValueError):
    """A setting or an option has a value that cannot be used."""


class DeviceError(TopoctaveError):
    """An audio device is missing, refuses a request, or went away."""


class ModelFileError(TopoctaveError):
    """A model file is missing, unreadable or breaks the contract."""


class AudioFileError(TopoctaveError):
    """An audio file cannot be read or written, or its content cannot be used."""


def error_line(error: BaseException, line: int = 0) -> str:
    """A line of an error's message, cut to 160 characters; its type if the message is empty."""
    lines = str(error).strip().splitlines()
    return lines[line].strip()[:160] if lines else type(error).__name__
