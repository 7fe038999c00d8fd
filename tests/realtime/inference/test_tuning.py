"""Threads chosen by measurement; blocks that leave nothing in memory."""

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.inference.cpu_info import cpu_name, has_bfloat16
from realtime.inference.model_file import ModelInfo
from realtime.inference.tuning import TRIAL_ROUNDS, Workload, call_durations, fastest_threads, tune
from realtime.inference.tuning_cache import TuningCache
from tests.helpers.clock import Clock
from tests.helpers.engine_signals import noise
from tests.realtime.inference.conftest import StubNetwork, load

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

    monkeypatch.setattr("realtime.inference.tuning.core_count", lambda: 2)
    monkeypatch.setattr("realtime.inference.tuning.fastest_threads", fastest)
    return seen


def tuned(
    cache: TuningCache | None, dtype: str = "float32", threads: int | None = None
) -> StubNetwork:
    network = StubNetwork(dtype=dtype)
    tune(network, INFO, WORKLOAD, threads=threads, cache=cache)
    return network


def test_threads_are_measured_once_and_not_if_they_are_requested(tmp_path, trials) -> None:
    cache = TuningCache(tmp_path / "m.json")
    first = tuned(cache)
    assert (first.threads, first.call_s, first.starts, trials) == (2, 0.5, 1, [[1, 2]])
    again, requested = tuned(cache), tuned(cache, threads=7)
    assert (again.threads, again.warm_with) == (2, 2)
    assert (requested.threads, requested.warm_with) == (7, 7)
    assert len(trials) == 1
    # In another format it is another choice, and without a memory each time.
    tuned(cache, "bfloat16")
    tuned(None)
    assert len(trials) == 3
    for threads in (0, 257):
        with pytest.raises(ValueError, match=f"threads must be from 1 to 256, got {threads}"):
            tuned(cache, threads=threads)


@pytest.mark.parametrize("record", [0, 257, 1.5, "2", {"threads": 2}, float("nan")])
def test_kept_threads_that_cannot_be_are_measured_again(
    tmp_path, record, monkeypatch, trials
) -> None:
    cache = TuningCache(tmp_path / "m.json")
    monkeypatch.setattr("realtime.inference.tuning.cache_key", lambda *_, **__: "key")
    cache.put("key", record)
    assert tuned(cache).threads == 2
    assert len(trials) == 1
    assert cache.number("key") == 2


def test_the_machine_has_a_name_and_knows_its_formats(monkeypatch) -> None:
    assert cpu_name().endswith(" cores")
    for facts, known in [
        ({}, False),
        ({"flags": "fpu avx512f"}, False),
        ({"flags": "fpu avx512_bf16"}, True),
        ({"Features": "asimd bf16"}, True),
    ]:
        monkeypatch.setattr("realtime.inference.cpu_info.cpu_facts", lambda facts=facts: facts)
        assert has_bfloat16() is known


@pytest.mark.parametrize(
    ("two_threads_s", "chosen"),
    [
        ([0.84] * 6, 2),
        ([0.86] * 6, 1),
        # Usually fast, but sometimes waiting for other programs.
        ([0.5, 0.5, 0.5, 0.5, 0.5, 3.0], 1),
        # The smallest number, if no other is known to be faster.
        ([float("nan")], 1),
    ],
    ids=["pays", "hardly pays", "stumbles", "unknown"],
)
def test_more_threads_must_pay_in_all_but_the_longest_calls(two_threads_s, chosen) -> None:
    order: list[int] = []

    def trial(threads: int) -> list[float]:
        order.append(threads)
        return two_threads_s if threads == 2 else [1.0] * 6

    assert fastest_threads([1, 2], trial)[0] == chosen
    assert order == [1, 2] * TRIAL_ROUNDS  # in turn


@pytest.mark.parametrize("windowed", [False, True], ids=["streaming", "windowed"])
def test_blocks_leave_nothing_in_memory(unet_info, windowed) -> None:
    chain = load(unet_info, block_samples=128, windowed=windowed).chain
    x = noise(64)
    for _ in range(20):
        chain.process(x)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            chain.process(x)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < STEADY_BYTES
    assert peak - before < STEADY_BYTES


def test_a_trial_has_as_many_calls_as_requested_or_as_time_allows(monkeypatch) -> None:
    clock = Clock(monkeypatch, "realtime.inference.tuning")
    calls: list[float] = []

    def call() -> None:
        calls.append(clock.now)
        clock.now += 0.5

    # The first call does not count, and pauses are in no duration; none is longer than 30 ms.
    durations = call_durations(call, calls=5, pause_s=60.0, max_s=60.0)
    assert durations == pytest.approx([0.5] * 5)
    assert calls == pytest.approx([100.0, *(100.53 + 0.53 * i for i in range(5))])
    assert len(call_durations(call, calls=9, pause_s=0.0, max_s=1.0)) == 2
    assert len(call_durations(call, calls=9, pause_s=0.0, max_s=0.0, min_calls=4)) == 4
