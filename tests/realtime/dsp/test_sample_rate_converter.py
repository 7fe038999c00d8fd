"""Streaming rate conversion."""

import numpy as np
import pytest

from realtime.dsp.processor import Audio
from realtime.dsp.sample_rate_converter import SampleRateConverter
from tests.helpers.engine_signals import in_blocks, noise, random_lengths

# libsamplerate's medium filter in float32, well inside its pass band.
RIPPLE = 2e-3

rates = pytest.mark.parametrize(
    ("rate_in", "rate_out"), [(48_000, 22_050), (44_100, 22_050), (44_100, 96_000)]
)


def made(rate_in: int, rate_out: int) -> SampleRateConverter:
    return SampleRateConverter(rate_in_hz=rate_in, rate_out_hz=rate_out, channels=2)


def tone(hz: float, rate: int) -> Audio:
    """Half a second of a tone on the first of two channels."""
    sine = 0.5 * np.sin(2 * np.pi * hz * np.arange(rate // 2) / rate)
    return np.stack([sine, np.zeros_like(sine)]).astype(np.float32)


@rates
def test_a_tone_stays_where_and_as_loud_as_it_is(rate_in, rate_out) -> None:
    y = made(rate_in, rate_out).process(tone(3_000, rate_in))
    expected = tone(3_000, rate_out)[:, : y.shape[1]]
    np.testing.assert_allclose(y[0, 300:-300], expected[0, 300:-300], rtol=0, atol=RIPPLE)
    assert not y[1].any()  # channels do not mix


@rates
@pytest.mark.parametrize("longest", [1, 700])
def test_blocks_make_no_difference(rate_in, rate_out, longest, rng) -> None:
    x = noise(5_000, 2)
    whole = made(rate_in, rate_out).process(x)
    cut = made(rate_in, rate_out)
    y = in_blocks(cut.process, x, random_lengths(rng, 5_000, longest))
    assert y.dtype == np.float32
    # How much comes out of a call may differ by a few samples at the end.
    n = min(y.shape[1], whole.shape[1])
    assert abs(y.shape[1] - whole.shape[1]) <= 3
    np.testing.assert_allclose(y[:, :n], whole[:, :n], rtol=0, atol=1e-5)


@rates
def test_the_latency_is_as_stated(rate_in, rate_out) -> None:
    converter = made(rate_in, rate_out)
    blocks = 200
    got = sum(converter.process(np.zeros((2, 480), np.float32)).shape[1] for _ in range(blocks))
    due = blocks * 480 * rate_out / rate_in
    assert abs(due - got - converter.latency_samples) <= 2
    # Usable live.
    assert converter.latency_samples / rate_out < 0.005


def test_nothing_above_the_new_nyquist_rate_comes_through() -> None:
    y = made(48_000, 22_050).process(tone(15_000, 48_000))
    assert np.abs(y[:, 300:-300]).max() < 1e-4


def test_equal_rates_pass_unchanged() -> None:
    x, converter = noise(100, 2), made(44_100, 44_100)
    assert converter.process(x) is x
    assert converter.latency_samples == 0
