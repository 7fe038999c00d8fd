"""Keeps what C libraries print away from the user's terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence_native_stderr() -> Iterator[None]:
    """Inside it only Python writes to stderr.

    ALSA and PortAudio print lines about every device that is missing or goes away, straight to
    file descriptor 2 and from their own threads; what matters of them comes back as an error.
    """
    stderr = sys.stderr
    try:
        ours = stderr.fileno() == 2
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        yield
        return
    stderr.flush()
    kept = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        with os.fdopen(kept, "w", buffering=1, closefd=False) as python_stderr:
            sys.stderr = python_stderr
            yield
    finally:
        sys.stderr = stderr
        os.dup2(kept, 2)
        os.close(kept)
