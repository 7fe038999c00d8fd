"""Threads chosen by measurement; blocks that leave nothing in memory."""

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import realtime.inference.cpu_info
import realtime.inference.tuning
from realtime.inference.cpu_info import cpu_name, has_bfloat16
from realtime.inference.load import load_chain
from realtime.inference.model_file import ModelInfo, read_model_info
from realtime.inference.tuning import (
    TRIAL_ROUNDS,
    Workload,
    call_durations,
    fastest_threads,
    tune,
)
from realtime.inference.tuning_cache import TuningCache
from tests.realtime.inference.conftest import StubNetwork

INFO = ModelInfo(name="stub", path=Path("stub.ts"))
WORKLOAD = Workload(channels=1, samples=256, pause_s=0.0)
# Python's heap may grow by this: caches of the interpreter. 100 blocks of a leak of a kilobyte
# would be 100 kB.
STEADY_BYTES = 64_000


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Two cores, where two threads are faster; the trials so far."""
    seen: list[list[int]] = []

    def fastest(choices: list[int], trial: Callable[[int], list[float]]) -> tuple[int, float]:
        assert [len(trial(n)) > 0 for n in choices] == [True, True]
        seen.append(choices)
        return 2, 0.5

    monkeypatch.setattr(realtime.inference.tuning, "core_count", lambda: 2)
    monkeypatch.setattr(realtime.inference.tuning, "fastest_threads", fastest)
    return seen


def tuned(
    cache: TuningCache | None, dtype: str = "float32", threads: int | None = None
) -> StubNetwork:
    network = StubNetwork(dtype=dtype)
    tune(network, INFO, WORKLOAD, threads=threads, cache=cache)
    return network


def test_threads_are_measured_once(tmp_path: Path, trials: list[list[int]]) -> None:
    cache = TuningCache(tmp_path / "m.json")
    first = tuned(cache)
    assert (first.threads, first.call_s, first.starts, trials) == (2, 0.5, 1, [[1, 2]])
    again = tuned(cache)
    assert (again.threads, again.warm_with, len(trials)) == (2, 2, 1)
    # In another format it is another choice, and without a memory each time.
    tuned(cache, "bfloat16")
    tuned(None)
    assert len(trials) == 3


def test_threads_that_are_requested_are_not_tried(tmp_path: Path, trials: list[list[int]]) -> None:
    cache = TuningCache(tmp_path / "m.json")
    tuned(cache)
    network = tuned(cache, threads=7)
    assert (network.threads, network.warm_with, len(trials)) == (7, 7, 1)
    with pytest.raises(ValueError, match="threads must be from 1 to 256, got 257"):
        tuned(cache, threads=257)


@pytest.mark.parametrize("record", [0, 257, 1.5, "2", {"threads": 2}, float("nan")])
def test_kept_threads_that_cannot_be_are_measured_again(
    tmp_path: Path, record: object, monkeypatch: pytest.MonkeyPatch, trials: list[list[int]]
) -> None:
    cache = TuningCache(tmp_path / "m.json")
    monkeypatch.setattr(realtime.inference.tuning, "cache_key", lambda *_, **__: "key")
    cache.put("key", record)  # type: ignore[arg-type]
    assert tuned(cache).threads == 2
    assert len(trials) == 1
    assert cache.number("key") == 2


def test_the_machine_has_a_name_and_knows_its_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cpu_name().endswith(" cores")
    for facts, known in [
        ({}, False),
        ({"flags": "fpu avx512f"}, False),
        ({"flags": "fpu avx512_bf16"}, True),
        ({"Features": "asimd bf16"}, True),
    ]:
        monkeypatch.setattr(realtime.inference.cpu_info, "cpu_facts", lambda facts=facts: facts)
        assert has_bfloat16() is known


@pytest.mark.parametrize(
    ("two_threads_s", "chosen"),
    [
        ([0.84] * 6, 2),
        ([0.86] * 6, 1),
        # Usually fast, but sometimes waiting for other programs.
        ([0.5, 0.5, 0.5, 0.5, 0.5, 3.0], 1),
    ],
    ids=["pays", "hardly pays", "stumbles"],
)
def test_more_threads_must_pay_in_all_but_the_longest_calls(
    two_threads_s: list[float], chosen: int
) -> None:
    durations = {1: [1.0] * 6, 2: two_threads_s}
    assert fastest_threads([1, 2], lambda threads: durations[threads])[0] == chosen


@pytest.mark.parametrize("windowed", [False, True], ids=["streaming", "windowed"])
def test_blocks_leave_nothing_in_memory(unet_file: Path, windowed: bool) -> None:
    loaded = load_chain(
        read_model_info(unet_file),
        block_samples=128,
        compute="cpu",
        threads=1,
        dtype="float32",
        windowed=windowed,
    )
    x = np.random.default_rng(0).normal(0, 0.1, (1, 64)).astype(np.float32)
    for _ in range(20):
        loaded.chain.process(x)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            loaded.chain.process(x)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < STEADY_BYTES
    assert peak - before < STEADY_BYTES


def test_a_trial_has_as_many_calls_as_requested_or_as_time_allows() -> None:
    seen: list[int] = []
    durations = call_durations(lambda: seen.append(1), calls=5, pause_s=0.0, max_s=60.0)
    assert len(durations) == 5
    assert len(seen) == 6  # the first one does not count
    assert len(call_durations(lambda: None, calls=5, pause_s=0.002, max_s=0.0)) == 1
    # The pauses are not in the durations.
    assert min(call_durations(lambda: None, calls=3, pause_s=0.02, max_s=60.0)) < 0.02


def test_choices_of_threads_take_turns() -> None:
    order: list[int] = []

    def trial(threads: int) -> list[float]:
        order.append(threads)
        return [1.0 / threads]

    assert fastest_threads([1, 2, 4], trial) == (4, 0.25)
    assert order == [1, 2, 4] * TRIAL_ROUNDS
    # The smallest number, if no other is known to be faster.
    assert fastest_threads([1, 2], lambda _: [float("nan")])[0] == 1
