"""Queues of a running engine, and what their callbacks get."""

from typing import Any

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.start_gate import StartGate
from realtime.dsp.processor import Audio


def filling(capacity: int = 22_050, *, channels: int = 1) -> InputQueue:
    """An input queue whose output runs."""
    return InputQueue(channels, capacity, StartGate(output_runs=True))


def opened(*, channels: int = 1, capacity: int = 96_000) -> OutputQueue:
    """An output queue whose input has begun."""
    gate = StartGate(output_runs=True)
    gate.input_runs = True
    return OutputQueue(channels, capacity, gate)


def pull(output_queue: OutputQueue, n: int, *, channels: int = 1, **changes: Any) -> Audio:
    """A callback's block, always wholly filled."""
    out = np.full((channels, n), np.nan, np.float32)
    output_queue.pull(out, **changes)
    assert np.isfinite(out).all()
    return out
