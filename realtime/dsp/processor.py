"""The contract of everything that processes audio block by block."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """What a processor may rely on from ``prepare`` on; lengths at the processor's input rate."""

    max_block_samples: int
    """Longest block that will come."""
    channels: int = 1
    block_multiple: int = 1
    """Every block's length is a multiple of this; a promise that saves latency."""


class Processor(Protocol):
    """Turns ``[C, n]`` into ``[C, ratio * n]``; the terms of JUCE, CLAP and VST.

    Any blocking of a signal, within the spec, gives the same samples as one call.
    """

    ratio: int
    """Output samples per input sample."""

    @property
    def latency_samples(self) -> int:
        """Delay in output samples; constant after ``prepare``."""

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate for blocks of the spec, and reset."""

    def process(self, x: Audio) -> Audio:
        """Process a block.

        Shape:
            - Input: ``[C, n]``, float32, finite, n up to the prepared maximum
            - Output: ``[C, ratio * n]``, a new array

        Raises:
            ValueError: if shape or type is wrong or a sample is not finite.
        """

    def reset(self) -> None:
        """Forget the past; the next block is the first."""


def check_block(x: Audio, spec: ProcessSpec) -> None:
    """Refuse what breaks the contract of ``Processor.process``, with the ValueError it names."""
    if x.ndim != 2 or x.shape[0] != spec.channels:
        raise ValueError(f"a block must be [{spec.channels}, n], got shape {x.shape}")
    if x.dtype != np.float32:
        raise ValueError(f"a block must be float32, got {x.dtype}")
    if x.shape[1] > spec.max_block_samples:
        raise ValueError(
            f"a block may have up to {spec.max_block_samples} samples, got {x.shape[1]}"
        )
    # One pass, of a microsecond: a sum of squares is finite only if every sample is (overflow
    # aside, which is as bad).
    if not math.isfinite(np.vdot(x, x)):
        raise ValueError("a block must be finite")
