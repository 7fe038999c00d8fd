"""Finds threads and open files that a test does not end or close."""

import gc
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

OPEN_FILES = Path("/proc/self/fd")
"""One link per open file, on Linux."""
GRACE_S = 10.0
"""A thread may need this long to stop on a busy machine."""

_start = threading.Thread.start


def remember_where_threads_start() -> None:
    """From now on, the stack of each thread's start is stored."""
    threading.Thread.start = _noted_start


def _noted_start(thread: threading.Thread) -> None:
    thread.started_at = "".join(traceback.format_stack(limit=6)[:-1])
    _start(thread)


def open_files() -> dict[int, str]:
    """The file or pipe of each file descriptor of this process; nothing where /proc is missing.

    Left out is what libraries open once and keep: their own files (matplotlib's fonts), Qt's
    event descriptors and its connection to the display.
    """
    files = {}
    for link in OPEN_FILES.iterdir() if OPEN_FILES.exists() else ():
        with suppress(FileNotFoundError):  # The descriptor that lists the folder is closed.
            files[int(link.name)] = str(link.readlink())
    kept = (sys.prefix, "anon_inode:", "socket:")
    return {number: what for number, what in files.items() if not what.startswith(kept)}


@contextmanager
def no_threads_or_files_left() -> Iterator[None]:
    """Fail if threads or open files of the body outlive it."""
    threads, files = set(threading.enumerate()), open_files()
    yield
    left = [
        f"thread {thread.name!r}, started at:\n{getattr(thread, 'started_at', 'an unknown place')}"
        for thread in _threads_left(threads)
    ]
    left += [f"file {what}" for what in _files_left(files)]
    if left:
        pytest.fail("not ended or closed: " + "\n".join(left), pytrace=False)


def _threads_left(before: set[threading.Thread]) -> list[threading.Thread]:
    left = [thread for thread in threading.enumerate() if thread not in before]
    deadline = time.monotonic() + GRACE_S
    for thread in left:
        thread.join(max(deadline - time.monotonic(), 0.0))
    return [thread for thread in left if thread.is_alive()]


def _files_left(before: dict[int, str]) -> list[str]:
    def left() -> list[str]:
        return [what for number, what in open_files().items() if before.get(number) != what]

    if not left():
        return []
    gc.collect()  # An object in a reference cycle closes its file here.
    return left()
