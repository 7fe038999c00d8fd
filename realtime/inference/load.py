"""From a model file to a chain that is warm and ready for its block size."""

from collections.abc import Callable
from dataclasses import dataclass

from realtime.dsp.chain import Chain
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import ProcessSpec
from realtime.errors import SettingsError
from realtime.inference.build import build_path
from realtime.inference.cpu_fallback import DeviceLossMonitor
from realtime.inference.model_file import ModelInfo
from realtime.inference.tuning import Requested
from realtime.inference.tuning_cache import Measurements

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
    loss_monitor: DeviceLossMonitor | None = None
    """Of a device that may be lost."""

    @property
    def notice(self) -> str:
        """Empty, or the latest that the user should know, in one line."""
        return (self.loss_monitor.notice if self.loss_monitor else "") or self.load_notice

    @property
    def compute_now(self) -> str:
        """``cpu`` or the name of the CUDA device, if that was not lost."""
        return "cpu" if self.loss_monitor and self.loss_monitor.lost else self.compute


def check_block_samples(block_samples: int) -> None:
    """Refuse block lengths that the networks' grid does not divide.

    Raises:
        SettingsError: if it is no multiple of 128 from 128 to 65536.
    """
    if not (
        MIN_BLOCK_SAMPLES <= block_samples <= MAX_BLOCK_SAMPLES
        and block_samples % MIN_BLOCK_SAMPLES == 0
    ):
        raise SettingsError(
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
    dtype: str | None = None,
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
        dtype: ``float32``, ``tf32`` (GPUs) or ``bfloat16``; None for tf32 on GPUs that have it,
            else float32.
        parameters: where the A/B mix starts.
        paced: blocks will come in real time, with pauses between them.
        windowed: run a streaming network on overlapping windows, as a plain one.
        measurements: where the choice of threads is looked up and kept; None measures.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        SettingsError: if block, compute, threads or dtype are wrong.
    """
    check_block_samples(block_samples)
    built = build_path(
        info,
        Requested(compute=compute, threads=threads, dtype=dtype),
        block_samples=block_samples,
        channels=channels,
        paced=paced,
        windowed=windowed,
        measurements=measurements,
    )
    chain = Chain(built.wet, parameters=parameters)
    chain.prepare(
        ProcessSpec(
            max_block_samples=block_samples // 2,
            channels=channels,
            block_multiple=block_samples // 2,
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
        loss_monitor=built.loss_monitor,
    )
