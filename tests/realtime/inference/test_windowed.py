"""Windows on a grid: their number, their input, and their crossfades."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.dsp.processor import Audio, ProcessSpec
from realtime.inference.windowed import WindowedNetwork
from tests.helpers.engine_signals import in_blocks, numbered
from tests.helpers.networks import windows

# Rounding of float32 samples up to 2000 (they are numbered).
ROUNDING = 1e-3


class Recording:
    """A network that stores its input."""

    def __init__(self) -> None:
        self.windows: list[Audio] = []

    def __call__(self, x: Audio) -> Audio:
        self.windows.append(x.copy())
        return x.copy()


def made(function: Any, spec: ProcessSpec | None = None, **changes: int) -> WindowedNetwork:
    lengths = {"hop": 64, "left": 30, "right": 20, "crossfade": 8, "grid": 16, "origin": 0}
    network = windows(function, **lengths | changes)
    network.prepare(spec or ProcessSpec(max_block_samples=500))
    return network


@settings(max_examples=60, deadline=None)
@given(
    steps=st.integers(1, 8),
    contexts=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    share=st.floats(0, 1),
    grid=st.sampled_from([1, 16]),
    origin=st.integers(0, 100),
    lengths=st.lists(st.integers(0, 130), min_size=3, max_size=12),
)
def test_windows_are_alike_on_the_grid_and_true_to_the_stream(
    steps, contexts, share, grid, origin, lengths
) -> None:
    seen = Recording()
    left, right = contexts
    hop = steps * grid
    crossfade = round(share * hop)
    layout = {"hop": hop, "left": left, "right": right, "crossfade": crossfade, "grid": grid}
    network = made(seen, origin=origin, **layout)
    # Every sample shows its position, and none is silence.
    x = numbered(1, sum(lengths))
    y = in_blocks(network.process, x, lengths)
    # Left context up to the grid, hop, crossfade, right context.
    length = -(-left // grid) * grid + hop + crossfade + right
    assert {w.shape for w in seen.windows} <= {(1, length)} == {(1, network.window_samples)}
    # A hop apart, each shows the stream, with silence before it.
    stream = np.concatenate([np.zeros(2_000, np.float32), x[0]])
    begins = [int(w[0, -1]) - length for w in seen.windows if w.any()]
    assert {int(d) for d in np.diff(begins)} <= {hop}
    assert {(b - origin) % grid for b in begins} <= {0}
    for window, begin in zip([w for w in seen.windows if w.any()], begins, strict=True):
        np.testing.assert_array_equal(window[0], stream[2_000 + begin :][:length])
    # Crossfades have equal gain, and the first window has faded in before the stream.
    late = network.latency_samples
    kept = max(x.shape[1] - late, 0)
    np.testing.assert_allclose(y[:, late:], x[:, :kept], rtol=0, atol=ROUNDING)


def test_windows_that_disagree_fade_in_a_straight_line() -> None:
    levels = iter(range(1_000))
    network = made(lambda x: np.full_like(x, next(levels)))
    y = network.process(np.zeros((1, 500), np.float32))[0]
    # From any window's last full sample to the next one's first, in 8 equal steps but for the
    # halves at both ends.
    steps = np.diff(y[np.flatnonzero(y >= 1.0)[0] :])
    moving = steps[steps > 0]
    assert moving.max() <= 1 / 8 + ROUNDING
    assert set(np.round(moving, 4)) == {0.0625, 0.125}


@pytest.mark.parametrize(
    ("changes", "latency"),
    [
        ({}, 32),  # 20 + 8, up to 16
        ({"grid": 1}, 28),
        ({"right": 0, "crossfade": 0}, 0),
        # Blocks end two samples before a line of this grid.
        ({"origin": 46}, 32 + 2),
    ],
)
def test_latency_is_what_lies_ahead_up_to_the_grid(changes, latency) -> None:
    spec = ProcessSpec(max_block_samples=64, block_multiple=64)
    assert made(Recording(), spec, **changes).latency_samples == latency
