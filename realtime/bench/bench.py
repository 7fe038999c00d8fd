"""Speed of every stage on this machine: ``topoctave bench``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from realtime.audio_io.streams import OUTPUT_BLOCK_S
from realtime.bench.stage import ROUND_S, ROUNDS, Row, Stage, bench_row, memory_mb, run_group
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import FILTERS, KaiserUpsampler
from realtime.engine.latency_control import prefill_for
from realtime.errors import ModelFileError
from realtime.inference.cpu_info import cpu_name, has_bfloat16
from realtime.inference.load import LoadedChain, load_chain
from realtime.inference.model_file import ModelInfo, shipped_models
from realtime.inference.network import WindowNetwork, choose_compute, cuda_available
from realtime.inference.tuning import thread_choices
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

__all__ = ["Row", "Stage", "bench_row", "chain_stage", "measure", "memory_mb"]

FRONT_END_BLOCK = 512
STREAMING_BLOCKS = (128, 256, 512, 1024, 2048, 4096)
WINDOWED_BLOCKS = (512, 1024, 2048, 4096)
# Where fewer bits are measured besides float32.
DTYPE_BLOCKS = (1024, 4096)
WHOLE_S = 5.0

Group = Callable[[], Iterable[Stage]]


def _noise(channels: int, samples: int) -> Audio:
    rng = np.random.default_rng(0)
    return rng.normal(0.0, 0.05, (channels, samples)).astype(np.float32)


def front_end_stages() -> Iterator[Stage]:
    """The streaming upsamplers."""
    x = _noise(1, FRONT_END_BLOCK)
    for name in FILTERS:
        upsampler = KaiserUpsampler(name)
        upsampler.prepare(ProcessSpec(max_block_samples=FRONT_END_BLOCK))
        row = bench_row("front_end", name, block=FRONT_END_BLOCK)
        yield Stage(row, partial(upsampler.process, x), FRONT_END_BLOCK / SAMPLE_RATE_IN)


def offline_stage(
    info: ModelInfo, device: str, threads: int, *, dtype: str, block: int | None = None
) -> Stage:
    """A plain call of the network: of a whole signal, or, stateless, of a block's length.

    Raises:
        ModelFileError: if the network cannot be run so.
    """
    network = WindowNetwork(info, compute=device, threads=threads, dtype=dtype)
    length = block or round(WHOLE_S * SAMPLE_RATE_OUT) // info.block_multiple * info.block_multiple
    network.warm_up(1, length // info.ratio)
    return Stage(
        bench_row(
            "stateless" if block else "offline",
            info.name,
            device=device,
            threads=threads,
            dtype=dtype,
            block=block,
        ),
        partial(network, _noise(1, length // info.ratio)),
        length / SAMPLE_RATE_OUT,
        network.bind_thread,
    )


def chain_stage(
    info: ModelInfo, kind: str, device: str, threads: int, *, dtype: str, block: int
) -> Stage:
    """The whole live chain around a model, ``streaming`` or ``windowed``, block by block.

    Raises:
        ModelFileError: if the network cannot be run so.
    """
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
    row = bench_row(
        kind,
        info.name,
        device=device,
        threads=threads,
        dtype=dtype,
        block=block,
        latency_ms=engine_latency_ms(loaded),
    )
    call = partial(loaded.chain.process, _noise(1, block // 2))
    return Stage(row, call, block / SAMPLE_RATE_OUT, loaded.bind_thread)


def engine_latency_ms(loaded: LoadedChain) -> float:
    """Of an engine around the chain: its own, a block, and the safety that a device needs."""
    block = loaded.block_samples
    late = loaded.chain.latency_samples + block + prefill_for(block, OUTPUT_BLOCK_S)
    return round(1e3 * late / SAMPLE_RATE_OUT, 2)


def model_groups(info: ModelInfo, device: str) -> Iterator[Group]:
    """A model whole, stateless and through the live chain, per number of threads and format."""
    for threads in thread_choices(None) if device == "cpu" else [1]:
        yield partial(_model_stages, info, device, threads)
    rougher = ("tf32", "bfloat16") if device == "cuda" else ("bfloat16",) * has_bfloat16()
    for dtype in rougher:
        yield partial(_rough_stages, info, device, dtype)


def _model_stages(info: ModelInfo, device: str, threads: int) -> Iterator[Stage]:
    yield offline_stage(info, device, threads, dtype="float32")
    for block in STREAMING_BLOCKS:
        if block % info.block_multiple == 0:
            yield offline_stage(info, device, threads, dtype="float32", block=block)
        if info.kind == "streaming":
            yield chain_stage(info, "streaming", device, threads, dtype="float32", block=block)
        if block in WINDOWED_BLOCKS:
            yield chain_stage(info, "windowed", device, threads, dtype="float32", block=block)


def _rough_stages(info: ModelInfo, device: str, dtype: str) -> Iterator[Stage]:
    threads = thread_choices(None)[-1] if device == "cpu" else 1
    try:
        yield offline_stage(info, device, threads, dtype=dtype)
        for block in DTYPE_BLOCKS:
            yield chain_stage(info, info.kind, device, threads, dtype=dtype, block=block)
    except ModelFileError:
        # A network need not know other formats than its own.
        return


def window_row(redraw: Mapping[str, Any]) -> Row:
    """The row of stage ``window``: an update of its pictures.

    Args:
        redraw: ``p50_ms`` and ``p99_ms``, and ``platform``, the way to the screen.
    """
    figures = {k: redraw[k] for k in ("p50_ms", "p99_ms")}
    row = bench_row("window", f"redraw, {redraw['platform']}")
    return row | {"real_time_ratio": None} | figures | {"memory_mb": memory_mb()}


def bench_devices(compute: str) -> list[str]:
    """``cpu`` and ``cuda``, as far as they are meant and there.

    Raises:
        SettingsError: if compute is wrong.
    """
    if compute == "auto":
        return ["cpu", "cuda"] if cuda_available() else ["cpu"]
    return [choose_compute(compute).type]


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
    """Measure everything.

    Args:
        compute: ``auto`` for all devices, ``cpu`` or ``cuda``.
        models: the shipped ones by default.
        more: stages of other packages that are compared with the front end.
        groups: further stages of other packages, made when it is their turn.
        rows: further rows, measured by their own means; None where that is not possible.
        rounds: how often each stage has its turn.
        round_s: how long a turn takes.
        report: called with one line of progress at a time.

    Returns:
        The object of ``topoctave bench --json``.

    Raises:
        SettingsError: if compute is wrong.
    """
    devices = bench_devices(compute)
    report("measuring the front end")
    results = run_group([*front_end_stages(), *more], rounds=rounds, round_s=round_s)
    for info in shipped_models() if models is None else models:
        for device in devices:
            for group in model_groups(info, device):
                report(f"measuring {info.name}")
                results += run_group(list(group()), rounds=rounds, round_s=round_s)
    for group in groups:
        stages = list(group())
        if stages:
            report(f"measuring {stages[0].row['name']}")
        results += run_group(stages, rounds=rounds, round_s=round_s)
    for row in rows:
        result = row()
        if result is not None:
            report(f"measured {result['stage']} {result['name']}")
            results.append(result)
    return {"machine": cpu_name(), "torch": version("torch"), "rows": results}
