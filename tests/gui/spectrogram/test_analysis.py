"""Columns: right level, right frequency, right moment, both panes in step; and their spectra."""

from itertools import pairwise

import numpy as np
import pytest

from gui.spectrogram.analysis.spectra import (
    LONG_TERM_S,
    RunningMean,
    Slope,
    Spectra,
    level_db,
)
from gui.spectrogram.analysis.stft import BIN_HZ, Analyser, Columns
from realtime.dsp.missing_band import band_edge_hz
from realtime.engine.tap import Tap

# A periodic Hann window is exact for a tone on a bin; what is left is single precision.
LEVEL_TOLERANCE_DB = 0.02
# Of means over five octave bands of a minute of noise.
NOISE_TOLERANCE_DB = 0.7


def tap_of(samples: np.ndarray, rate: int) -> Tap:
    tap = Tap(sample_rate=rate, channels=len(samples), seconds=100)
    tap.write(samples.astype(np.float32))
    return tap


def pair_of(given: np.ndarray, made: np.ndarray, *, delay: int = 0) -> Analyser:
    taps = tap_of(given, 22_050), tap_of(made, 44_100)
    return Analyser(*taps, delay_samples=delay, hop_samples=256)


def columns_of(samples: np.ndarray) -> Columns:
    """Columns of an input."""
    return pair_of(samples, np.zeros((1, 2 * samples.shape[1]))).take(10_000)[0]


def tone(rate: int, hz: float, amplitude: float) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(rate) / rate)[None]


@pytest.mark.parametrize("amplitude", [1.0, 0.1])
def test_tone_has_its_level_at_its_bin_in_both_panes(amplitude) -> None:
    bin_index = 100
    given, made = (tone(rate, bin_index * BIN_HZ, amplitude) for rate in (22_050, 44_100))
    for columns in pair_of(given, made).take(10_000):
        levels = 10 * np.log10(np.maximum(columns.power, 1e-20))
        assert len(levels) > 70
        assert (levels.argmax(axis=1) == bin_index).all()
        np.testing.assert_allclose(
            levels[:, bin_index], 20 * np.log10(amplitude), atol=LEVEL_TOLERANCE_DB
        )
        np.testing.assert_allclose(columns.peaks, amplitude, rtol=0.01)


def test_columns_do_not_depend_on_how_often_one_looks(rng) -> None:
    samples = rng.normal(0, 0.1, (2, 30_000)).astype(np.float32)
    at_once = pair_of(samples, np.repeat(samples, 2, axis=1)).take(10_000)
    taps = [Tap(sample_rate=rate, channels=2) for rate in (22_050, 44_100)]
    pair = Analyser(*taps, delay_samples=0, hop_samples=256)
    parts, at = [], 0
    while at < samples.shape[1]:
        block = samples[:, at : at + int(rng.integers(1, 3000))]
        taps[0].write(block)
        taps[1].write(np.repeat(block, 2, axis=1))
        at += block.shape[1]
        parts.append(pair.take(10_000))
    for whole, pieces in zip(at_once, zip(*parts, strict=True), strict=True):
        assert pieces[0].first == whole.first
        assert all(a.first + len(a.power) == b.first for a, b in pairwise(pieces))
        for name in ("power", "peaks"):
            found = np.concatenate([getattr(piece, name) for piece in pieces])
            np.testing.assert_array_equal(found, getattr(whole, name))
    # The sound of all hops is the signal, without its first and last half frame.
    sound = np.concatenate([source.sound for source, _ in parts], axis=1)
    start = at_once[0].first * 256 - 128
    np.testing.assert_array_equal(sound, samples[:, start : start + sound.shape[1]])
    assert sound.shape[1] > 29_000 - 1024


@pytest.mark.parametrize("delay", [0, 1838, 2861])
def test_click_stands_in_the_same_column_of_both_panes(delay) -> None:
    given, made = np.zeros((1, 22_050)), np.zeros((1, 44_100 + delay))
    given[0, 9000] = made[0, 2 * 9000 + delay] = 1
    upper, lower = pair_of(given, made, delay=delay).take(10_000)
    assert upper.first == lower.first
    assert len(upper.power) == len(lower.power) > 70
    assert upper.power.sum(axis=1).argmax() == lower.power.sum(axis=1).argmax()
    assert upper.peaks.argmax() == lower.peaks.argmax() == round(9000 / 256) - upper.first


def test_panes_wait_for_the_slower_tap_and_the_number_of_columns_is_limited() -> None:
    made = Tap(sample_rate=44_100, channels=1)
    given = tap_of(np.zeros((1, 22_050)), 22_050)
    pair = Analyser(given, made, delay_samples=1000, hop_samples=256)
    assert [len(columns.power) for columns in pair.take(1000)] == [0, 0]
    made.write(np.zeros((1, 22_050), np.float32))
    for columns in pair.take(17):
        assert len(columns.power) == 17
        # The newest output frame is centred at 22 050 - 1 024, which is input sample 10 013.
        assert columns.first + 17 == 10_013 // 256 + 1


@pytest.mark.parametrize("seconds", [(1, 1), (1, 2), (2, 1)])
def test_late_reader_continues_with_the_samples_that_are_held(seconds) -> None:
    given = Tap(sample_rate=22_050, channels=1, seconds=seconds[0])
    made = Tap(sample_rate=44_100, channels=1, seconds=seconds[1])
    pair = Analyser(given, made, delay_samples=0, hop_samples=256)
    for _ in range(50):
        given.write(np.ones((1, 2205), np.float32))
        made.write(np.ones((1, 4410), np.float32))
    upper, lower = pair.take(10_000)
    assert upper.first == lower.first > 300
    assert (
        upper.first + len(upper.power)
        == lower.first + len(lower.power)
        == (110_250 - 512) // 256 + 1
    )
    assert upper.sound.shape == (1, 256 * len(lower.power))


def test_stereo_is_drawn_as_its_mean_and_kept_as_it_is(rng) -> None:
    left = rng.normal(0, 0.1, (1, 8000)).astype(np.float32)
    columns = columns_of(np.concatenate([left, -left]))
    assert len(columns.power) > 20
    assert columns.power.max() == columns.peaks.max() == 0
    assert np.abs(columns.sound).max() > 0.1


def test_mean_is_plain_at_first_and_forgets_later() -> None:
    mean = RunningMean(10.0)
    mean.add(np.full((3, 2), 1.0, np.float32), 1.0)
    mean.add(np.full((1, 2), 5.0, np.float32), 1.0)
    np.testing.assert_allclose(mean.mean, 2.0)
    for _ in range(100):
        mean.add(np.full((1, 2), 7.0, np.float32), 1.0)
    # After 6 s of filling up, 94 steps of a tenth.
    np.testing.assert_allclose(mean.mean, 7.0, atol=0.01)
    mean.reset()
    assert mean.mean is None


def spectra_of(samples: np.ndarray) -> Spectra:
    """The spectra of an input that arrives 30 times a second."""
    power = columns_of(samples).power
    spectra = Spectra()
    for block in np.split(power, range(3, len(power), 3)):
        spectra.add(block, block.sum(axis=1) > 1e-8, 256 / 22_050)
    return spectra


def test_long_term_spectrum_of_a_sine_has_its_level_and_leaves_pauses_out() -> None:
    sine = tone(22_050, 100 * BIN_HZ, 0.1)
    spectra = spectra_of(np.concatenate([sine, sine, 0 * sine, 0 * sine], axis=1))
    found = level_db(spectra.mean(long_term=True))
    assert found.argmax() == 100
    # Without pauses; the frames at its end hold part of the sine.
    assert found[100] == pytest.approx(-20, abs=0.2)
    assert level_db(spectra.mean(long_term=False))[100] < -60
    # 2153 Hz is 1.1065 octaves above 1 kHz.
    tilted = level_db(spectra.mean(long_term=True), Slope.MUSIC)
    assert tilted[100] - found[100] == pytest.approx(4.5 * 1.1065, abs=0.01)


def test_pink_noise_is_flat_at_3_db_per_octave(rng) -> None:
    count = 60 * 22_050
    hz = np.fft.rfftfreq(count, 1 / 22_050)
    white = np.fft.rfft(rng.normal(0, 1, count))
    pink = np.fft.irfft(white / np.sqrt(np.maximum(hz, 20)))
    power = spectra_of(0.1 * pink[None] / pink.std()).mean(long_term=True)
    for slope, expected in ((Slope.PINK, 0.0), (Slope.NONE, -3.01), (Slope.MUSIC, 1.49)):
        levels = level_db(power, slope)
        octaves = [levels[round(f / BIN_HZ) : round(2 * f / BIN_HZ)].mean() for f in
                   (250, 500, 1000, 2000, 4000)]  # fmt: skip
        assert np.diff(octaves) == pytest.approx(expected, abs=NOISE_TOLERANCE_DB)


def test_maximum_holds_a_click_until_it_is_reset(rng) -> None:
    samples = rng.normal(0, 1e-4, (1, 40 * 22_050))
    samples[0, 20 * 256] = 1.0
    spectra = spectra_of(samples)
    # One sample of 1 under the middle of a window that sums to 512: power (2 / 512)^2.
    loudest = 10 * np.log10((2 / 512) ** 2)
    assert level_db(spectra.maximum)[50:450] == pytest.approx(loudest, abs=1.0)
    assert level_db(spectra.mean(long_term=True)).max() < loudest - 20
    assert LONG_TERM_S < 40
    spectra.reset()
    spectra.add(np.full((2, 513), 1e-9, np.float32), np.ones(2, bool), 0.01)
    np.testing.assert_allclose(spectra.maximum, 1e-9, rtol=1e-5)
    np.testing.assert_allclose(spectra.mean(long_term=True), 1e-9, rtol=1e-5)


@pytest.mark.parametrize("hz", [4000, 7000, 10_000, None])
def test_band_ends_where_the_level_falls(hz) -> None:
    power = np.full(513, 1e-5, np.float32)
    if hz is None:
        assert band_edge_hz(power, bin_hz=BIN_HZ) == 11_025
    else:
        power[round(hz / BIN_HZ) :] = 1e-9
        assert band_edge_hz(power, bin_hz=BIN_HZ) == pytest.approx(hz, abs=2 * BIN_HZ)
