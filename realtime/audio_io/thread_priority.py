"""Real-time scheduling for threads that must not wait for a busy machine."""

import os
import sys

# From 1 to 99; low, as for JACK's clients, so that sound servers and drivers come first. Callbacks
# copy for microseconds and may interrupt the worker.
WORKER_PRIORITY = 10
CALLBACK_PRIORITY = 11


def raise_priority(priority: int) -> bool:
    """Schedule the calling thread in real time, if the system allows it.

    Linux allows it for root and for users with an ``rtprio`` limit, which audio set-ups have.
    Otherwise a thread that wakes up may wait for a time slice of another program, 4 ms, even if
    that program is niced. Returns whether it was allowed; otherwise nothing has changed.
    """
    if sys.platform != "linux":
        return False
    # Threads that this one starts, such as a network's, have normal priority.
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except OSError:
        return False
    return True


def restore_priority() -> None:
    """Undo :func:`raise_priority` for the calling thread."""
    if sys.platform == "linux":
        # The flag stays: only root may remove it.
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
