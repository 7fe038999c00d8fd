"""Wakes a thread that waits for audio, without making the one that brings it wait."""

import threading


class AutoResetEvent:
    """One thread rings, one waits; a ring that nobody waits for is kept, several count as one.

    A lock that is used as a semaphore: it is held unless somebody has rung. Ringing is at most the
    release of a lock that only the waiting thread ever acquires, so an audio callback may ring.
    """

    def __init__(self) -> None:
        self._silent = threading.Lock()
        self._silent.acquire()

    def set(self) -> None:
        """Wake the waiting thread, or the next wait; from one thread alone."""
        # Nobody else releases, so what is held stays held until the next line. Where it is not
        # held, an earlier ring has yet to be heard, and what it announces by now is this as well.
        if self._silent.locked():
            self._silent.release()

    def wait(self, timeout_s: float) -> bool:
        """Sleep until there was a ring since the last wait; False after the time is over."""
        return self._silent.acquire(timeout=timeout_s)
