"""What `topoctave bench` measures and draws; no figure depends on how fast this machine is."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from models.evaluation.bench import untrained_groups
from realtime.bench.bench import bench_devices, measure, window_row
from realtime.bench.plot import best_curves, plot_bench
from realtime.bench.stage import Stage, bench_row, run_group
from realtime.bench.startup_time import start_up_rows, time_until
from realtime.errors import AudioFileError, SettingsError, TopoctaveError
from realtime.terminal.tables import bench_table
from tests.helpers.cli import printed
from tests.helpers.clock import Clock
from topoctave import main

KEYS = {"stage", "name", "device", "threads", "dtype", "block", "latency_ms", "real_time_ratio",
        "p50_ms", "p99_ms", "memory_mb"}  # fmt: skip


def test_stages_of_a_group_take_turns_and_measure_what_a_call_takes(monkeypatch) -> None:
    clock = Clock(monkeypatch, "realtime.inference.tuning")
    events: list[str] = []

    def stage(name: str, *seconds: float) -> Stage:
        durations = itertools.cycle(seconds)

        def call() -> None:
            events.append("call")
            clock.sleep(next(durations))

        return Stage(bench_row("s", name), call, 1.0, lambda: events.append(name))

    rows = run_group([stage("a", 9.0, 0.1, 0.3), stage("b", 0.5)], rounds=3, round_s=0.0)
    # A round begins with its preparation and a call that is not counted.
    assert events == ["a", "call", "call", "call", "b", "call", "call", "call"] * 3
    assert [r["name"] for r in rows] == ["a", "b"]
    assert [(r["p50_ms"], r["p99_ms"]) for r in rows] == [(200.0, 300.0), (500.0, 500.0)]
    assert [r["real_time_ratio"] for r in rows] == [5.0, 2.0]
    assert set(rows[0]) == KEYS


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
def test_memory_is_what_is_held_now_not_what_was() -> None:
    # In a process of its own: the memory that earlier tests have freed would be used again.
    code = (
        "import numpy as np\n"
        "from realtime.bench.stage import memory_mb\n"
        "before = memory_mb()\n"
        "held = np.ones(2**23)\n"  # 64 MB: more than the allocator would keep
        "during = memory_mb()\n"
        "del held\n"
        "print(before, during, memory_mb())"
    )
    before, during, after = map(float, printed(code).split())
    assert during - before > 50
    assert after - before < 50


def test_every_row_has_the_same_keys_and_every_stage_its_rows(
    unet_info, smooth_info, monkeypatch
) -> None:
    shortened = {
        "WHOLE_S": 0.1, "STREAMING_BLOCKS": (128, 1024), "WINDOWED_BLOCKS": (1024,),
        "thread_choices": lambda _: [1], "has_bfloat16": lambda: True,
    }  # fmt: skip
    for name, value in shortened.items():
        monkeypatch.setattr(f"realtime.bench.bench.{name}", value)
    lines: list[str] = []
    result = measure(
        compute="cpu",
        models=[unet_info, smooth_info],
        # What cannot be measured is left out.
        rows=[lambda: None, lambda: window_row({"p50_ms": 2.0, "p99_ms": 3.0, "platform": "xcb"})],
        rounds=1,
        round_s=0.0,
        report=lines.append,
    )
    rows = result["rows"]
    assert all(set(r) == KEYS for r in rows)
    assert all(r["p99_ms"] >= r["p50_ms"] > 0 for r in rows)
    found = [(r["stage"], r["name"], r["dtype"], r["block"]) for r in rows]
    assert found == [
        ("front_end", "kaiser_fast", "float32", 512), ("front_end", "kaiser_best", "float32", 512),
        ("offline", "unet", "float32", None), ("stateless", "unet", "float32", 128),
        ("streaming", "unet", "float32", 128), ("stateless", "unet", "float32", 1024),
        ("streaming", "unet", "float32", 1024), ("windowed", "unet", "float32", 1024),
        ("offline", "unet", "bfloat16", None), ("streaming", "unet", "bfloat16", 1024),
        ("streaming", "unet", "bfloat16", 4096),
        # No rows in bfloat16: this network's buffer cannot be.
        ("offline", "smooth", "float32", None), ("stateless", "smooth", "float32", 128),
        ("stateless", "smooth", "float32", 1024), ("windowed", "smooth", "float32", 1024),
        ("window", "redraw, xcb", "float32", None),
    ]  # fmt: skip
    # Streaming at 1024: two blocks, the front end and 591 samples of the network.
    late = {(r["name"], r["stage"], r["block"]): r["latency_ms"] for r in rows}
    assert late["unet", "streaming", 1024] == pytest.approx(
        1e3 * (2 * 1024 + 46 + 591) / 44_100, abs=0.01
    )
    assert late["unet", "stateless", 1024] is None
    assert late["unet", "windowed", 1024] > late["unet", "streaming", 1024]
    assert "measuring unet" in lines
    text = bench_table(result)
    assert len(text.splitlines()) == len(rows) + 3


def test_devices_are_those_that_are_there(monkeypatch) -> None:
    assert bench_devices("cpu") == ["cpu"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert bench_devices("auto") == ["cpu", "cuda"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert bench_devices("auto") == ["cpu"]
    with pytest.raises(SettingsError, match="no CUDA device"):
        bench_devices("cuda")


def test_the_untrained_network_is_measured_when_it_is_its_turn(monkeypatch) -> None:
    monkeypatch.setattr("models.evaluation.bench.WIDTH", 2)
    monkeypatch.setattr("models.evaluation.bench.WIDE_BLOCK", 256)
    monkeypatch.setattr("models.evaluation.bench.has_bfloat16", lambda: True)
    (group,) = untrained_groups(["cpu"])
    before = torch.random.get_rng_state()
    rows = run_group(group(), rounds=1, round_s=0.0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert [(r["name"], r["stage"], r["dtype"], r["block"]) for r in rows] == [
        ("unet-2-random", "streaming", "float32", 256),
        ("unet-2-random", "streaming", "bfloat16", 256),
    ]


def test_start_up_is_measured_from_outside_and_a_failure_is_no_start(monkeypatch, project) -> None:
    monkeypatch.chdir(project)
    first, *_ = start_up_rows(runs=1)
    row = first()
    assert (row["stage"], row["name"]) == ("start_up", "help")
    assert row["real_time_ratio"] is None
    assert row["p50_ms"] > 10  # no Python starts sooner
    assert set(row) == KEYS
    with pytest.raises(TopoctaveError, match="nonsense"):
        time_until(["nonsense"], "")
    with pytest.raises(TopoctaveError, match="failed"):
        time_until(["--help"], "a line that it does not print")


def row(stage: str, block: int | None, ratio: float, **changes: Any) -> dict[str, Any]:
    late = None if stage == "stateless" else 10.0 + ratio
    made = bench_row(stage, "unet", block=block, latency_ms=late)
    return made | {"real_time_ratio": ratio, "p50_ms": 1.0, "p99_ms": 1.0} | changes


def test_curves_take_the_best_of_each_block() -> None:
    rows = [
        row("streaming", 1024, 20.0, threads=1),
        row("streaming", 512, 11.0, threads=1),
        row("streaming", 512, 9.0, threads=2),
        row("streaming", 1024, 25.0, threads=2),
        row("stateless", 512, 12.0),
        row("offline", None, 50.0),
        row("front_end", 512, 3000.0),
    ]
    assert best_curves(rows, "real_time_ratio") == {
        ("streaming", "unet", "cpu"): [(512, 11.0), (1024, 25.0)],
        ("stateless", "unet", "cpu"): [(512, 12.0)],
    }
    assert best_curves(rows, "latency_ms") == {
        ("streaming", "unet", "cpu"): [(512, 21.0), (1024, 35.0)]
    }


@pytest.mark.parametrize("rows", [[], [row("streaming", 512, 9.0), row("windowed", 512, 4.0)]])
def test_the_plot_is_written(tmp_path, rows) -> None:
    path = tmp_path / "bench.png"
    plot_bench({"machine": "m", "torch": "t", "rows": rows}, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(AudioFileError, match="cannot write"):
        plot_bench({"machine": "m", "torch": "t", "rows": rows}, tmp_path / "missing" / "a.png")


@pytest.mark.parametrize("name", ["missing/bench.png", "bench.jpg"])
def test_a_wrong_plot_name_is_refused_before_anything_is_measured(tmp_path, name, capsys) -> None:
    assert main(["bench", "--plot", str(tmp_path / name)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
