"""Levels of the top octave, and the ladder of corrections."""

import numpy as np
import pytest
import scipy.signal

from models.evaluation.ladder import NOISE, RUNGS, ladder_rows, rungs
from models.evaluation.levels import level_errors, spectra, waveform

SECOND = 44_100
# Frames see 12 ms and bands 86 Hz: levels at borders are mixed.
LEAK_DB = 0.3


@pytest.fixture
def speech(rng: np.random.Generator) -> np.ndarray:
    """A second of loud noise, then a second 60 dB below it; white up to 22 kHz."""
    x = rng.normal(0.0, 0.1, 2 * SECOND)
    x[SECOND:] *= 1e-3
    return x.astype(np.float32)


def top(x: np.ndarray, gain_db: float) -> np.ndarray:
    """The signal with a gain above 9 kHz."""
    sos = scipy.signal.butter(12, 9_000, "high", fs=SECOND, output="sos")
    high = scipy.signal.sosfiltfilt(sos, x)
    return (x + (10 ** (gain_db / 20) - 1) * high).astype(np.float32)


def test_spectra_give_the_signal_back(rng: np.random.Generator) -> None:
    for length in (0, 1, 255, 256, 257, 5_000):
        x = rng.normal(size=length).astype(np.float32)
        np.testing.assert_allclose(waveform(spectra(x), length), x, atol=1e-5)


@pytest.mark.parametrize("gain_db", [-12.0, 0.0, 6.0])
def test_a_gain_of_the_top_octave_is_the_error_and_the_bias(speech, gain_db: float) -> None:
    found = level_errors(speech, top(speech, gain_db))
    for name in ("level_bias_db", "level_bias_db_pause"):
        assert found[name] == pytest.approx(gain_db, abs=LEAK_DB)
    assert found["level_error_db"] == pytest.approx(abs(gain_db), abs=LEAK_DB)


def test_a_gain_below_9_khz_is_no_error(speech) -> None:
    low = top(speech, -200.0)
    assert level_errors(speech, speech + 0.5 * low)["level_error_db"] < LEAK_DB


@pytest.mark.parametrize(
    ("wrong", "mended_by", "not_by"),
    [
        ("clip", {"one gain per clip", "mean spectrum per clip"}, {"levels right in pauses"}),
        ("pauses", {"levels right in pauses", "mean spectra of speech and of pauses"},
         {"levels right in speech", "one gain per clip"}),
        ("frames", {"level of each frame right", "levels right in speech"},
         {"band shape of each frame right", "mean spectra of speech and of pauses"}),
    ],
)  # fmt: skip
def test_a_rung_mends_what_its_name_says_and_no_more(speech, wrong, mended_by, not_by) -> None:
    parts = np.arange(len(speech)) // (SECOND // 5)
    quiet = {"clip": parts >= 0, "pauses": parts >= 5, "frames": (parts % 2 == 0) & (parts < 5)}
    estimate = np.where(quiet[wrong], top(speech, -10.0), speech)
    made = rungs(speech, estimate.astype(np.float32))
    assert set(made) == {*RUNGS, NOISE}

    def errors(title: str) -> float:
        found = level_errors(speech, made[title])
        return max(found["level_error_db"], found["level_error_db_pause"])

    assert errors("as it is") > 4.0
    assert {title for title in mended_by | not_by if errors(title) < 1.5} == mended_by
    assert errors("all levels right") < 1.5


def test_a_rung_leaves_what_is_far_below_9_khz(speech) -> None:
    low = scipy.signal.butter(12, 7_000, fs=SECOND, output="sos")
    for title, audio in rungs(speech, top(speech, -20.0)).items():
        error = scipy.signal.sosfilt(low, audio - speech)
        assert np.square(error).mean() < 1e-4 * np.square(speech).mean(), title


def test_rows_have_every_rung_and_no_figure_where_none_is_defined(speech) -> None:
    silence = np.zeros_like(speech)
    rows = ladder_rows("m", [(speech, silence)], visqol=None, report=lambda _: None)
    assert [row["rung"] for row in rows] == [*RUNGS, NOISE]
    assert {row["visqol"] for row in rows} == {None}
    assert rows[0]["level_bias_db"] < -40.0
