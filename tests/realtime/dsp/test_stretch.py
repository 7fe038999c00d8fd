"""A block that is made longer or shorter is the same sound at steadily shifted positions."""

import numpy as np
import pytest

from realtime.dsp.stretch import REACH_SAMPLES, stretch

SAMPLE_RATE = 44_100
# Error of the interpolation, relative to a tone.
MAX_ERROR_DB = {1_000: -60.0, 8_000: -55.0, 15_000: -55.0, 17_000: -55.0, 19_000: -30.0}


def positions(n: int, samples: int) -> np.ndarray:
    """Where each sample of the result is read."""
    inside = n - 2 * REACH_SAMPLES
    middle = np.arange(inside + samples) * inside / (inside + samples)
    ends = np.arange(REACH_SAMPLES)
    return np.concatenate([ends, REACH_SAMPLES + middle, n - REACH_SAMPLES + ends])


@pytest.mark.parametrize("samples", [-4, -1, 1, 4])
@pytest.mark.parametrize("hz", MAX_ERROR_DB)
def test_a_tone_stays_a_tone(hz, samples) -> None:
    tone = 2 * np.pi * hz / SAMPLE_RATE
    y = stretch(np.sin(tone * np.arange(512))[None].astype(np.float32), samples)
    error = np.abs(y[0] - np.sin(tone * positions(512, samples))).max()
    assert 20 * np.log10(error) <= MAX_ERROR_DB[hz]


@pytest.mark.parametrize("samples", [-1, 1])
@pytest.mark.parametrize("n", [128, 500, 8_192])
def test_it_is_so_much_longer_and_its_ends_are_kept(n, samples, rng) -> None:
    x = rng.uniform(-1, 1, (2, n)).astype(np.float32)
    y = stretch(x, samples)
    assert y.shape == (2, n + samples)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y[:, :REACH_SAMPLES], x[:, :REACH_SAMPLES])
    np.testing.assert_array_equal(y[:, -REACH_SAMPLES:], x[:, -REACH_SAMPLES:])


def test_a_block_without_a_middle_is_refused() -> None:
    with pytest.raises(ValueError, match="32 samples"):
        stretch(np.zeros((1, 2 * REACH_SAMPLES), np.float32), 1)
