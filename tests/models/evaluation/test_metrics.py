"""The measures against their definitions, written out, and against known properties."""

import math

import numpy as np
import pytest

from models.evaluation.metrics import power_spectrogram, score, snr_db

SECOND = 44_100


def white(rng: np.random.Generator, n: int = SECOND, level: float = 0.1) -> np.ndarray:
    return rng.normal(0.0, level, n).astype(np.float32)


def test_the_spectrogram_is_the_definition(rng: np.random.Generator) -> None:
    x = white(rng, 5_000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2_048) / 2_048)
    padded = np.pad(x.astype(np.float64), 1_024, mode="reflect")
    expected = [
        np.abs(np.fft.rfft(padded[i : i + 2_048] * window)) ** 2
        for i in range(0, len(padded) - 2_047, 512)
    ]
    assert len(expected) == 1 + 5_000 // 512
    np.testing.assert_allclose(power_spectrogram(x), expected, rtol=1e-9)


def test_lsd_is_the_definition(rng: np.random.Generator) -> None:
    x, y = white(rng), white(rng, level=0.05)
    a, b = (np.log10(np.maximum(power_spectrogram(v), 1e-8)) for v in (x, y))
    expected = np.mean(np.sqrt(np.mean((a - b) ** 2, axis=1)))
    row = score(x, y)
    assert row["lsd"] == pytest.approx(expected, rel=1e-9)
    assert row["lsd_ln"] == pytest.approx(expected * 2.302585, rel=1e-6)


def test_a_gain_of_20_db_is_an_lsd_of_2_in_every_band_above_the_clamp(
    rng: np.random.Generator,
) -> None:
    x = white(rng)
    row = score(x, x / 10)
    for name in ("lsd", "lsd_hf", "lsd_edge", "lsd_act"):
        assert row[name] == pytest.approx(2.0, abs=1e-4), name
    below = white(rng, level=1e-7)
    assert score(below, np.zeros_like(below))["lsd"] == 0.0


def tone(hz: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz / SECOND * np.arange(SECOND))).astype(np.float32)


@pytest.mark.parametrize(
    ("hz", "bands"),
    [
        (8_500, set()),
        (10_000, {"lsd_edge"}),
        (11_250, {"lsd_hf"}),
        (14_000, {"lsd_hf", "lsd_act"}),
        (18_500, {"lsd_hf"}),
        (20_500, set()),
    ],
)
def test_bands_are_where_they_are_said_to_be(
    rng: np.random.Generator, hz: float, bands: set[str]
) -> None:
    x = white(rng, level=0.01)
    row = score(x, x + tone(hz))
    assert row["lsd"] > 0.1
    for name in ("lsd_hf", "lsd_edge", "lsd_act"):
        assert (row[name] > 0.1) == (name in bands), name


def test_lsd_act_counts_only_frames_with_speech(rng: np.random.Generator) -> None:
    x = white(rng, 4 * SECOND, level=1e-4)
    x[: 2 * SECOND] += white(rng, 2 * SECOND, level=0.2)
    pause, speech = x.copy(), x.copy()
    pause[3 * SECOND :] *= 30
    speech[:SECOND] *= 0.1
    assert score(x, pause)["lsd"] > 0.1
    assert score(x, pause)["lsd_act"] < 0.01
    assert score(x, speech)["lsd_act"] > 0.1


def test_snr_is_the_ratio_of_energies_and_snr_lf_that_below_9_khz() -> None:
    x = tone(1_000)
    assert snr_db(x, x * np.float32(0.9)) == pytest.approx(20.0, abs=1e-3)
    row = score(x, x + tone(15_000, 0.3))
    assert row["snr_db"] == pytest.approx(0.0, abs=0.01)
    assert row["snr_lf_db"] > 40  # the hard ends of the tone are clicks of every frequency
    row = score(x, x + tone(5_000, 0.3))
    assert row["snr_lf_db"] == pytest.approx(0.0, abs=0.1)


def test_silence_has_no_snr_and_all_else_is_finite(rng: np.random.Generator) -> None:
    row = score(np.zeros(SECOND, np.float32), tone(1_000))
    assert {name for name, value in row.items() if math.isnan(value)} == {"snr_db", "snr_lf_db"}
    for n in (1, 1_024, 1_025, SECOND):  # shorter than a frame, too
        x = white(rng, n)
        row = score(x, x)
        assert row["lsd"] == 0.0
        assert 100 < row["snr_db"] < math.inf


def test_shapes_and_numbers_that_are_wrong_are_refused() -> None:
    x = np.zeros(100, np.float32)
    for reference, estimate in ((x, x[:50]), (x, x[None]), (x, x[:0]), (x[:0], x[:0])):
        with pytest.raises(ValueError, match="alike"):
            score(reference, estimate)
    with pytest.raises(ValueError, match="finite"):
        score(x, np.full(100, np.nan, np.float32))
