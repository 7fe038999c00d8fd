"""A stage of ``topoctave bench``: a call whose speed is measured."""

import math
import os
import sys
from collections.abc import Callable, Sequence
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


def bench_row(
    stage: str,
    name: str,
    *,
    device: str = "cpu",
    threads: int = 1,
    dtype: str = "float32",
    block: int | None = None,
    latency_ms: float | None = None,
) -> Row:
    """The keys that identify a row.

    Args:
        stage: ``streaming``, say.
        name: of the model.
        device: ``cpu`` or ``cuda``.
        threads: CPU threads.
        dtype: number format of the network.
        block: samples per call; None for whole signals.
        latency_ms: of an engine without its devices; None if there is no engine.
    """
    about: Row = {"stage": stage, "name": name, "device": device, "threads": threads}
    return about | {"dtype": dtype, "block": block, "latency_ms": latency_ms}


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


class Stage:
    """A call to measure.

    Args:
        row: of :func:`bench_row`.
        call: is measured.
        audio_s: seconds of audio per call.
        before: called at the beginning of a round; sets the threads.
    """

    def __init__(self, row: Row, call: Call, audio_s: float, before: Call = lambda: None) -> None:
        self.row = row
        self._call = call
        self._audio_s = audio_s
        self._before = before
        self._durations_s: list[float] = []
        self._memory_mb: float | None = None

    def run(self, seconds: float) -> None:
        """Measure for about this time, and at least two calls."""
        self._before()
        self._durations_s += call_durations(
            self._call, pause_s=0.0, calls=math.inf, min_calls=2, max_s=seconds
        )
        self._memory_mb = memory_mb()

    def result(self) -> Row:
        """The finished row."""
        return finish_row(
            self.row, self._durations_s, audio_s=self._audio_s, memory=self._memory_mb
        )


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
