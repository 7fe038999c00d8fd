"""Tuning: on how many CPU threads a network is fastest, measured once per machine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from realtime.dsp.processor import Audio
from realtime.errors import SettingsError
from realtime.inference.cpu_info import core_count
from realtime.inference.model_file import ModelInfo
from realtime.inference.tuning_cache import TuningCache, cache_key

if TYPE_CHECKING:
    from realtime.inference.network import ScriptNetwork

MAX_THREADS = 256

# Each number of threads has several trials of a few calls.
TRIAL_ROUNDS = 4
TRIAL_CALLS = 6
MAX_TRIAL_S = 0.2
MAX_PAUSE_S = 0.03
# This percentile of the durations is compared, and more threads must shorten it to this share.
TRIAL_PERCENTILE = 90.0
WORTH_MORE_THREADS = 0.85


class Requested(TypedDict, total=False):
    """Options of whatever runs a network. Each may be left out.

    Attributes:
        compute: ``auto`` (the default), ``cpu`` or ``cuda``.
        threads: CPU threads; None for the fastest number.
        dtype: ``float32``, ``tf32`` (GPUs) or ``bfloat16``; None for tf32 on GPUs that have it,
            else float32.
    """

    compute: str
    threads: int | None
    dtype: str | None


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The calls of a session.

    Attributes:
        channels: 1 or 2.
        samples: length of a call, at the rate of the network's input.
        pause_s: time between two calls. More threads gain less after a pause: threads that slept
            take longer to wake than a short block takes to compute.
    """

    channels: int
    samples: int
    pause_s: float


def thread_choices(threads: int | None) -> list[int]:
    """Numbers of threads to try, the smallest first; only ``threads`` if it is given.

    Raises:
        SettingsError: if ``threads`` is not from 1 to 256.
    """
    if threads is None:
        return [n for n in (1, 2, 4, 8) if n <= core_count()]
    if not 1 <= threads <= MAX_THREADS:
        raise SettingsError(f"threads must be from 1 to {MAX_THREADS}, got {threads}")
    return [threads]


def tune(
    network: "ScriptNetwork",
    info: ModelInfo,
    workload: Workload,
    *,
    threads: int | None,
    cache: TuningCache | None,
) -> None:
    """Warm up a network on the CPU and set its number of threads.

    ``threads`` None takes the fastest number, which the cache keeps.

    Raises:
        ModelFileError: if the network breaks its contract.
    """
    choices = thread_choices(threads)
    key = cache_key("threads", info, dtype=network.dtype, workload=workload)
    known = cache.number(key) if cache is not None and len(choices) > 1 else None
    if known is not None and known in range(1, MAX_THREADS + 1):
        choices = [int(known)]
    network.threads = choices[0]
    network.warm_up(workload.channels, workload.samples)
    if len(choices) == 1:
        return
    x = noise(workload.channels, workload.samples)

    def trial(threads: int) -> list[float]:
        network.threads = threads
        network.bind_thread()
        return call_durations(lambda: network(x), pause_s=workload.pause_s)

    network.threads, network.call_s = fastest_threads(choices, trial)
    network.bind_thread()
    network.start(workload.channels)
    if cache is not None:
        cache.put(key, network.threads)


def noise(channels: int, samples: int) -> Audio:
    """The signal that networks are measured with, ``[C, n]``: always the same."""
    rng = np.random.default_rng(0)
    return rng.normal(0.0, 0.05, (channels, samples)).astype(np.float32)


def call_durations(
    call: Callable[[], object],
    *,
    pause_s: float,
    calls: float = TRIAL_CALLS,
    min_calls: int = 1,
    max_s: float = MAX_TRIAL_S,
) -> list[float]:
    """Durations in seconds of ``calls`` calls, or of ``min_calls`` if these take ``max_s``.

    As live, each call follows a pause, of at most 30 ms: threads sleep, and other programs use the
    caches. The first call does not count.
    """
    call()
    durations_s: list[float] = []
    end = time.perf_counter() + max_s
    while len(durations_s) < calls and (len(durations_s) < min_calls or time.perf_counter() < end):
        if pause_s:
            time.sleep(min(pause_s, MAX_PAUSE_S))
        begin = time.perf_counter()
        call()
        durations_s.append(time.perf_counter() - begin)
    return durations_s


def fastest_threads(
    choices: Sequence[int], trial: Callable[[int], list[float]]
) -> tuple[int, float]:
    """The number of threads with the shortest calls, without the longest tenth of the calls.

    More threads are chosen only if they save much. On a busy machine threads wait for each other:
    the median does not show this, but it is audible. ``choices`` begin with the smallest;
    ``trial`` returns the durations of some calls with a number of threads.

    Returns:
        The number, and the 90th percentile of its durations.
    """
    durations_s: dict[int, list[float]] = {n: [] for n in choices}
    # In turn, so that a short load from another program does not fall on one choice alone.
    for _ in range(TRIAL_ROUNDS):
        for threads, durations in durations_s.items():
            durations += trial(threads)
    best, best_s = choices[0], float("inf")
    for threads, durations in durations_s.items():
        usual_s = float(np.percentile(durations, TRIAL_PERCENTILE))
        if usual_s < best_s * WORTH_MORE_THREADS:
            best, best_s = threads, usual_s
    return best, best_s
