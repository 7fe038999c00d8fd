"""Streaming rate conversion."""

import numpy as np
import pytest

from realtime.dsp.processor import Audio
from realtime.dsp.sample_rate_converter import SampleRateConverter

# libsamplerate's medium filter in float32, well inside its pass band.
RIPPLE = 2e-3
RATES = [(48_000, 22_050), (44_100, 22_050), (44_100, 96_000)]


def made(rate_in: int, rate_out: int, channels: int = 1) -> SampleRateConverter:
    return SampleRateConverter(rate_in_hz=rate_in, rate_out_hz=rate_out, channels=channels)


def tone(hz: float, rate: int, n: int) -> Audio:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(n) / rate))[None].astype(np.float32)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_a_tone_stays_where_and_as_loud_as_it_is(rate_in: int, rate_out: int) -> None:
    y = made(rate_in, rate_out).process(tone(3_000, rate_in, rate_in // 2))
    expected = tone(3_000, rate_out, y.shape[1])
    np.testing.assert_allclose(y[:, 300:-300], expected[:, 300:-300], rtol=0, atol=RIPPLE)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_blocks_make_no_difference(rate_in: int, rate_out: int, rng: np.random.Generator) -> None:
    x = rng.uniform(-0.5, 0.5, (2, 12_000)).astype(np.float32)
    whole = made(rate_in, rate_out, 2).process(x)
    cut, parts, start = made(rate_in, rate_out, 2), [], 0
    while start < x.shape[1]:
        n = int(rng.integers(0, 700))
        parts.append(cut.process(x[:, start : start + n]))
        start += n
    y = np.concatenate(parts, axis=1)
    # How much comes out of a call may differ by a few samples at the end.
    n = min(y.shape[1], whole.shape[1])
    assert abs(y.shape[1] - whole.shape[1]) <= 3
    np.testing.assert_allclose(y[:, :n], whole[:, :n], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_the_latency_is_as_stated(rate_in: int, rate_out: int) -> None:
    converter = made(rate_in, rate_out)
    blocks = 200
    got = sum(converter.process(np.zeros((1, 480), np.float32)).shape[1] for _ in range(blocks))
    due = blocks * 480 * rate_out / rate_in
    assert abs(due - got - converter.latency_samples) <= 2
    # Usable live.
    assert converter.latency_samples / rate_out < 0.005


@pytest.mark.parametrize("n", [0, 1, 10])
def test_tiny_blocks_keep_their_shape(n: int) -> None:
    converter = made(48_000, 22_050, 2)
    for _ in range(50):
        y = converter.process(np.ones((2, n), np.float32))
        assert y.shape[0] == 2
        assert y.dtype == np.float32
        assert y.flags.c_contiguous


def test_nothing_above_the_new_nyquist_rate_comes_through() -> None:
    y = made(48_000, 22_050).process(tone(15_000, 48_000, 24_000))
    assert np.abs(y[:, 300:-300]).max() < 1e-4


def test_channels_do_not_mix() -> None:
    x = np.concatenate([tone(1_000, 48_000, 9_600), np.zeros((1, 9_600), np.float32)])
    y = made(48_000, 22_050, 2).process(x)
    assert np.abs(y[0]).max() > 0.4
    assert np.abs(y[1]).max() == 0.0


def test_equal_rates_pass_unchanged(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 100)).astype(np.float32)
    made = SampleRateConverter(rate_in_hz=44_100, rate_out_hz=44_100, channels=2)
    assert made.process(x) is x
    assert made.latency_samples == 0
