"""The upsampling methods that the evaluation compares."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soxr
import torch

from models.evaluation.metrics import Audio
from realtime.dsp.processor import ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.files.enhance import Enhancer, render
from realtime.inference.model_file import ModelInfo
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# Input samples per call of the front end.
BLOCK_SAMPLES = 16_384


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: as shown in the table.
        upsample: ``[n]`` at 22.05 kHz to ``[2 n]`` at 44.1 kHz, without latency.
        device: where it runs.
        threads: CPU threads.
    """

    name: str
    upsample: Callable[[Audio], Audio]
    device: str = "cpu"
    threads: int = 1


def kaiser(name: str) -> Method:
    """The engine's own front end, ``kaiser_fast`` or ``kaiser_best``."""
    upsampler = KaiserUpsampler(name)
    upsampler.prepare(ProcessSpec(max_block_samples=BLOCK_SAMPLES))

    return Method(name, lambda x: render(upsampler, x[None], block_samples=2 * BLOCK_SAMPLES)[0])


def soxr_vhq() -> Method:
    """Soxr's best quality: a linear resampler of high order."""

    def upsample(x: Audio) -> Audio:
        out = soxr.resample(x, SAMPLE_RATE_IN, SAMPLE_RATE_OUT, quality="VHQ")
        return np.pad(out, (0, max(0, 2 * len(x) - len(out))))[: 2 * len(x)]

    return Method("soxr_vhq", upsample)


def model(
    info: ModelInfo, *, compute: str, threads: int | None, dtype: str | None = None
) -> Method:
    """A model in the processors of the live path, loaded and warmed up.

    Raises:
        ModelFileError: if it cannot be loaded.
        ValueError: if compute, threads or dtype are wrong.
    """
    enhancer = Enhancer(info, compute=compute, threads=threads, dtype=dtype)
    loaded = enhancer.load(1)

    def upsample(x: Audio) -> Audio:
        # Another model may have set another number of threads.
        loaded.bind_thread()
        out: Audio = enhancer.samples(x[None])[0]
        return out

    return Method(info.name, upsample, loaded.compute, loaded.threads)


@contextmanager
def processor_state_kept() -> Iterator[None]:
    """Restore torch's thread count and denormals, which running a network changes."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
