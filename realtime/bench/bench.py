"""Measures the speed of every stage on this machine: ``topoctave bench``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

from realtime.audio_io.streams import OUTPUT_BLOCK_S
from realtime.bench.stage import ROUND_S, ROUNDS, Row, Stage, bench_row, memory_mb, run_group
from realtime.dsp.processor import ProcessSpec
from realtime.dsp.upsampler import FILTERS, KaiserUpsampler
from realtime.engine.latency_control import prefill_for
from realtime.errors import ModelFileError
from realtime.inference.cpu_info import cpu_name, has_bfloat16
from realtime.inference.load import load_chain
from realtime.inference.model_file import ModelInfo, shipped_models
from realtime.inference.network import WindowNetwork, choose_compute
from realtime.inference.tuning import noise, thread_choices
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

FRONT_END_BLOCK = 512
STREAMING_BLOCKS = (128, 256, 512, 1024, 2048, 4096)
WINDOWED_BLOCKS = (512, 1024, 2048, 4096)
# For the other number formats.
DTYPE_BLOCKS = (1024, 4096)
WHOLE_S = 5.0

Group = Callable[[], Iterable[Stage]]


def front_end_stages() -> Iterator[Stage]:
    """The streaming upsamplers."""
    x = noise(1, FRONT_END_BLOCK)
    for name in FILTERS:
        upsampler = KaiserUpsampler(name)
        upsampler.prepare(ProcessSpec(max_block_samples=FRONT_END_BLOCK))
        row = bench_row("front_end", name, block=FRONT_END_BLOCK)
        yield Stage(row, partial(upsampler.process, x), FRONT_END_BLOCK / SAMPLE_RATE_IN)


def offline_stage(
    info: ModelInfo, device: str, threads: int, *, dtype: str, block: int | None = None
) -> Stage:
    """A plain call of the network, on a whole signal or, without state, on a block."""
    network = WindowNetwork(info, compute=device, threads=threads, dtype=dtype)
    length = block or round(WHOLE_S * SAMPLE_RATE_OUT) // info.block_multiple * info.block_multiple
    network.warm_up(1, length // info.ratio)
    kind = "stateless" if block else "offline"
    row = bench_row(kind, info.name, device=device, threads=threads, dtype=dtype, block=block)
    call = partial(network, noise(1, length // info.ratio))
    return Stage(row, call, length / SAMPLE_RATE_OUT, network.bind_thread)


def chain_stage(
    info: ModelInfo, kind: str, device: str, threads: int, *, dtype: str, block: int
) -> Stage:
    """The whole live chain around a model, ``streaming`` or ``windowed``, block by block."""
    loaded = load_chain(
        info,
        block_samples=block,
        compute=device,
        threads=threads,
        dtype=dtype,
        windowed=kind == "windowed",
        paced=False,
    )
    if loaded.notice:
        raise ModelFileError(loaded.notice)
    # Of an engine without its devices: chain, a block, and the prefill for an output device.
    latency_samples = loaded.chain.latency_samples + block + prefill_for(block, OUTPUT_BLOCK_S)
    row = bench_row(kind, info.name, device=device, threads=threads, dtype=dtype, block=block)
    row["latency_ms"] = round(1e3 * latency_samples / SAMPLE_RATE_OUT, 2)
    call = partial(loaded.chain.process, noise(1, block // 2))
    return Stage(row, call, block / SAMPLE_RATE_OUT, loaded.bind_thread)


def model_groups(info: ModelInfo, device: str) -> Iterator[Group]:
    """A model on whole signals, without state and live, per number of threads and format."""
    for threads in thread_choices(None) if device == "cpu" else [1]:
        yield partial(_model_stages, info, device, threads)
    others = ("tf32", "bfloat16") if device == "cuda" else ("bfloat16",) * has_bfloat16()
    for dtype in others:
        yield partial(_dtype_stages, info, device, dtype)


def _model_stages(info: ModelInfo, device: str, threads: int) -> Iterator[Stage]:
    yield offline_stage(info, device, threads, dtype="float32")
    for block in STREAMING_BLOCKS:
        if block % info.block_multiple == 0:
            yield offline_stage(info, device, threads, dtype="float32", block=block)
        if info.kind == "streaming":
            yield chain_stage(info, "streaming", device, threads, dtype="float32", block=block)
        if block in WINDOWED_BLOCKS:
            yield chain_stage(info, "windowed", device, threads, dtype="float32", block=block)


def _dtype_stages(info: ModelInfo, device: str, dtype: str) -> Iterator[Stage]:
    threads = thread_choices(None)[-1] if device == "cpu" else 1
    try:
        yield offline_stage(info, device, threads, dtype=dtype)
        for block in DTYPE_BLOCKS:
            yield chain_stage(info, info.kind, device, threads, dtype=dtype, block=block)
    except ModelFileError:
        return  # a network need not run in other formats


def window_row(redraw: Mapping[str, Any]) -> Row:
    """The row of stage ``window`` for the result of ``gui.bench.measure_redraw``."""
    row = bench_row("window", f"redraw, {redraw['platform']}", real_time_ratio=None)
    return row | {k: redraw[k] for k in ("p50_ms", "p99_ms")} | {"memory_mb": memory_mb()}


def bench_devices(compute: str) -> list[str]:
    """``cpu`` and ``cuda``, if requested and available."""
    devices = {choose_compute(compute).type} | ({"cpu"} if compute == "auto" else set())
    return sorted(devices)


def measure(
    *,
    compute: str = "auto",
    models: Iterable[ModelInfo] | None = None,
    more: Iterable[Stage] = (),
    groups: Iterable[Group] = (),
    rows: Iterable[Callable[[], Row | None]] = (),
    rounds: int = ROUNDS,
    round_s: float = ROUND_S,
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure everything; returns the object of ``topoctave bench --json``.

    Args:
        compute: ``auto`` for all devices, ``cpu`` or ``cuda``.
        models: the shipped ones by default.
        more: stages of other packages, compared with the front end.
        groups: more stages of other packages, each group made just before it is measured.
        rows: functions that measure a row; None if they cannot.
        rounds: per stage.
        round_s: seconds per round.
        report: called with one line of progress at a time.

    Raises:
        SettingsError: if compute is wrong.
    """
    devices = bench_devices(compute)
    report("measuring the front end")
    results = run_group([*front_end_stages(), *more], rounds=rounds, round_s=round_s)
    infos = shipped_models() if models is None else models
    own = (g for info in infos for device in devices for g in model_groups(info, device))
    for group in (*own, *groups):
        if stages := list(group()):
            report(f"measuring {stages[0].row['name']}")
            results += run_group(stages, rounds=rounds, round_s=round_s)
    for row in rows:
        if (result := row()) is not None:
            report(f"measured {result['stage']} {result['name']}")
            results.append(result)
    return {"machine": cpu_name(), "torch": version("torch"), "rows": results}
