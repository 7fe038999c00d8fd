"""Runs a plain network live, on overlapping windows with context and an equal-gain crossfade."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime.dsp.processor import Audio
from realtime.inference.streaming import StreamingNetwork

WindowFunction = Callable[[Audio], Audio]


class WindowedNetwork(StreamingNetwork):
    """Runs a function on a fixed grid of overlapping windows of one length.

    ::

        window k      |--- left ---|------ hop ------|fade|-- right --|
        window k + 1                     |--- left ---|------ hop ------|fade|-- right --|
        output                     ======k============ x ======k+1======

    A window yields hop + crossfade samples. The last ones fade linearly into the first ones of the
    next window (the gains add to 1). To a streaming network's grid, a window is a step.

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

    def __init__(self, window_function: WindowFunction, **layout: int) -> None:
        windows = _Windows(window_function, **layout)
        self.window_samples = windows.window_samples
        """Length of every window's output."""
        self.crossfade_samples = windows.crossfade_samples
        super().__init__(windows, origin_samples=windows.origin)


@dataclass
class _Windows:
    """Overlapping windows as a streaming network, whose state is the context and a crossfade."""

    window_function: WindowFunction
    hop_samples: int
    left_samples: int
    right_samples: int
    crossfade_samples: int
    grid_multiple: int = 1
    origin_samples: int = 0
    ratio: int = 1

    def __post_init__(self) -> None:
        self.block_multiple = self.hop_samples // self.ratio
        # The grid's last line at or before the start of the stream, as a position within a hop. If
        # a block is a hop, this line gives the shortest wait.
        self.origin = -(-self.origin_samples % self.grid_multiple) % self.hop_samples // self.ratio
        # Distance from the yielded samples to the newest input: crossfade and right context,
        # rounded up so that windows stay on the grid.
        ahead = self.crossfade_samples + self.right_samples
        self.latency_samples = -(-ahead // self.grid_multiple) * self.grid_multiple
        left = -(-self.left_samples // self.grid_multiple) * self.grid_multiple
        self.window_samples = left + self.hop_samples + -(-ahead // self.ratio) * self.ratio
        self._yielded = slice(left, left + self.hop_samples + self.crossfade_samples)
        self._past_samples = (left + self.latency_samples) // self.ratio
        fade_in = (np.arange(self.crossfade_samples) + 0.5) / max(self.crossfade_samples, 1)
        self._fade_out = (1.0 - fade_in).astype(np.float32)

    def start(self, channels: int) -> None:
        """Silence before the next call."""
        self._past = np.zeros((channels, self._past_samples), np.float32)
        self._tail = np.zeros((channels, len(self._fade_out)), np.float32)

    def __call__(self, x: Audio) -> Audio:
        """Run one window per hop."""
        hop = self.block_multiple
        parts = [self._next(x[:, i : i + hop]) for i in range(0, x.shape[1], hop)]
        return np.concatenate(parts, axis=1)

    def _next(self, x: Audio) -> Audio:
        joined = np.concatenate([self._past, x], axis=1)
        self._past = joined[:, x.shape[1] :]
        y = self.window_function(joined[:, : self.window_samples // self.ratio])
        if y.shape != (wanted := (len(x), self.window_samples)):
            raise ValueError(f"the shape must be {wanted}, got {y.shape}")
        y = y[:, self._yielded].copy()
        fade = y[:, : self.crossfade_samples]
        fade += self._fade_out * (self._tail - fade)
        fresh, self._tail = np.split(y, [self.ratio * x.shape[1]], axis=1)
        return fresh
