"""A stage of ``topoctave bench``: a call whose speed is measured."""

import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realtime.inference.tuning import call_durations

# The stages of a group take turns for several rounds, so that a machine whose speed drifts slows
# all of them alike. A row's figures cover all its rounds.
ROUNDS = 15
ROUND_S = 0.05

Row = dict[str, Any]
Call = Callable[[], object]


def bench_row(stage: str, name: str, **about: Any) -> Row:
    """The keys that identify a row, and the latency of an engine without its devices.

    ``about`` replaces the defaults of ``device``, ``threads``, ``dtype``, ``block`` (the samples of
    a call; None for whole signals) and ``latency_ms``.
    """
    defaults: Row = {"device": "cpu", "threads": 1, "dtype": "float32"}
    return {"stage": stage, "name": name} | defaults | {"block": None, "latency_ms": None} | about


def finish_row(
    row: Row, durations_s: Sequence[float], *, audio_s: float | None, memory: float | None
) -> Row:
    """The row with its figures; without ``audio_s`` it has no ratio."""
    p50, p99 = np.percentile(durations_s, [50, 99])
    return row | {
        "real_time_ratio": round(audio_s / float(p50), 2) if audio_s else None,
        "p50_ms": round(1e3 * float(p50), 4),
        "p99_ms": round(1e3 * float(p99), 4),
        "memory_mb": memory,
    }


@dataclass
class Stage:
    """A call to measure, and the row of :func:`bench_row` for its figures."""

    row: Row
    call: Call
    audio_s: float
    """Seconds of audio per call."""
    before: Call = lambda: None
    """Called at the beginning of a round; sets the threads."""

    _durations_s: list[float] = field(default_factory=list, init=False)
    _memory_mb: float | None = field(default=None, init=False)

    def run(self, seconds: float) -> None:
        """Measure for about this time, and at least two calls."""
        self.before()
        self._durations_s += call_durations(
            self.call, pause_s=0.0, calls=math.inf, min_calls=2, max_s=seconds
        )
        self._memory_mb = memory_mb()

    def result(self) -> Row:
        """The finished row."""
        return finish_row(self.row, self._durations_s, audio_s=self.audio_s, memory=self._memory_mb)


def run_group(stages: Sequence[Stage], *, rounds: int, round_s: float) -> list[Row]:
    """Measure stages in turn."""
    for _ in range(rounds):
        for stage in stages:
            stage.run(round_s)
    return [s.result() for s in stages]


def memory_mb() -> float | None:
    """Resident size of this process; on macOS the largest so far, on Windows None."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    try:
        import resource
    except ImportError:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (2**20 if sys.platform == "darwin" else 2**10), 1)
