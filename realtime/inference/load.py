"""Makes a warm chain of a model file: load the network, tune its threads, build the chain."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from realtime.dsp.chain import Chain, NetworkPath
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import ProcessSpec
from realtime.dsp.silence_gate import rest_in_silence
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.errors import ModelFileError, SettingsError, error_line
from realtime.inference.model_file import ModelInfo
from realtime.inference.streaming import StreamingNetwork, call_length
from realtime.inference.tuning import Requested, Workload, tune
from realtime.inference.tuning_cache import TuningCache
from realtime.inference.windowed import WindowedNetwork, WindowFunction
from realtime.sample_rates import SAMPLE_RATE_OUT

if TYPE_CHECKING:
    from realtime.inference.network import ScriptNetwork

MIN_BLOCK_SAMPLES = 128
MAX_BLOCK_SAMPLES = 65_536


@dataclass(frozen=True, kw_only=True)
class LoadedChain:
    """A prepared chain and the device that it runs on."""

    chain: Chain
    block_samples: int
    """Output samples per block."""
    model: str
    model_b: str = ""
    """The second network; empty for none."""
    compute: str
    """``cpu`` or the name of the CUDA device."""
    threads: int
    bind_thread: Callable[[], None]
    """To be called once by the thread that will process."""
    dtype: str = "float32"
    """``float32``, ``tf32`` or ``bfloat16``."""
    reason: str = ""
    """Why this model was chosen, in one line."""
    load_notice: str = ""
    """What differs from the request, in one line; empty if nothing does."""

    @property
    def notice(self) -> str:
        """The latest line that the user should read; empty if there is none."""
        lost = next((path.lost for path in self.chain.paths if path.lost), "")
        return f"{self.compute} was lost ({lost}): running on the CPU" if lost else self.load_notice

    @property
    def compute_now(self) -> str:
        """``cpu``, or the name of the CUDA device while it is not lost."""
        return "cpu" if any(path.lost for path in self.chain.paths) else self.compute


@dataclass(frozen=True)
class Layout:
    """How a session calls a network. All lengths but ``call_samples`` are output samples."""

    info: ModelInfo
    block_samples: int
    windowed: bool = False
    """Run a streaming network on overlapping windows."""

    @property
    def streams(self) -> bool:
        """Whether the network keeps a state from call to call."""
        return self.info.kind == "streaming" and not self.windowed

    @property
    def origin_samples(self) -> int:
        """Where the network's grid begins: at the first sample from the front end."""
        front_end = self.info.front_end
        return 0 if front_end == "none" else KaiserUpsampler(front_end).latency_samples

    @property
    def call_samples(self) -> int:
        """Input samples of every call."""
        if self.streams:
            return call_length(self.block_samples, self.info.block_multiple) // self.info.ratio
        return self.windows(lambda x: x).window_samples // self.info.ratio

    def load(self, compute: str, threads: int | None, dtype: str) -> "ScriptNetwork":
        """Load the network on ``cpu`` or ``cuda``."""
        # Imported here: torch takes seconds to load, and other commands do without it.
        from realtime.inference.network import WindowNetwork
        from realtime.inference.stream_network import GraphNetwork, StreamNetwork

        requested = Requested(compute=compute, threads=threads, dtype=dtype)
        if not self.streams:
            return WindowNetwork(self.info, **requested)
        kind = GraphNetwork if compute == "cuda" else StreamNetwork
        return kind(self.info, origin_samples=self.origin_samples, **requested)

    def windows(self, function: WindowFunction) -> WindowedNetwork:
        """A processor that runs a function on overlapping windows, one per block."""
        info = self.info
        left, right = info.context_samples
        on_grid = self.block_samples % info.block_multiple == 0
        return WindowedNetwork(
            function,
            hop_samples=self.block_samples,
            left_samples=left,
            right_samples=right,
            crossfade_samples=min(info.crossfade_samples, self.block_samples),
            grid_multiple=info.block_multiple if on_grid else info.ratio,
            origin_samples=self.origin_samples,
            ratio=info.ratio,
        )

    def path(self, network: Any, backup: Any) -> NetworkPath:
        """The path around networks that :meth:`load` made, and that are warm.

        ``backup`` is the same network on the CPU if this one is on a GPU, else None.
        """
        made = self._processor(network)
        spare = self._processor(backup) if backup else None
        fresh = self.call_samples * self.info.ratio if self.streams else self.block_samples
        load = network.call_s * SAMPLE_RATE_OUT / fresh
        return NetworkPath(made, self.info.front_end, made.crossfade_samples, spare, load)

    def _processor(self, network: Any) -> StreamingNetwork:
        if not self.streams:
            return self.windows(network)
        return StreamingNetwork(network, origin_samples=network.origin_samples)


def check_block_samples(block_samples: int) -> None:
    """Refuse block lengths that do not fit the networks' grid.

    Raises:
        SettingsError: if it is no multiple of 128 from 128 to 65536.
    """
    if block_samples not in range(MIN_BLOCK_SAMPLES, MAX_BLOCK_SAMPLES + 1, MIN_BLOCK_SAMPLES):
        raise SettingsError(
            f"the block must be a multiple of {MIN_BLOCK_SAMPLES} samples from "
            f"{MIN_BLOCK_SAMPLES} to {MAX_BLOCK_SAMPLES}, got {block_samples}"
        )


def load_chain(
    info: ModelInfo,
    info_b: ModelInfo | None = None,
    *,
    block_samples: int,
    channels: int = 1,
    parameters: Parameters | None = None,
    paced: bool = True,
    windowed: bool = False,
    cache: TuningCache | None = None,
    **requested: Unpack[Requested],
) -> LoadedChain:
    """Load a model, warm it up with the shapes that will run, and prepare its chain.

    If a GPU is missing, full or unusable, the network runs on the CPU, and the chain's ``notice``
    says so. The same happens when a GPU is lost later, once the chain falls back.

    Args:
        info: the model file.
        info_b: a second one, which bypass plays; it runs on as many threads as the first.
        block_samples: output samples per block; a multiple of 128.
        channels: 1 or 2.
        parameters: the first parameters of the A/B mix.
        paced: blocks will come in real time, with pauses between them.
        windowed: run a streaming network on overlapping windows.
        cache: keeps the fastest number of threads; None measures each time.
        requested: device, threads and dtype.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        SettingsError: if block, compute, threads or dtype are wrong.
    """
    check_block_samples(block_samples)
    pause_s = block_samples / SAMPLE_RATE_OUT if paced else 0.0
    loads = []
    for model in (info, info_b) if info_b else (info,):
        layout = Layout(model, block_samples, windowed)
        workload = Workload(channels=channels, samples=layout.call_samples, pause_s=pause_s)
        tuned = load_and_tune(layout.load, model, workload, requested, cache=cache)
        requested["threads"] = tuned[0].threads
        loads.append((layout, *tuned))
    paths = [layout.path(network, backup) for layout, network, backup, _ in loads]
    if paced:
        # Not in files: what follows a long silence depends on where blocks begin.
        paths = [rest_in_silence(path) for path in paths]
    chain = Chain(*paths, parameters=parameters)
    block = block_samples // 2
    network = loads[0][1]
    chain.prepare(ProcessSpec(max_block_samples=block, channels=channels, block_multiple=block))
    return LoadedChain(
        chain=chain,
        block_samples=block_samples,
        model=info.name,
        model_b=info_b.name if info_b else "",
        compute=network.compute,
        threads=network.threads,
        bind_thread=network.bind_thread,
        dtype=network.dtype,
        load_notice=next(filter(None, (notice for *_, notice in loads)), ""),
    )


def load_and_tune(
    load: "Callable[[str, int | None, str], ScriptNetwork]",
    info: ModelInfo,
    workload: Workload,
    requested: Requested,
    *,
    cache: TuningCache | None,
) -> "tuple[ScriptNetwork, ScriptNetwork | None, str]":
    """Load a network on the requested device, or on the CPU if that fails, and tune it.

    ``load`` loads it on ``cpu`` or ``cuda``, with threads and dtype.

    Returns:
        The network, warm; the same on the CPU if it is on a GPU; and a line for the user if
        something differs from the request.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        SettingsError: if compute, threads or dtype are wrong.
    """
    from realtime.inference.network import choose_dtype

    compute, notice = usable_compute(requested.get("compute", "auto"))
    threads, dtype = requested.get("threads"), requested.get("dtype")
    # The CPU that backs up a GPU has no tf32 and computes in float32.
    cpu_dtype = choose_dtype(None if (compute, dtype) == ("cuda", "tf32") else dtype, "cpu")
    # The CPU comes first, also for a GPU: it has to be warm when the GPU is lost, and it finds the
    # errors of a model file.
    on_cpu = load("cpu", threads, cpu_dtype)
    tune(on_cpu, info, workload, threads=threads, cache=cache)
    if compute == "cpu":
        return on_cpu, None, notice
    try:
        on_gpu = load("cuda", on_cpu.threads, choose_dtype(dtype, "cuda"))
        on_gpu.warm_up(workload.channels, workload.samples)
    # torch without CUDA raises an AssertionError.
    except (ModelFileError, RuntimeError, AssertionError) as error:
        return on_cpu, None, f"the GPU cannot be used ({error_line(error)}): running on the CPU"
    return on_gpu, on_cpu, ""


def usable_compute(compute: str) -> tuple[str, str]:
    """``cpu`` or ``cuda`` for a request, and a line if it is not what was requested."""
    from realtime.inference.network import choose_compute

    if compute == "cuda" and choose_compute("auto").type == "cpu":
        return "cpu", "there is no CUDA device here: running on the CPU"
    return choose_compute(compute).type, ""
