"""Tuning: on how many CPU threads a network is fastest, measured once per machine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from realtime.dsp.processor import Audio
from realtime.errors import SettingsError
from realtime.inference.cpu_info import core_count
from realtime.inference.model_file import ModelInfo
from realtime.inference.tuning_cache import Measurements, measurement_key

MAX_THREADS = 256

# Trials of each number of threads, how long one may take, what of it counts, and how much of the
# time more threads must save.
TRIAL_ROUNDS = 4
TRIAL_CALLS = 6
TRIAL_S = 0.2
USUAL_PERCENT = 90.0
WORTH_MORE_THREADS = 0.85
LONGEST_PAUSE_S = 0.03


@dataclass(frozen=True, kw_only=True)
class Requested:
    """What the user asks for.

    Attributes:
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads; None for the fastest number.
        dtype: ``float32``, ``tf32`` or ``bfloat16``; None for the device's default.
    """

    compute: str = "auto"
    threads: int | None = None
    dtype: str | None = None


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The calls of a session.

    Attributes:
        channels: rows of a call.
        samples: length of a call, at the rate of the network's input.
        pause_s: between two calls. It decides how many threads pay: threads that slept for a
            block's time take longer to wake than a short block to compute.
    """

    channels: int
    samples: int
    pause_s: float


class Tunable(Protocol):
    """A loaded network."""

    threads: int
    dtype: str
    call_s: float

    def bind_thread(self) -> None:
        """Make the calling thread the one that runs the network."""

    def start(self, channels: int) -> None:
        """Forget the past."""

    def warm_up(self, channels: int, samples: int) -> None:
        """Run until the speed is steady."""

    def __call__(self, x: Audio) -> Audio:
        """Run the network once."""


Network = TypeVar("Network", bound=Tunable)


def thread_choices(threads: int | None) -> list[int]:
    """Numbers of threads worth trying, the smallest first; one if a number is asked for.

    Raises:
        SettingsError: if fewer than 1 or more than 256 are asked for.
    """
    if threads is None:
        return [n for n in (1, 2, 4, 8) if n <= core_count()]
    if not 1 <= threads <= MAX_THREADS:
        raise SettingsError(f"threads must be from 1 to {MAX_THREADS}, got {threads}")
    return [threads]


def tune(
    network: Tunable,
    info: ModelInfo,
    workload: Workload,
    *,
    threads: int | None,
    measurements: Measurements | None,
) -> None:
    """Warm up a network on the CPU and set its number of threads.

    Args:
        network: just loaded.
        info: the model file.
        workload: the calls to come.
        threads: as asked for; None for the fastest number.
        measurements: where that number is looked up and kept; None measures each time.

    Raises:
        ModelFileError: if the network breaks its contract.
        SettingsError: if the number of threads is out of range.
    """
    choices = thread_choices(threads)
    key = measurement_key("threads", info, dtype=network.dtype, workload=workload)
    known = _known_threads(measurements, key) if len(choices) > 1 else None
    network.threads = known or choices[0]
    network.warm_up(workload.channels, workload.samples)
    if known is not None or len(choices) == 1:
        return
    noise = np.random.default_rng(0).normal(0.0, 0.05, (workload.channels, workload.samples))
    x = noise.astype(np.float32)
    pause_s = min(workload.pause_s, LONGEST_PAUSE_S)

    def trial(threads: int) -> list[float]:
        network.threads = threads
        network.bind_thread()
        return call_durations(lambda: network(x), pause_s=pause_s)

    network.threads, network.call_s = fastest_threads(choices, trial)
    network.bind_thread()
    network.start(workload.channels)
    if measurements is not None:
        measurements.put(key, network.threads)


def _known_threads(measurements: Measurements | None, key: str) -> int | None:
    threads = measurements.number(key) if measurements else None
    return int(threads) if threads is not None and threads in range(1, MAX_THREADS + 1) else None


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
