"""Wakes the thread that waits for audio, without making an audio callback wait."""

import threading


class AutoResetEvent:
    """One thread sets it; another one waits for it, which resets it.

    A lock is used as a binary semaphore: it is free while the event is set. To set the event is at
    most to release a lock that only the waiting thread acquires, so an audio callback may do it.
    """

    def __init__(self) -> None:
        self._unset = threading.Lock()
        self._unset.acquire()

    def set(self) -> None:
        """Wake the waiting thread, or end the next wait at once; from one thread alone."""
        # No other thread releases the lock, so it is still held in the next line. If it is free,
        # the event is set already.
        if self._unset.locked():
            self._unset.release()

    def wait(self, timeout_s: float) -> bool:
        """Sleep until the event is set, and reset it; False if the time is over first."""
        return self._unset.acquire(timeout=timeout_s)
