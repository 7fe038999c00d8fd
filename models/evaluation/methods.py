"""What the evaluation compares: ways from 22.05 kHz to 44.1 kHz."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soxr
import torch

from models.evaluation.metrics import Audio
from realtime.dsp.processor import ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.files.enhance import Enhancer
from realtime.inference.model_file import ModelInfo
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# Input samples per call of a streaming processor.
BLOCK_SAMPLES = 16_384


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: as it is shown.
        upsample: ``[n]`` at 22.05 kHz to ``[2 n]`` at 44.1 kHz, latency trimmed.
        device: what it runs on.
        threads: how many it uses there.
    """

    name: str
    upsample: Callable[[Audio], Audio]
    device: str = "cpu"
    threads: int = 1


def kaiser(name: str) -> Method:
    """The engine's own front end, ``kaiser_fast`` or ``kaiser_best``."""
    upsampler = KaiserUpsampler(name)
    upsampler.prepare(ProcessSpec(max_block_samples=BLOCK_SAMPLES))

    def upsample(x: Audio) -> Audio:
        upsampler.reset()
        padded = np.pad(x, (0, upsampler.latency_samples // 2))[None]
        parts = [
            upsampler.process(padded[:, i : i + BLOCK_SAMPLES])
            for i in range(0, padded.shape[1], BLOCK_SAMPLES)
        ]
        out: Audio = np.concatenate(parts, axis=1)[0, upsampler.latency_samples :]
        return out

    return Method(name, upsample)


def soxr_vhq() -> Method:
    """The best a good linear resampler can do, for comparison."""

    def upsample(x: Audio) -> Audio:
        out = soxr.resample(x, SAMPLE_RATE_IN, SAMPLE_RATE_OUT, quality="VHQ")
        return np.pad(out, (0, max(0, 2 * len(x) - len(out))))[: 2 * len(x)]

    return Method("soxr_vhq", upsample)


def model(
    info: ModelInfo, *, compute: str, threads: int | None, dtype: str | None = None
) -> Method:
    """A model through the live path's processors, loaded and warm.

    Raises:
        ModelFileError: if it cannot be loaded.
        ValueError: if compute, threads or dtype are wrong.
    """
    enhancer = Enhancer(info, compute=compute, threads=threads, dtype=dtype)
    loaded = enhancer.load(1)

    def upsample(x: Audio) -> Audio:
        # Each time: another model may have bound the thread to another number of threads.
        loaded.bind_thread()
        out: Audio = enhancer.samples(x[None])[0]
        return out

    return Method(info.name, upsample, loaded.compute, loaded.threads)


@contextmanager
def processor_state_kept() -> Iterator[None]:
    """Undo what running a network does to the calling thread: threads and flushed denormals."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
