"""Columns: right level, right frequency, right moment, and both panes in step."""

import numpy as np
import pytest

from gui.spectrogram.analysis.stft import BIN_HZ, Analyser, PairAnalyser
from realtime.engine.tap import Tap

# A periodic Hann window is exact for a tone on a bin; what is left is single precision.
LEVEL_TOLERANCE_DB = 0.02


def tone(rate: int, hz: float, seconds: float, amplitude: float = 1.0) -> np.ndarray:
    t = np.arange(int(rate * seconds)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)[None]


def tap_of(samples: np.ndarray, rate: int, seconds: float = 10.0) -> Tap:
    tap = Tap(sample_rate=rate, channels=len(samples), seconds=seconds)
    tap.write(samples)
    return tap


@pytest.mark.parametrize(("rate", "fft"), [(22_050, 1024), (44_100, 2048)])
@pytest.mark.parametrize("amplitude", [1.0, 0.1])
def test_tone_has_its_level_at_its_bin_in_both_panes(rate, fft, amplitude) -> None:
    bin_index = 100
    tap = tap_of(tone(rate, bin_index * BIN_HZ, 1.0, amplitude), rate)
    columns = Analyser(tap, fft_samples=fft, hop_samples=fft // 4).take(10_000)
    level_db = 10 * np.log10(np.maximum(columns.power, 1e-20))
    assert (level_db.argmax(axis=1) == bin_index).all()
    np.testing.assert_allclose(
        level_db[:, bin_index], 20 * np.log10(amplitude), atol=LEVEL_TOLERANCE_DB
    )
    np.testing.assert_allclose(columns.peaks, amplitude, rtol=0.01)


def test_columns_do_not_depend_on_how_often_one_looks(rng) -> None:
    samples = rng.normal(0, 0.1, (1, 30_000)).astype(np.float32)
    whole = Analyser(tap_of(samples, 22_050), fft_samples=1024, hop_samples=256)
    at_once = whole.take(10_000)
    tap = Tap(sample_rate=22_050, channels=1)
    bit_by_bit = Analyser(tap, fft_samples=1024, hop_samples=256)
    parts, at = [], 0
    while at < samples.shape[1]:
        count = int(rng.integers(1, 3000))
        tap.write(samples[:, at : at + count])
        at += count
        parts.append(bit_by_bit.take(bit_by_bit.available()))
    assert [part.first for part in parts if len(part.power)] == sorted(
        {part.first for part in parts if len(part.power)}
    )
    np.testing.assert_array_equal(np.concatenate([p.power for p in parts]), at_once.power)
    np.testing.assert_array_equal(np.concatenate([p.peaks for p in parts]), at_once.peaks)


@pytest.mark.parametrize("delay", [0, 1838, 2861])
def test_click_stands_in_the_same_column_of_both_panes(delay) -> None:
    given = np.zeros((1, 22_050), np.float32)
    given[0, 9000] = 1
    made = np.zeros((1, 44_100 + delay), np.float32)
    made[0, 2 * 9000 + delay] = 1
    pair = PairAnalyser(
        tap_of(given, 22_050), tap_of(made, 44_100), delay_samples=delay, hop_samples=256
    )
    upper, lower = pair.take(10_000)
    assert upper.first == lower.first
    assert len(upper.power) == len(lower.power) > 70
    assert upper.power.sum(axis=1).argmax() == lower.power.sum(axis=1).argmax()
    assert upper.peaks.argmax() == lower.peaks.argmax() == round(9000 / 256) - upper.first


def test_panes_wait_for_the_slower_tap() -> None:
    given = tap_of(np.zeros((1, 22_050), np.float32), 22_050)
    made = Tap(sample_rate=44_100, channels=1)
    pair = PairAnalyser(given, made, delay_samples=1000, hop_samples=256)
    upper, lower = pair.take(1000)
    assert len(upper.power) == len(lower.power) == 0
    made.write(np.zeros((1, 22_050), np.float32))
    upper, lower = pair.take(1000)
    # The newest output frame is centred at 22 050 - 1 024, which is input sample 10 013.
    assert upper.end == lower.end == 10_013 // 256 + 1


def test_late_reader_continues_with_the_samples_that_are_held() -> None:
    given = Tap(sample_rate=22_050, channels=1, seconds=1)
    made = Tap(sample_rate=44_100, channels=1, seconds=1)
    pair = PairAnalyser(given, made, delay_samples=0, hop_samples=256)
    for _ in range(50):
        given.write(np.ones((1, 2205), np.float32))
        made.write(np.ones((1, 4410), np.float32))
    upper, lower = pair.take(10_000)
    assert upper.first == lower.first > 300
    assert upper.end == lower.end == (110_250 - 512) // 256 + 1


def test_number_of_columns_is_limited() -> None:
    silence = np.zeros((1, 100_000), np.float32)
    pair = PairAnalyser(
        tap_of(silence, 22_050), tap_of(np.zeros((1, 200_000), np.float32), 44_100),
        delay_samples=0, hop_samples=256,
    )  # fmt: skip
    upper, lower = pair.take(17)
    assert len(upper.power) == len(lower.power) == 17


def test_stereo_is_drawn_as_its_mean(rng) -> None:
    left = rng.normal(0, 0.1, (1, 8000)).astype(np.float32)
    both = np.concatenate([left, -left])
    columns = Analyser(tap_of(both, 22_050), fft_samples=1024, hop_samples=256).take(100)
    assert len(columns.power) > 20
    assert columns.power.max() == 0
