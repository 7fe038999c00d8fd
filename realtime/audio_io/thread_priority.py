"""Threads that must not wait for a busy machine."""

import os
import sys

# Of 1 to 99; low, as for JACK's clients: sound servers and drivers come first. The callbacks copy
# for microseconds, and may interrupt a block that is computed.
WORKER_PRIORITY = 10
CALLBACK_PRIORITY = 11


def raise_priority(priority: int) -> bool:
    """Schedule the calling thread in real time, where the system allows it.

    Linux does for root, and for users with an ``rtprio`` limit, as audio set-ups have it. Without
    it a thread that wakes up may wait for a whole time slice of another program's, 4 ms, even if
    that program is niced.

    Args:
        priority: 1 to 99.

    Returns:
        Whether it was allowed; if not, nothing has changed.
    """
    if sys.platform != "linux":
        return False
    # Threads that this one starts, as a network's, begin as ordinary ones.
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except OSError:
        return False
    return True


def restore_priority() -> None:
    """Undo :func:`raise_priority` for the calling thread."""
    if sys.platform == "linux":
        # The flag stays: only root may take it back.
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
