"""Other low-passes and noise floors: each has the named effect, aligned with the recording."""

import numpy as np
import pytest

from models.evaluation.methods import kaiser
from models.evaluation.robustness import Condition, conditions, degraded, robustness

NAMES = [c.name for c in conditions()]
# Loss in the pass-band, and leakage from far above the band, in dB.
PASSED_DB = 1.0
STOPPED_DB = -20.0


def tone(hz: float, n: int = 20_000) -> np.ndarray:
    audio = 0.5 * np.sin(2 * np.pi * hz / 44_100 * np.arange(n)) * np.hanning(n)
    return audio.astype(np.float32)


def gain_db(out: np.ndarray, audio: np.ndarray) -> float:
    return 20 * np.log10(out.std() / audio.std())


@pytest.mark.parametrize("condition", conditions(), ids=NAMES)
def test_it_keeps_the_low_band_in_its_place_and_stops_the_octave_above(
    condition: Condition,
) -> None:
    low, wanted = degraded(condition, tone(1_000))
    assert (low.shape, wanted.shape) == ((10_000,), (20_000,))
    error = np.abs(low - wanted[::2])[500:-500].max()
    assert error < 0.5 * (1 - 10 ** (-PASSED_DB / 20))
    high, _ = degraded(condition, tone(18_000))
    assert gain_db(high, tone(18_000)) < STOPPED_DB


def test_a_cut_is_at_its_frequency_and_noise_has_its_level() -> None:
    by_name = {condition.name: condition for condition in conditions()}
    for khz in (8, 9, 10):
        for hz, low_db, high_db in ((-600, -1, 1), (600, -np.inf, -60)):
            audio = tone(1_000 * khz + hz)
            low, _ = degraded(by_name[f"cut at {khz} kHz"], audio)
            assert low_db < gain_db(low, audio) < high_db
    for level_db in (-60, -40):
        _, wanted = degraded(by_name[f"noise at {level_db} dB"], tone(1_000))
        assert gain_db(wanted - tone(1_000), tone(1_000)) == pytest.approx(level_db, abs=0.2)


def test_every_method_is_scored_under_every_condition(rng: np.random.Generator) -> None:
    audio = rng.normal(0.0, 0.1, 10_000).astype(np.float32)
    lines: list[str] = []
    methods = [kaiser("kaiser_fast"), kaiser("kaiser_best")]
    rows = robustness(methods, [audio], report=lines.append)
    assert len(lines) == len(NAMES) == 14
    assert [(r["condition"], r["method"]) for r in rows] == [
        (name, m.name) for name in NAMES for m in methods
    ]
    assert all(np.isfinite(r["lsd"]) for r in rows)
