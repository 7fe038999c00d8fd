"""From a model file to a chain that is warm and ready for its block size."""

from collections.abc import Callable
from dataclasses import dataclass

from realtime.audio_file import SAMPLE_RATE_OUT
from realtime.chain import Chain, WetPath
from realtime.model_file import ModelInfo
from realtime.parameters import Parameters
from realtime.processor import ProcessSpec
from realtime.streaming import StreamingNetwork
from realtime.upsampler import KaiserUpsampler
from realtime.windowed import WindowedNetwork, WindowFunction

MIN_BLOCK_SAMPLES = 128
MAX_BLOCK_SAMPLES = 65_536


@dataclass(frozen=True, kw_only=True)
class LoadedChain:
    """A prepared chain and what it runs on."""

    chain: Chain
    block_samples: int
    """Output samples per block."""
    model: str
    compute: str
    threads: int
    bind_thread: Callable[[], None]
    """To be called once by the thread that will process."""


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
    parameters: Parameters | None = None,
    paced: bool = True,
    windowed: bool = False,
) -> LoadedChain:
    """Load a model, warm it up with the shape that will run, and prepare the chain around it.

    Args:
        info: the model file.
        block_samples: output samples per block; a multiple of 128.
        channels: 1 or 2.
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of the network; None for a good number.
        parameters: where the A/B mix starts.
        paced: blocks will come in real time, with pauses between them.
        windowed: run a streaming network on overlapping windows, as a plain one.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        ValueError: if block, compute or threads are wrong.
    """
    check_block_samples(block_samples)
    # Imported here: loading torch takes seconds that no other command should pay.
    from realtime.network import ScriptNetwork, StreamNetwork, WindowNetwork

    # The network's grid starts where the front end's first upsampled sample arrives.
    origin = front_end_latency(info.front_end)
    network: ScriptNetwork
    if info.kind == "streaming" and not windowed:
        network = stream = StreamNetwork(info, compute=compute, threads=threads)
        wet = WetPath(
            StreamingNetwork(stream, origin_samples=origin),
            info.front_end,
            lead_samples=stream.lead_samples,
        )
        call_samples = block_samples
    else:
        network = WindowNetwork(info, compute=compute, threads=threads)
        crossfade = min(info.crossfade_samples, block_samples)
        windows = windowed_network(info, network, block_samples, crossfade, origin)
        wet = WetPath(windows, info.front_end, crossfade_samples=crossfade)
        call_samples = windows.window_samples
    pause_s = block_samples / SAMPLE_RATE_OUT if paced else 0.0
    network.warm_up(channels, call_samples, pause_s=pause_s)
    chain = Chain(wet, parameters=parameters)
    chain.prepare(
        ProcessSpec(
            max_block_samples=block_samples // 2,
            channels=channels,
            block_multiple=block_samples // 2,
            lead_samples=chain.lead_samples,
        )
    )
    return LoadedChain(
        chain=chain,
        block_samples=block_samples,
        model=info.name,
        compute=network.compute,
        threads=network.threads,
        bind_thread=network.bind_thread,
    )


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
