"""Which number of threads computes a call soonest: by trial."""

import time
from collections.abc import Callable, Sequence

import numpy as np

# Trials of each number of threads, how long one may take, what of it counts, and how much of the
# time more threads must save.
TRIAL_ROUNDS = 4
TRIAL_CALLS = 6
TRIAL_S = 0.2
USUAL_PERCENT = 90.0
WORTH_MORE_THREADS = 0.85


def call_durations(
    call: Callable[[], object], *, calls: int = TRIAL_CALLS, pause_s: float, most_s: float = TRIAL_S
) -> list[float]:
    """How long calls take, in seconds, with pauses between them.

    Args:
        call: made once more before those that count.
        calls: how many.
        pause_s: before each.
        most_s: after which no more are begun, but for one.
    """
    call()
    durations_s: list[float] = []
    end = time.perf_counter() + most_s
    while len(durations_s) < calls and (not durations_s or time.perf_counter() < end):
        time.sleep(pause_s)
        begin = time.perf_counter()
        call()
        durations_s.append(time.perf_counter() - begin)
    return durations_s


def fastest_threads(
    choices: Sequence[int], trial: Callable[[int], list[float]]
) -> tuple[int, float]:
    """The number of threads with the shortest calls, all but the longest tenth of them.

    More threads only where they pay: where other programs run they wait for each other, which the
    median does not show and the ear does.

    Args:
        choices: the smallest first.
        trial: durations of some calls with so many threads.

    Returns:
        The number, and how long its calls take at most as a rule.
    """
    durations_s: dict[int, list[float]] = {n: [] for n in choices}
    # In turn, so that a moment of another program's does not fall on one choice alone.
    for _ in range(TRIAL_ROUNDS):
        for threads, durations in durations_s.items():
            durations += trial(threads)
    best, best_s = choices[0], float("inf")
    for threads, durations in durations_s.items():
        usual_s = float(np.percentile(durations, USUAL_PERCENT))
        if usual_s < best_s * WORTH_MORE_THREADS:
            best, best_s = threads, usual_s
    return best, best_s
