"""Runs a plain network live, on overlapping windows with context and an equal-gain crossfade."""

from collections.abc import Callable
from dataclasses import replace
from math import gcd

import numpy as np

from realtime.dsp.processor import Audio, ProcessSpec, check_block

WindowFunction = Callable[[Audio], Audio]


def grid_wait_samples(spec: ProcessSpec, *, hop_samples: int, origin_samples: int) -> int:
    """The longest time in samples that an input sample waits for the next line of a grid.

    The lines stand at ``origin_samples + k * hop_samples``. The wait is 0 if every block ends on a
    line, and up to a hop less one for blocks of any length.
    """
    step = gcd(spec.block_multiple, hop_samples)
    ends = (step * np.arange(hop_samples // step) - origin_samples) % hop_samples
    return int(ends.max())


class WindowedNetwork:
    """Runs a function on a fixed grid of overlapping windows of one length.

    ::

        window k      |--- left ---|------ hop ------|fade|-- right --|
        window k + 1                     |--- left ---|------ hop ------|fade|-- right --|
        output                     ======k============ x ======k+1======

    A window yields hop + crossfade samples. The last ones fade linearly into the first ones of the
    next window (the gains add to 1). The windows do not depend on the blocks, so any blocks give
    the same samples.

    Args:
        window_function: ``[C, W / ratio]`` to ``[C, W]``, called with one shape only:
            W = left + hop + crossfade + right. All lengths are output samples.
        hop_samples: new samples per window; a multiple of ``grid_multiple``.
        left_samples: context before the yielded samples.
        right_samples: context after them.
        crossfade_samples: at most a hop.
        grid_multiple: windows begin on multiples of this, for networks that are shift-equivariant
            by this many samples only.
        origin_samples: position in the stream from which the multiples count.
        ratio: output samples per input sample; the grid and the origin are multiples of it.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, ratio * n]``
    """

    def __init__(
        self,
        window_function: WindowFunction,
        *,
        hop_samples: int,
        left_samples: int,
        right_samples: int,
        crossfade_samples: int,
        grid_multiple: int = 1,
        origin_samples: int = 0,
        ratio: int = 1,
    ) -> None:
        self.ratio = ratio
        self._function = window_function
        self._hop = hop_samples
        self._crossfade = crossfade_samples
        # The grid's last line at or before the start of the stream, as a position within a hop. If
        # a block is a hop, this line gives the shortest wait.
        self._origin = -(-origin_samples % grid_multiple) % hop_samples
        # Distance from the yielded samples to the newest input: crossfade and right context,
        # rounded up so that windows stay on the grid.
        ahead = crossfade_samples + right_samples
        self._look_ahead = -(-ahead // grid_multiple) * grid_multiple
        self._left = -(-left_samples // grid_multiple) * grid_multiple
        self.window_samples = self._left + hop_samples + -(-ahead // ratio) * ratio
        """Length of every window's output."""
        self._fade_in = ((np.arange(crossfade_samples) + 0.5) / max(crossfade_samples, 1)).astype(
            np.float32
        )
        self.prepare(ProcessSpec(max_block_samples=1))

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate for blocks of the spec."""
        self._spec = spec
        ratio = self.ratio
        scaled = replace(spec, block_multiple=ratio * spec.block_multiple)
        wait = grid_wait_samples(scaled, hop_samples=self._hop, origin_samples=self._origin)
        # Right context, crossfade, and the wait for the grid if blocks do not end on it.
        self.latency_samples = self._look_ahead + wait
        longest = ratio * spec.max_block_samples
        held = (self.window_samples + self._hop + longest) // ratio
        self._input = np.zeros((spec.channels, held), np.float32)
        self._output = np.zeros(
            (spec.channels, self.latency_samples + longest + 2 * self._hop), np.float32
        )
        self.reset()

    def reset(self) -> None:
        """Forget the past: silence before the next block."""
        self._input[:] = 0.0
        self._output[:] = 0.0
        self._tail = np.zeros((self._spec.channels, self._crossfade), np.float32)
        # Window k yields the stream from origin + k * hop - look_ahead on. It begins `left` before.
        # The first window is the last one whose fade-in from silence ends before the stream.
        first = self._origin - self._look_ahead
        first -= max(-(-(first + self._crossfade) // self._hop), 0) * self._hop
        # The silence before the stream, already in the buffer.
        self._filled = self._left - first
        # Output i is the stream's sample i - latency. If this is negative, by less than a hop, the
        # first window's samples before output 0 are dropped.
        self._ready = first + self.latency_samples

    def process(self, x: Audio) -> Audio:
        """Process a block; output is ``latency_samples`` late."""
        check_block(x, self._spec)
        n = self.ratio * x.shape[1]
        begin = self._filled // self.ratio
        self._input[:, begin : begin + x.shape[1]] = x
        self._filled += n
        # A window is due once the hop is in, although it may need a few samples less.
        while self._filled >= self._left + self._look_ahead + self._hop:
            self._run_window()
        if self._ready < n:
            raise ValueError("blocks are no multiple of the prepared spec's")
        out = self._output[:, :n].copy()
        self._ready -= n
        self._output[:, : self._ready] = self._output[:, n : n + self._ready].copy()
        return out

    def _run_window(self) -> None:
        y = self._function(self._input[:, : self.window_samples // self.ratio])
        y = y[:, self._left : self._left + self._hop + self._crossfade]
        fresh = y[:, : self._hop].copy()
        fade = fresh[:, : self._crossfade]
        fade -= self._tail
        fade *= self._fade_in
        fade += self._tail
        self._tail = y[:, self._hop :].copy()
        before = max(-self._ready, 0)
        self._output[:, self._ready + before : self._ready + self._hop] = fresh[:, before:]
        self._ready += self._hop
        self._filled -= self._hop
        hop, left = self._hop // self.ratio, self._filled // self.ratio
        self._input[:, :left] = self._input[:, hop : hop + left].copy()
