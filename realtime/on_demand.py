"""Processors that run only while somebody listens."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime.processor import Audio, Processor, ProcessSpec


class OnDemand:
    """A row of processors that may skip blocks, and afterwards go on as if they had not.

    Instead of a skipped block's output their input is kept, as much of it as they remember. The
    next block that is wanted is computed behind that.

    Args:
        stages: the first one gets the input.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, ratio * n]``, ``ratio`` the product of theirs
    """

    def __init__(self, stages: Sequence[Processor]) -> None:
        self._stages = stages

    def prepare(self, spec: ProcessSpec, *, memory_samples: int) -> None:
        """Allocate.

        Args:
            spec: of the blocks, skipped ones too.
            memory_samples: how many input samples before a block its output depends on.
        """
        self._past = np.zeros((spec.channels, memory_samples), np.float32)
        lead = max(spec.lead_samples, memory_samples)
        for stage in self._stages:
            stage.prepare(replace(spec, lead_samples=lead))
            spec = replace(spec, max_block_samples=stage.ratio * spec.max_block_samples)
            lead *= stage.ratio
        self.reset()

    def reset(self) -> None:
        """Silence before the next block."""
        self._past[:] = 0.0
        self._skipped = False
        for stage in self._stages:
            stage.reset()

    def skip(self, x: Audio) -> None:
        """Nobody listens to this block."""
        self._remember(x)
        self._skipped = True

    def process(self, x: Audio) -> Audio:
        """Process a block."""
        if self._skipped:
            self._skipped = False
            for stage in self._stages:
                stage.reset()
            self._run(self._past)
        self._remember(x)
        return self._run(x)

    def _remember(self, x: Audio) -> None:
        held = self._past.shape[1]
        self._past = np.concatenate([self._past, x], axis=1)[:, -held:] if held else self._past

    def _run(self, x: Audio) -> Audio:
        for stage in self._stages:
            x = stage.process(x)
        return x
