"""The front end against resampy itself."""

import numpy as np
import pytest
import resampy

from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import FILTERS, KaiserUpsampler, filter_taps
from tests.helpers.engine_signals import in_blocks, random_lengths

# For samples up to 1: a third of a step of 16 bits (docs/architecture.md, numerical bounds).
EQUAL = 1e-5
RATE_IN, RATE_OUT = 22_050, 44_100
LENGTH = 3_000


def signals() -> dict[str, Audio]:
    t = np.arange(LENGTH) / RATE_IN
    rng = np.random.default_rng(1)
    impulses = np.zeros(LENGTH)
    impulses[[0, 700, LENGTH - 1]] = 1.0
    sweep = np.sin(2 * np.pi * (20 * t + 11_000 * t**2 / (2 * t[-1])))
    made = {
        "noise": rng.uniform(-1, 1, LENGTH),
        "chirp": sweep,
        "constant": np.full(LENGTH, 0.9),
        "nyquist": np.cos(np.pi * np.arange(LENGTH)),
        "impulses_at_the_limits": impulses,
        "quiet": 1e-6 * rng.uniform(-1, 1, LENGTH),
    }
    mono = {name: np.asarray(x[None], np.float32) for name, x in made.items()}
    return mono | {"stereo": np.concatenate([mono["noise"], mono["chirp"]])}


SIGNALS = signals()


def upsample(name: str, x: Audio, longest: int, rng: np.random.Generator) -> Audio:
    """In blocks of random lengths, without the latency."""
    made = KaiserUpsampler(name)
    made.prepare(ProcessSpec(max_block_samples=longest, channels=len(x)))
    late = made.latency_samples
    x = np.pad(x, ((0, 0), (0, late // 2)))
    return in_blocks(made.process, x, random_lengths(rng, x.shape[1], longest))[:, late:]


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("longest", [1, 4_096])
def test_it_equals_resampy_on_the_whole_signal(name, signal, longest, rng) -> None:
    x = SIGNALS[signal]
    expected = resampy.resample(x, RATE_IN, RATE_OUT, filter=name, axis=1)
    assert expected.shape == (len(x), 2 * LENGTH)
    y = upsample(name, x, longest, rng)
    np.testing.assert_allclose(y, expected, rtol=0, atol=EQUAL)


@pytest.mark.parametrize(("name", "reach"), [("kaiser_fast", 23), ("kaiser_best", 49)])
def test_taps_are_the_impulse_response_and_reach_as_far_as_designed(name, reach) -> None:
    made = KaiserUpsampler(name)
    assert (made.reach, made.latency_samples) == (reach, 2 * reach)
    even, odd = filter_taps(name)
    x = np.zeros(401)
    x[200] = 1.0
    response = resampy.resample(x, RATE_IN, RATE_OUT, filter=name)
    lags = np.arange(-reach, reach + 1)
    np.testing.assert_allclose(response[2 * (200 - lags)], even, atol=1e-12)
    np.testing.assert_allclose(response[2 * (200 - lags) + 1], odd, atol=1e-12)
    # Nothing of the response lies beyond the reach.
    assert np.abs(response[: 2 * (200 - reach)]).max() == 0.0
    assert np.abs(response[2 * (200 + reach) + 2 :]).max() == 0.0


@pytest.mark.parametrize("name", ["kaiser", "", "none", "kaiser_fast.npz", "../kaiser_fast"])
def test_unknown_filters_are_refused(name) -> None:
    with pytest.raises(ValueError, match="kaiser_fast, kaiser_best"):
        KaiserUpsampler(name)
