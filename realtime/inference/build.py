"""The network's path in a chain: load the network, tune its threads, build the processor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

import numpy as np

from realtime.dsp.chain import NetworkPath
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.errors import ModelFileError
from realtime.inference.cpu_fallback import DeviceLossMonitor, FallbackStream, FallbackWindows
from realtime.inference.model_file import ModelInfo
from realtime.inference.streaming import StreamingNetwork, call_length
from realtime.inference.tuning import Network, Requested, Workload, tune
from realtime.inference.tuning_cache import Measurements
from realtime.inference.windowed import WindowedNetwork, WindowFunction
from realtime.sample_rates import SAMPLE_RATE_OUT

if TYPE_CHECKING:
    from realtime.inference.network import ScriptNetwork

# A processor that computes a block in less than its time by this factor can take over from a GPU.
BACKUP_RATIO = 1.2

Load = Callable[[str, int | None, str], Network]
"""Loads a network on ``cpu`` or ``cuda``, with threads and dtype."""


@dataclass(frozen=True)
class Tuned(Generic[Network]):
    """A network that is warm.

    Attributes:
        network: on the device that was asked for, if that can be used.
        backup: the same on the CPU; None where ``network`` is that.
        notice: empty, or what came otherwise than asked for.
    """

    network: Network
    backup: Network | None = None
    notice: str = ""


@dataclass(frozen=True)
class BuiltPath:
    """A wet path and the network in it."""

    wet: NetworkPath
    network: "ScriptNetwork"
    notice: str
    loss_monitor: DeviceLossMonitor | None


def usable_compute(compute: str) -> tuple[str, str]:
    """``cpu`` or ``cuda`` for what is asked for, and what came otherwise, in a line.

    Raises:
        SettingsError: if it is none of ``auto``, ``cpu`` and ``cuda``.
    """
    # Imported here: loading torch takes seconds that no other command should pay.
    from realtime.inference.network import choose_compute, cuda_available

    if compute == "cuda" and not cuda_available():
        return "cpu", "there is no CUDA device here: running on the CPU"
    return choose_compute(compute).type, ""


def load_and_tune(
    load: "Load[Network]",
    info: ModelInfo,
    workload: Workload,
    requested: Requested,
    *,
    measurements: Measurements | None,
) -> Tuned[Network]:
    """Load a network on the device that is asked for, or on the CPU where that fails.

    Args:
        load: loads it.
        info: the model file.
        workload: the calls to come.
        requested: device, threads and dtype.
        measurements: where the number of threads is looked up and kept.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        SettingsError: if compute, threads or dtype are wrong.
    """
    from realtime.inference.network import choose_dtype

    compute, notice = usable_compute(requested.compute)
    # tf32 is of GPUs: the CPU that backs one up computes in float32.
    only_gpu = compute == "cuda" and requested.dtype == "tf32"
    cpu_dtype = choose_dtype(None if only_gpu else requested.dtype, "cpu")
    # On the CPU first, also for a GPU: it has to be warm when the GPU is lost, and what is wrong
    # with a file is reported here.
    on_cpu = load("cpu", requested.threads, cpu_dtype)
    tune(on_cpu, info, workload, threads=requested.threads, measurements=measurements)
    if compute == "cpu":
        return Tuned(on_cpu, notice=notice)
    try:
        on_gpu = load("cuda", on_cpu.threads, choose_dtype(requested.dtype, "cuda"))
        on_gpu.warm_up(workload.channels, workload.samples)
    # torch says "not compiled with CUDA" by an assertion.
    except (ModelFileError, RuntimeError, AssertionError) as error:
        lines = str(error).strip().splitlines()
        reason = lines[0][:160] if lines else type(error).__name__
        return Tuned(on_cpu, notice=f"the GPU cannot be used ({reason}): running on the CPU")
    return Tuned(on_gpu, on_cpu)


def build_path(
    info: ModelInfo,
    requested: Requested,
    *,
    block_samples: int,
    channels: int,
    paced: bool,
    windowed: bool,
    measurements: Measurements | None,
) -> BuiltPath:
    """Load a model's network, tune it, and build the path around it.

    Args:
        info: the model file.
        requested: device, threads and dtype.
        block_samples: output samples per block.
        channels: 1 or 2.
        paced: blocks will come in real time, with pauses between them.
        windowed: run a streaming network on overlapping windows, as a plain one.
        measurements: where the number of threads is looked up and kept.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        SettingsError: if compute, threads or dtype are wrong.
    """
    # Imported here: loading torch takes seconds that no other command should pay.
    from realtime.inference.cuda_graph import GraphNetwork
    from realtime.inference.network import StreamNetwork, WindowNetwork

    streams = info.kind == "streaming" and not windowed
    # The network's grid begins where the front end's first sample arrives.
    origin = front_end_latency(info.front_end)
    crossfade = 0 if streams else min(info.crossfade_samples, block_samples)
    dry = DryWindows(info.ratio)

    def load(device: str, threads: int | None, dtype: str) -> "ScriptNetwork":
        if not streams:
            return WindowNetwork(info, compute=device, threads=threads, dtype=dtype)
        kind = GraphNetwork if device == "cuda" else StreamNetwork
        return kind(info, compute=device, threads=threads, dtype=dtype, origin_samples=origin)

    def windows(function: WindowFunction) -> WindowedNetwork:
        return windowed_network(info, function, block_samples, crossfade, origin)

    # The length of the windows follows from their geometry alone.
    call = call_length(block_samples, info.block_multiple) if streams else None
    samples = (call or windows(dry).window_samples) // info.ratio
    block_s = block_samples / SAMPLE_RATE_OUT
    workload = Workload(channels=channels, samples=samples, pause_s=block_s if paced else 0.0)
    tuned = load_and_tune(load, info, workload, requested, measurements=measurements)

    network, backup, loss_monitor = tuned.network, tuned.backup, None
    if backup is not None:
        # Without a clock the CPU may be slow.
        if paced and backup.call_s * BACKUP_RATIO > block_s:
            backup = None
        goes_on = "on the CPU" if backup else "with kaiser_fast alone"
        loss_monitor = DeviceLossMonitor(network.compute, goes_on)

    processor: StreamingNetwork | WindowedNetwork
    if isinstance(network, StreamNetwork):
        stream: StreamNetwork | FallbackStream = network
        if loss_monitor is not None:
            assert backup is None or isinstance(backup, StreamNetwork)
            context = info.context_samples[0]
            stream = FallbackStream(
                network, backup, loss_monitor, context_samples=context, call_samples=samples
            )
        processor = StreamingNetwork(stream, origin_samples=network.origin_samples)
    elif loss_monitor is not None:
        processor = windows(FallbackWindows(network, backup or dry, loss_monitor))
    else:
        processor = windows(network)
    wet = NetworkPath(processor, info.front_end, crossfade_samples=crossfade)
    return BuiltPath(wet, network, tuned.notice, loss_monitor)


class DryWindows:
    """In a network's place: the window as kaiser_fast has made it, or makes it here.

    Args:
        ratio: of the network.
    """

    def __init__(self, ratio: int) -> None:
        self._upsampler = KaiserUpsampler() if ratio > 1 else None

    def __call__(self, x: Audio) -> Audio:
        """A window, in time with the network's."""
        if self._upsampler is None:
            return x
        reach = self._upsampler.reach
        padded = np.pad(x, ((0, 0), (0, reach)))
        self._upsampler.prepare(ProcessSpec(max_block_samples=padded.shape[1], channels=len(x)))
        return self._upsampler.process(padded)[:, self._upsampler.latency_samples :]


def windowed_network(
    info: ModelInfo,
    function: WindowFunction,
    block_samples: int,
    crossfade_samples: int,
    origin_samples: int,
) -> WindowedNetwork:
    """A plain network on overlapping windows, one per block, with the context its file asks for."""
    left, right = info.context_samples
    on_grid = block_samples % info.block_multiple == 0
    return WindowedNetwork(
        function,
        hop_samples=block_samples,
        left_samples=left,
        right_samples=right,
        crossfade_samples=crossfade_samples,
        grid_multiple=info.block_multiple if on_grid else info.ratio,
        origin_samples=origin_samples,
        ratio=info.ratio,
    )


def front_end_latency(front_end: str) -> int:
    """Output samples that a front end is late by; 0 for ``none``."""
    return 0 if front_end == "none" else KaiserUpsampler(front_end).latency_samples
