"""A delay line of whole samples."""

import numpy as np

from realtime.dsp.processor import Audio, ProcessSpec, check_block


class Delay:
    """Holds audio, ``[C, n]``, back by a fixed number of samples."""

    ratio = 1

    def __init__(self, delay_samples: int) -> None:
        self.latency_samples = delay_samples
        self.prepare(ProcessSpec(max_block_samples=1))

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate; any block lengths will do."""
        self._spec = spec
        self._past = np.zeros((spec.channels, self.latency_samples), np.float32)

    def reset(self) -> None:
        """Silence in the line."""
        self._past[:] = 0.0

    def process(self, x: Audio) -> Audio:
        """Delay a block."""
        check_block(x, self._spec)
        if not self.latency_samples:
            return x.copy()
        joined = np.concatenate([self._past, x], axis=1)
        self._past = joined[:, x.shape[1] :].copy()
        return joined[:, : x.shape[1]]
