"""Measures how long the program takes to start, in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from realtime.bench.stage import Row, bench_row, finish_row
from realtime.errors import TopoctaveError

RUNS = 3
TIMEOUT_S = 120.0

# Commands, and a part of the line on stderr to wait for; empty: until the command ends.
COMMANDS = {
    "help": ("--help", ""),
    "models": ("models", ""),
    "live_first_audio": ("live --input demo --output null --seconds 0.1", "Ctrl-C stops"),
}


def start_up_rows(*, runs: int = RUNS) -> Iterator[Callable[[], Row]]:
    """Rows of stage ``start_up``: help, the list of models, and the first audio of a session."""
    return (partial(_measure, name, runs) for name in COMMANDS)


def _measure(name: str, runs: int) -> Row:
    command, line = COMMANDS[name]
    # The first run does not count: it fills the system's file cache and the tuning cache.
    durations_s = [time_until(command.split(), line) for _ in range(runs + 1)][1:]
    return finish_row(bench_row("start_up", name), durations_s, audio_s=None, memory=None)


def time_until(arguments: list[str], line: str) -> float:
    """Seconds until ``topoctave`` prints a line on stderr; until its end if ``line`` is empty.

    Raises:
        TopoctaveError: if the command fails, or ends without the line.
    """
    begin = time.perf_counter()
    command = [sys.executable, "-m", "topoctave", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None  # it is a pipe
        moments_s, printed = [], ""
        for printed in process.stderr:
            if line and line in printed:
                moments_s.append(time.perf_counter() - begin)
        code = process.wait(TIMEOUT_S)
    if not line:
        moments_s = [time.perf_counter() - begin]
    if code or not moments_s:
        raise TopoctaveError(f"topoctave {' '.join(arguments)} failed: {printed.strip()}")
    return moments_s[0]
