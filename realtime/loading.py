"""From a model file to a chain that is warm and ready for its block size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from realtime.audio_file import SAMPLE_RATE_OUT
from realtime.chain import Chain, WetPath
from realtime.fallback import FallbackStream, FallbackWindows, Lifeline
from realtime.fit import Calls, Wish
from realtime.measurements import Measurements
from realtime.model_file import ModelInfo
from realtime.parameters import Parameters
from realtime.placement import Placed, place
from realtime.processor import Audio, ProcessSpec
from realtime.streaming import StreamingNetwork
from realtime.upsampler import KaiserUpsampler
from realtime.windowed import WindowedNetwork, WindowFunction

if TYPE_CHECKING:
    from realtime.network import ScriptNetwork, StreamNetwork, WindowNetwork

MIN_BLOCK_SAMPLES = 128
MAX_BLOCK_SAMPLES = 65_536

# A processor that computes a block in less than its time by this factor can take over from a GPU.
BACKUP_RATIO = 1.2


@dataclass(frozen=True, kw_only=True)
class LoadedChain:
    """A prepared chain and what it runs on."""

    chain: Chain
    block_samples: int
    """Output samples per block."""
    model: str
    compute: str
    """``cpu`` or the name of the CUDA device it was loaded on."""
    threads: int
    bind_thread: Callable[[], None]
    """To be called once by the thread that will process."""
    dtype: str = "float32"
    """What the network computes in: ``float32``, ``tf32`` or ``bfloat16``."""
    reason: str = ""
    """Why it is this model, in one line."""
    load_notice: str = ""
    """Empty, or what came otherwise than asked for, in one line."""
    lifeline: Lifeline | None = None
    """Of a device that may be lost."""

    @property
    def notice(self) -> str:
        """Empty, or the latest that the user should know, in one line."""
        return (self.lifeline.notice if self.lifeline else "") or self.load_notice

    @property
    def compute_now(self) -> str:
        """``cpu`` or the name of the CUDA device, if that was not lost."""
        return "cpu" if self.lifeline and self.lifeline.lost else self.compute


def check_block_samples(block_samples: int) -> None:
    """Refuse block lengths that the networks' grid does not divide.

    Raises:
        ValueError: if it is no multiple of 128 from 128 to 65536.
    """
    if not (
        MIN_BLOCK_SAMPLES <= block_samples <= MAX_BLOCK_SAMPLES
        and block_samples % MIN_BLOCK_SAMPLES == 0
    ):
        raise ValueError(
            f"the block must be a multiple of {MIN_BLOCK_SAMPLES} samples from "
            f"{MIN_BLOCK_SAMPLES} to {MAX_BLOCK_SAMPLES}, got {block_samples}"
        )


def load_chain(
    info: ModelInfo,
    *,
    block_samples: int,
    channels: int = 1,
    compute: str = "auto",
    threads: int | None = None,
    dtype: str = "auto",
    parameters: Parameters | None = None,
    paced: bool = True,
    windowed: bool = False,
    measurements: Measurements | None = None,
) -> LoadedChain:
    """Load a model, warm it up with the shape that will run, and prepare the chain around it.

    Where a GPU is missing, full or of no use, the network runs on the processor, and the chain's
    ``notice`` says so; likewise from then on when a GPU is lost while running.

    Args:
        info: the model file.
        block_samples: output samples per block; a multiple of 128.
        channels: 1 or 2.
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of the network; None for a good number.
        dtype: ``float32``, ``tf32`` (GPUs), ``bfloat16``, or ``auto`` for the fastest whose error
            can be neglected; see :mod:`realtime.precision`.
        parameters: where the A/B mix starts.
        paced: blocks will come in real time, with pauses between them.
        windowed: run a streaming network on overlapping windows, as a plain one.
        measurements: where the choice of threads and dtype is looked up and kept; None measures.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        ValueError: if block, compute, threads or dtype are wrong.
    """
    check_block_samples(block_samples)
    loader = _Loader(
        info=info,
        block_samples=block_samples,
        channels=channels,
        compute=compute,
        wish=Wish(threads=threads, dtype=dtype),
        paced=paced,
        measurements=measurements,
    )
    streams = info.kind == "streaming" and not windowed
    built = loader.streaming() if streams else loader.windowed()
    chain = Chain(built.wet, parameters=parameters)
    chain.prepare(
        ProcessSpec(
            max_block_samples=block_samples // 2,
            channels=channels,
            block_multiple=block_samples // 2,
            lead_samples=chain.lead_samples,
        )
    )
    network = built.network
    return LoadedChain(
        chain=chain,
        block_samples=block_samples,
        model=info.name,
        compute=network.compute,
        threads=network.threads,
        bind_thread=network.bind_thread,
        dtype=network.dtype,
        load_notice=built.notice,
        lifeline=built.lifeline,
    )


@dataclass(frozen=True)
class _Built:
    """A wet path and the network in it."""

    wet: WetPath
    network: "ScriptNetwork"
    notice: str
    lifeline: Lifeline | None


@dataclass(frozen=True, kw_only=True)
class _Loader:
    """Builds wet paths; the arguments of :func:`load_chain`."""

    info: ModelInfo
    block_samples: int
    channels: int
    compute: str
    wish: Wish
    paced: bool
    measurements: Measurements | None

    @property
    def origin_samples(self) -> int:
        """The network's grid starts where the front end's first upsampled sample arrives."""
        return front_end_latency(self.info.front_end)

    def calls(self, samples: int) -> Calls:
        """What the network will be asked for."""
        pause_s = self.block_samples / SAMPLE_RATE_OUT if self.paced else 0.0
        return Calls(channels=self.channels, samples=samples, pause_s=pause_s)

    def lifeline(self, placed: "Placed[StreamNetwork] | Placed[WindowNetwork]") -> Lifeline | None:
        """For a network with a backup."""
        if placed.backup is None:
            return None
        how = "on the CPU" if self.keeps_up(placed.backup) else "with kaiser_fast alone"
        return Lifeline(placed.network.compute, how)

    def keeps_up(self, backup: "ScriptNetwork") -> bool:
        """Whether the processor computes a block in its time; without a clock it may be slow."""
        block_s = self.block_samples / SAMPLE_RATE_OUT
        return not self.paced or backup.call_s * BACKUP_RATIO <= block_s

    def streaming(self) -> _Built:
        """Every sample computed once."""
        # Imported here: loading torch takes seconds that no other command should pay.
        from realtime.cuda_stream import GraphNetwork
        from realtime.network import StreamNetwork

        def make(device: str, wish: Wish) -> StreamNetwork:
            kind = GraphNetwork if device == "cuda" else StreamNetwork
            return kind(self.info, compute=device, threads=wish.threads, dtype=wish.dtype)

        placed = place(
            make,
            self.info,
            self.calls(self.block_samples),
            self.wish,
            compute=self.compute,
            measurements=self.measurements,
        )
        lifeline = self.lifeline(placed)
        network: StreamNetwork | FallbackStream = placed.network
        if placed.backup is not None and lifeline is not None:
            network = FallbackStream(
                placed.network,
                placed.backup if self.keeps_up(placed.backup) else None,
                lifeline,
                context_samples=self.info.context_samples[0],
            )
        wet = WetPath(
            StreamingNetwork(network, origin_samples=self.origin_samples),
            self.info.front_end,
            lead_samples=network.lead_samples,
        )
        return _Built(wet, placed.network, placed.notice, lifeline)

    def windowed(self) -> _Built:
        """Overlapping windows."""
        from realtime.network import WindowNetwork

        def make(device: str, wish: Wish) -> WindowNetwork:
            return WindowNetwork(self.info, compute=device, threads=wish.threads, dtype=wish.dtype)

        crossfade = min(self.info.crossfade_samples, self.block_samples)

        def windows(function: WindowFunction) -> WindowedNetwork:
            return windowed_network(
                self.info, function, self.block_samples, crossfade, self.origin_samples
            )

        placed = place(
            make,
            self.info,
            # The length of the windows follows from their geometry alone.
            self.calls(windows(_unchanged).window_samples),
            self.wish,
            compute=self.compute,
            measurements=self.measurements,
        )
        lifeline = self.lifeline(placed)
        function: WindowFunction = placed.network
        if placed.backup is not None and lifeline is not None:
            backup = placed.backup if self.keeps_up(placed.backup) else _unchanged
            function = FallbackWindows(placed.network, backup, lifeline)
        wet = WetPath(windows(function), self.info.front_end, crossfade_samples=crossfade)
        return _Built(wet, placed.network, placed.notice, lifeline)


def _unchanged(x: Audio) -> Audio:
    return x


def windowed_network(
    info: ModelInfo,
    function: WindowFunction,
    block_samples: int,
    crossfade_samples: int,
    origin_samples: int,
) -> WindowedNetwork:
    """A plain network on overlapping windows, one per block, with the context its file asks for."""
    left, right = info.context_samples
    return WindowedNetwork(
        function,
        hop_samples=block_samples,
        left_samples=left,
        right_samples=right,
        crossfade_samples=crossfade_samples,
        grid_multiple=info.block_multiple if block_samples % info.block_multiple == 0 else 1,
        origin_samples=origin_samples,
    )


def front_end_latency(front_end: str) -> int:
    """Output samples that a front end is late by; 0 for ``none``."""
    return 0 if front_end == "none" else KaiserUpsampler(front_end).latency_samples
