"""Threads and callbacks whose unforeseen exceptions the user sees."""

import threading
from collections.abc import Callable

from realtime.errors import error_line


class Guard:
    """Keeps the first unforeseen exception as a line, ``WHAT failed: ...``, and counts them."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._first = ""
        self.count = 0

    def note(self, error: Exception) -> None:
        """Keep an exception."""
        # The last line says what happened; the others are TorchScript's traceback.
        self._first = self._first or error_line(error, -1)
        self.count += 1

    @property
    def error(self) -> str:
        """Empty, or one line for the user."""
        if not self.count:
            return ""
        times = f" {self.count} times" if self.count > 1 else ""
        return f"{self._what} failed{times}: {self._first}"


class GuardedThread:
    """A thread that ends cleanly, and says why, where its function raises.

    Args:
        run: the function; it returns soon once :attr:`stopping` is set.
        name: of the thread.
        what: it does, for the error line.
        daemon: the program may end while the thread runs.
    """

    def __init__(
        self, run: Callable[..., None], *, name: str, what: str, daemon: bool = False
    ) -> None:
        self.stopping = threading.Event()
        self._run = run
        self._guard = Guard(what)
        self._thread = threading.Thread(target=self._guarded, name=name, daemon=daemon)
        self._arguments: tuple[object, ...] = ()

    @property
    def error(self) -> str:
        """Empty, or one line: what ended it."""
        return self._guard.error

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._thread.is_alive()

    def start(self, *arguments: object) -> None:
        """Call the function with these arguments on the thread."""
        self._arguments = arguments
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """Ask it to end and wait; idempotent, and allowed before the start."""
        self.stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _guarded(self) -> None:
        try:
            self._run(*self._arguments)
        # Whatever it is: a thread that ends in silence would look as if it ran.
        except Exception as error:  # noqa: BLE001 - see the line above
            self._guard.note(error)
