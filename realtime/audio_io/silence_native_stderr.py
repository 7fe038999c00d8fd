"""Hides what the audio libraries print about devices."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def silence_native_stderr() -> Iterator[None]:
    """Discard what native code writes to stderr; Python's own messages still appear.

    ALSA and PortAudio print lines about missing and lost devices straight to file descriptor 2.
    Their functions also return these errors. An open stream needs this for its whole life:
    PortAudio's thread prints when its device is lost. Uses may overlap, in any threads.
    """
    _stderr.silence()
    try:
        yield
    finally:
        _stderr.restore()


class _Stderr:
    """File descriptor 2 of this process, and how many callers want it silent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callers = 0
        # While silent: Python's stderr, and its replacement, which writes to a copy of it.
        self._python: tuple[TextIO, TextIO] | None = None

    def silence(self) -> None:
        with self._lock:
            self._callers += 1
            stderr = sys.stderr
            if self._callers > 1 or not _is_descriptor_2(stderr):
                return
            stderr.flush()
            encoding, errors = stderr.encoding, stderr.errors
            copy = os.fdopen(os.dup(2), "w", buffering=1, encoding=encoding, errors=errors)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            os.close(null)
            self._python = stderr, copy
            sys.stderr = copy

    def restore(self) -> None:
        with self._lock:
            self._callers -= 1
            if self._callers or self._python is None:
                return
            (stderr, copy), self._python = self._python, None
            if sys.stderr is copy:
                sys.stderr = stderr
            copy.flush()
            os.dup2(copy.fileno(), 2)
            copy.close()


def _is_descriptor_2(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() == 2
    except (OSError, ValueError):
        return False


_stderr = _Stderr()
