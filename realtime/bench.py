"""Speed of every stage on this machine: ``topoctave bench``."""

import itertools
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from realtime.audio_file import SAMPLE_RATE_IN, SAMPLE_RATE_OUT
from realtime.loading import load_chain
from realtime.machine import machine_name
from realtime.model_file import ModelInfo, shipped_models
from realtime.network import WindowNetwork, choose_compute, thread_choices
from realtime.processor import ProcessSpec
from realtime.upsampler import FILTERS, KaiserUpsampler

FRONT_END_BLOCK = 512
NETWORK_BLOCKS = (512, 1024, 2048, 4096)
WHOLE_S = 10.0
# Every row is measured in several rounds, all rows in turn, so that a machine whose speed drifts
# slows all of them alike; a row's figures are of all its rounds together.
ROUNDS = 5
ROUND_S = 0.25

Row = dict[str, Any]
Call = Callable[[], object]


class Stage:
    """One thing to measure.

    Args:
        row: what identifies it.
        call: does it once.
        audio_s: seconds of audio that one call makes.
        before: called at the beginning of a round; sets the threads.
    """

    def __init__(self, row: Row, call: Call, audio_s: float, before: Call = lambda: None) -> None:
        self.row = row
        self._call = call
        self._audio_s = audio_s
        self._before = before
        self._durations_s: list[float] = []

    def run(self, seconds: float) -> None:
        """Measure for about so long; at least twice."""
        self._before()
        self._call()
        end = time.perf_counter() + seconds
        count = 0
        while count < 2 or time.perf_counter() < end:
            begin = time.perf_counter()
            self._call()
            self._durations_s.append(time.perf_counter() - begin)
            count += 1

    def result(self) -> Row:
        """The finished row."""
        p50, p99 = np.percentile(self._durations_s, [50, 99])
        return self.row | {
            "real_time_ratio": round(self._audio_s / float(p50), 2),
            "p50_ms": round(1e3 * float(p50), 4),
            "p99_ms": round(1e3 * float(p99), 4),
            "memory_mb": round(memory_mb(), 1),
        }


def memory_mb() -> float:
    """Largest resident size of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(used) / (2**20 if sys.platform == "darwin" else 2**10)


def _row(stage: str, name: str, device: str, threads: int, block: int | None) -> Row:
    return {
        "stage": stage,
        "name": name,
        "device": device,
        "threads": threads,
        "dtype": "float32",
        "block": block,
    }


def _noise(channels: int, samples: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(0)
    return rng.normal(0.0, 0.05, (channels, samples)).astype(np.float32)


def front_end_stages() -> Iterator[Stage]:
    """The streaming upsamplers."""
    x = _noise(1, FRONT_END_BLOCK)
    for name in FILTERS:
        upsampler = KaiserUpsampler(name)
        upsampler.prepare(ProcessSpec(max_block_samples=FRONT_END_BLOCK))
        row = _row("front_end", name, "cpu", 1, FRONT_END_BLOCK)
        yield Stage(row, partial(upsampler.process, x), FRONT_END_BLOCK / SAMPLE_RATE_IN)


def model_stages(info: ModelInfo, compute: str) -> Iterator[Stage]:
    """A model whole and through the live chain, per block and number of threads."""
    device = choose_compute(compute).type
    for threads in thread_choices(None) if device == "cpu" else [1]:
        network = WindowNetwork(info, compute=compute, threads=threads)
        length = round(WHOLE_S * SAMPLE_RATE_OUT) // 128 * 128
        if info.front_end != "none":
            whole = _noise(1, length)
            network.warm_up(1, length)
            row = _row("offline", info.name, device, threads, None)
            yield Stage(
                row,
                partial(network, whole),
                length / SAMPLE_RATE_OUT,
                network.bind_thread,
            )
        kinds = ("windowed",) if info.kind == "windowed" else ("streaming", "windowed")
        for kind, block in itertools.product(kinds, NETWORK_BLOCKS):
            loaded = load_chain(
                info,
                block_samples=block,
                compute=compute,
                threads=threads,
                windowed=kind == "windowed",
            )
            loaded.chain.process(_noise(1, loaded.chain.lead_samples))
            x = _noise(1, block // 2)
            yield Stage(
                _row(kind, info.name, device, threads, block),
                partial(loaded.chain.process, x),
                block / SAMPLE_RATE_OUT,
                loaded.bind_thread,
            )


def measure(
    *,
    compute: str = "auto",
    more: Iterable[Stage] = (),
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure everything.

    Args:
        compute: ``auto``, ``cpu`` or ``cuda``.
        more: stages of other packages, for comparison.
        report: called with one line of progress at a time.

    Returns:
        The object of ``topoctave bench --json``.

    Raises:
        ValueError: if compute is wrong.
    """
    stages = [*front_end_stages(), *more]
    for info in shipped_models():
        report(f"loading {info.name}")
        stages.extend(model_stages(info, compute))
    for number in range(ROUNDS):
        report(f"round {number + 1} of {ROUNDS}")
        for stage in stages:
            stage.run(ROUND_S)
    return {
        "machine": machine_name(),
        "torch": version("torch"),
        "rows": [s.result() for s in stages],
    }
