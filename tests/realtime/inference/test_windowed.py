"""Windows on a grid: their number, their input, and their crossfades."""

import numpy as np
import pytest

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
    network = WindowedNetwork(function, **lengths)  # type: ignore[arg-type]
    network.prepare(spec or ProcessSpec(max_block_samples=500))
    return network


def count_up(n: int) -> Audio:
    """1, 2, 3...: every sample shows its position, and none is silence."""
    return np.arange(1, n + 1, dtype=np.float32)[None]


def test_all_windows_have_one_length() -> None:
    seen = Recording()
    network = made(seen)
    for n in (0, 1, 63, 64, 65, 500, 3):
        network.process(np.zeros((1, n), np.float32))
    assert {w.shape for w in seen.windows} == {(1, network.window_samples)}
    # Left context up to the grid, hop, crossfade, right context.
    assert network.window_samples == 32 + 64 + 8 + 20


@pytest.mark.parametrize("origin", [0, 5, 46, 98])
def test_windows_begin_on_the_grid_from_the_origin_on(origin: int) -> None:
    seen = Recording()
    network = made(seen, origin_samples=origin)
    network.process(count_up(500))
    begins = [int(w[0, 0]) - 1 for w in seen.windows if w[0, 0] > 0]
    assert len(begins) > 4
    assert {b % 16 for b in begins} == {origin % 16}
    assert {int(d) for d in np.diff(begins)} == {64}


def test_windows_see_the_stream_as_it_is_and_silence_before_it() -> None:
    seen = Recording()
    made(seen).process(count_up(500))
    stream = np.concatenate([np.zeros(200), count_up(500)[0]])
    for window in seen.windows:
        last = int(window[0, -1])
        begin = 200 + last - window.shape[1]
        np.testing.assert_array_equal(window[0], stream[begin : begin + window.shape[1]])


def test_the_first_window_is_faded_in_before_the_stream() -> None:
    """Otherwise its first samples would be too quiet."""
    for origin in (0, 20, 46, 98):
        network = made(lambda x: np.ones_like(x), origin_samples=origin)
        y = network.process(np.ones((1, 500), np.float32))
        np.testing.assert_array_equal(y[0, network.latency_samples :], 1.0)


@pytest.mark.parametrize("crossfade", [0, 1, 8, 63, 64])
def test_crossfades_have_equal_gain(crossfade: int) -> None:
    """Samples that are equal in both windows pass unchanged."""
    network = made(lambda x: x.copy(), crossfade_samples=crossfade)
    x = count_up(500)
    y = network.process(x)
    late = network.latency_samples
    np.testing.assert_allclose(y[:, late:], x[:, : 500 - late], rtol=0, atol=ROUNDING)


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


def test_latency_is_what_lies_ahead_up_to_the_grid() -> None:
    spec = ProcessSpec(max_block_samples=64, block_multiple=64)
    assert made(Recording(), spec).latency_samples == 32  # 20 + 8, up to 16
    assert made(Recording(), spec, grid_multiple=1).latency_samples == 28
    assert made(Recording(), spec, right_samples=0, crossfade_samples=0).latency_samples == 0
    # Blocks end two samples before a line of this grid.
    assert made(Recording(), spec, origin_samples=46).latency_samples == 32 + 2


@pytest.mark.parametrize(
    ("spec", "origin", "wait"),
    [
        (ProcessSpec(max_block_samples=9), 0, 63),
        (ProcessSpec(max_block_samples=64, block_multiple=64), 0, 0),
        (ProcessSpec(max_block_samples=64, block_multiple=128), 0, 0),
        (ProcessSpec(max_block_samples=64, block_multiple=64), 46, 18),
        (ProcessSpec(max_block_samples=96, block_multiple=96), 0, 32),
        (ProcessSpec(max_block_samples=32, block_multiple=32), 1, 63),
    ],
)
def test_samples_wait_for_the_grid(spec: ProcessSpec, origin: int, wait: int) -> None:
    assert grid_wait_samples(spec, hop_samples=64, origin_samples=origin) == wait


def test_a_broken_promise_is_reported_and_not_played() -> None:
    spec = ProcessSpec(max_block_samples=64, block_multiple=64)
    network = made(Recording(), spec)
    network.process(np.zeros((1, 64), np.float32))
    sample = np.zeros((1, 1), np.float32)
    with pytest.raises(ValueError, match="spec promises"):
        np.concatenate([network.process(sample) for _ in range(64)])
