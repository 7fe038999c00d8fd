"""Windows on a grid: their number, their input, and their crossfades."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.dsp.processor import Audio, ProcessSpec
from realtime.inference.streaming import grid_wait_samples
from realtime.inference.windowed import WindowedNetwork

# Rounding of float32 samples up to 2000 (they are numbered).
ROUNDING = 1e-3


class Recording:
    """A network that stores its input."""

    def __init__(self) -> None:
        self.windows: list[Audio] = []

    def __call__(self, x: Audio) -> Audio:
        self.windows.append(x.copy())
        return x.copy()


def made(function: object, spec: ProcessSpec | None = None, **changes: int) -> WindowedNetwork:
    lengths = {
        "hop_samples": 64,
        "left_samples": 30,
        "right_samples": 20,
        "crossfade_samples": 8,
        "grid_multiple": 16,
        "origin_samples": 0,
    } | changes
    network = WindowedNetwork(function, **lengths)
    network.prepare(spec or ProcessSpec(max_block_samples=500))
    return network


def length_before(window: Audio) -> int:
    """Position in the stream where a window begins; its last sample shows it."""
    return int(window[0, -1]) - window.shape[1]


def count_up(n: int) -> Audio:
    """1, 2, 3...: every sample shows its position, and none is silence."""
    return np.arange(1, n + 1, dtype=np.float32)[None]


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
    network = made(
        seen,
        ProcessSpec(max_block_samples=130),
        hop_samples=hop,
        left_samples=left,
        right_samples=right,
        crossfade_samples=crossfade,
        grid_multiple=grid,
        origin_samples=origin,
    )
    x = count_up(sum(lengths))
    ends = np.cumsum(lengths)
    y = np.concatenate(
        [network.process(x[:, end - n : end]) for n, end in zip(lengths, ends, strict=True)], axis=1
    )
    # Left context up to the grid, hop, crossfade, right context.
    length = -(-left // grid) * grid + hop + crossfade + right
    assert {w.shape for w in seen.windows} <= {(1, length)} == {(1, network.window_samples)}
    # A hop apart, each shows the stream, with silence before it.
    stream = np.concatenate([np.zeros(2_000, np.float32), x[0]])
    begins = [length_before(w) for w in seen.windows if w.any()]
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

    def level(x: Audio) -> Audio:
        return np.full_like(x, next(levels))

    network = made(level, crossfade_samples=8)
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
        ({"grid_multiple": 1}, 28),
        ({"right_samples": 0, "crossfade_samples": 0}, 0),
        # Blocks end two samples before a line of this grid.
        ({"origin_samples": 46}, 32 + 2),
    ],
)
def test_latency_is_what_lies_ahead_up_to_the_grid(changes, latency) -> None:
    spec = ProcessSpec(max_block_samples=64, block_multiple=64)
    assert made(Recording(), spec, **changes).latency_samples == latency


@given(multiple=st.integers(1, 130), hop=st.integers(1, 80), origin=st.integers(0, 130))
def test_samples_wait_for_the_grid_and_no_longer(multiple, hop, origin) -> None:
    spec = ProcessSpec(max_block_samples=multiple, block_multiple=multiple)
    ends = multiple * np.arange(hop)
    wait = grid_wait_samples(spec, hop_samples=hop, origin_samples=origin)
    assert wait == ((ends - origin) % hop).max()


def test_a_broken_promise_is_reported_and_not_played() -> None:
    spec = ProcessSpec(max_block_samples=64, block_multiple=64)
    network = made(Recording(), spec)
    network.process(np.zeros((1, 64), np.float32))
    sample = np.zeros((1, 1), np.float32)
    with pytest.raises(ValueError, match="spec promises"):
        np.concatenate([network.process(sample) for _ in range(64)])
