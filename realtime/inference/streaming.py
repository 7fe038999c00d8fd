"""Runs a network with a state live: every sample is computed once, at the network's latency."""

from math import gcd
from typing import Protocol

import numpy as np

from realtime.dsp.processor import Audio, ProcessSpec, check_block


class _Stateful(Protocol):
    """Maps ``[C, n]`` to ``[C, ratio * n]``, n a multiple of ``block_multiple``; keeps a state."""

    ratio: int
    block_multiple: int
    latency_samples: int

    def start(self, channels: int) -> None: ...
    def __call__(self, x: Audio) -> Audio: ...


def grid_wait_samples(spec: ProcessSpec, *, hop_samples: int, origin_samples: int) -> int:
    """The longest time in samples that an input sample waits for the next line of a grid.

    The lines stand at ``origin_samples + k * hop_samples``. The wait is 0 if every block ends on a
    line, and up to a hop less one for blocks of any length.
    """
    step = gcd(spec.block_multiple, hop_samples)
    ends = (step * np.arange(hop_samples // step) - origin_samples) % hop_samples
    return int(ends.max())


def call_length(block_samples: int, grid_samples: int) -> int:
    """Length of a network's calls for blocks of one length: a block, or a step of the grid."""
    return block_samples if block_samples % grid_samples == 0 else grid_samples


class StreamingNetwork:
    """Cuts a stream into the calls of a streaming network, on a fixed grid.

    ::

        grid      |-------- step --------|-------- step --------|      lines at origin + k * step
        calls     |------------------ n * step -----------------|--    end on a line

    The calls do not depend on the blocks, so any blocks give the same samples. All calls have one
    length: that of a block if the spec promises multiples of the step, else a step.

    Args:
        network: called by this processor alone.
        origin_samples: position in the input where the network's grid begins.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, ratio * n]``
    """

    crossfade_samples = 0

    def __init__(self, network: _Stateful, *, origin_samples: int = 0) -> None:
        self._network = network
        self.ratio = network.ratio
        self._origin = origin_samples
        self.prepare(ProcessSpec(max_block_samples=1))

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate for blocks of the spec."""
        self._spec = spec
        grid = self._network.block_multiple
        self._wait = grid_wait_samples(spec, hop_samples=grid, origin_samples=self._origin)
        self.latency_samples = self._network.latency_samples + self.ratio * self._wait
        self.call_samples, end = call_length(spec.block_multiple, grid), self._origin
        if self.call_samples == spec.block_multiple:
            # One call per block, ending as soon as the grid allows.
            end = -self._wait
        # Silence before the stream, so that the calls end on the grid.
        self._silence = -end % self.call_samples
        self.reset()

    def reset(self) -> None:
        """Forget the past: silence before the next block."""
        channels = self._spec.channels
        self._network.start(channels)
        self._input = np.zeros((channels, self._silence), np.float32)
        # Samples that are due next: first the silence of the wait.
        self._output = np.zeros((channels, self.ratio * self._wait), np.float32)
        # The first call's output begins with its answer to the silence before the stream.
        self._drop = self.ratio * self._silence

    def _call(self, x: Audio) -> Audio:
        # A copy: the next call may overwrite the output of this one.
        y = self._network(x).copy()
        # Too long an output would delay all that follow.
        if y.shape != (wanted := (len(x), self.ratio * x.shape[1])):
            raise ValueError(f"the shape must be {wanted}, got {y.shape}")
        return y

    def process(self, x: Audio) -> Audio:
        """Process a block; output is ``latency_samples`` late."""
        check_block(x, self._spec)
        n, call = x.shape[1], self.call_samples
        if n == call and not (self._input.size or self._output.size or self._drop):
            # The usual case live: the block is a call, and its whole output is due.
            return self._call(x)
        due = self.ratio * ((self._input.shape[1] + n) // call * call)
        if self._output.shape[1] + max(due - self._drop, 0) < self.ratio * n:
            raise ValueError(f"a block must keep what the spec promises, got {n} samples")
        self._input = np.concatenate([self._input, x], axis=1)
        ready = [self._output]
        while self._input.shape[1] >= call:
            ready.append(self._call(self._input[:, :call])[:, self._drop :])
            self._input, self._drop = self._input[:, call:], 0
        out, self._output = np.split(np.concatenate(ready, axis=1), [self.ratio * n], axis=1)
        return out
