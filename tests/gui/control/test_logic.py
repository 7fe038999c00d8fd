"""The parts of the window that need no Qt: blind test, loudness, meters, warnings, menus."""

import csv
import itertools
import math
import random

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog
from scipy.stats import binomtest

from gui.control.dialogs import Dialogs
from gui.control.notices import feedback_risk, sentence
from gui.control.refresh_timer import Lasting
from gui.panels.abx_test import AbxSession, p_value, verdict
from gui.panels.view_bar import format_time
from gui.spectrogram.analysis.loudness_match import LIMIT_DB, LoudnessMatch, k_weights
from gui.widgets.device_choices import find, input_choices, output_choices
from gui.widgets.meter_ballistics import FALL_DB_PER_S, FLOOR_DB, HOLD_S, MeterBallistics
from gui.widgets.realtime_gauge import Health, format_ratio, health
from gui.widgets.text import DASH, TIMES
from tests.helpers.gui.fake_engine import DESK, device

# Read off the curve of BS.1770's two filters at 48 kHz, of which these are the analogue originals.
K_TOLERANCE_DB = 0.2


@pytest.mark.parametrize("total", [1, 5, 16, 100])
def test_p_value_is_the_one_sided_binomial(total) -> None:
    for right in {0, total // 2, total - 1, total}:
        expected = binomtest(right, total, 0.5, alternative="greater").pvalue
        assert p_value(right, total) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("right", "total"), [(-1, 5), (6, 5)])
def test_p_value_refuses_impossible_counts(right, total) -> None:
    with pytest.raises(ValueError, match="must be from 0"):
        p_value(right, total)


def test_verdict_needs_answers_and_luck_to_be_unlikely() -> None:
    assert verdict(4, 4) == "too few answers to tell"
    assert verdict(6, 10) == "could be guessing"
    assert verdict(9, 10) == "you probably hear a difference"
    assert verdict(16, 16) == "you hear a difference"


def test_x_is_a_or_b_at_random() -> None:
    session = AbxSession(random.Random(1))
    drawn = []
    for _ in range(400):
        drawn.append(session.x_is_b)
        session.answer(said_b=True, seconds=1, switches=1)
    # Four standard deviations of a fair coin.
    assert abs(sum(drawn) - 200) < 40
    assert session.right == sum(drawn)
    # Nor does the next X follow from the last one.
    same = sum(a == b for a, b in itertools.pairwise(drawn))
    assert abs(same - 200) < 40


def test_two_tests_draw_different_x() -> None:
    draws = set()
    for _ in range(4):
        session = AbxSession()
        draws.add(tuple(session.draw() or session.x_is_b for _ in range(64)))
    assert len(draws) == 4


def test_export_contains_every_answer(tmp_path) -> None:
    session = AbxSession(random.Random(3))
    for said in (True, False, True, True):
        session.answer(said_b=said, seconds=2.5, switches=3)
    path = tmp_path / "abx.csv"
    session.export(path, about={"model": "unet, small"})
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == ["B", "A", "B", "B"]
    assert [int(row["right"]) for row in rows] == [int(t.right) for t in session.trials]
    assert {row["model"] for row in rows} == {"unet, small"}
    assert float(rows[-1]["p_value"]) == pytest.approx(p_value(session.right, 4), abs=1e-6)


def test_k_weighting_follows_the_standard() -> None:
    weights = 10 * np.log10(k_weights(1025))
    for hz, expected in ((1000, 0.7), (4000, 3.9), (10_000, 4.0), (100, -1.1)):
        assert weights[round(hz / 21.533)] == pytest.approx(expected, abs=K_TOLERANCE_DB)
    assert weights[1] < -5


@pytest.mark.parametrize("difference_db", [-4.0, 0.0, 3.0])
def test_match_compensates_a_difference_of_loudness(rng, difference_db) -> None:
    match = LoudnessMatch()
    made = rng.uniform(0, 1e-3, (200, 1025)).astype(np.float32)
    made[:, 513:] = 0
    given = made[:, :513] * np.float32(10 ** (-difference_db / 10))
    for at in range(0, 200, 4):
        match.update(given[at : at + 4], made[at : at + 4], hop_s=0.0116, output_gain_db=0)
    assert match.gain_db == pytest.approx(-difference_db, abs=0.05)


def test_match_ignores_its_own_gain(rng) -> None:
    match = LoudnessMatch()
    sound = rng.uniform(0, 1e-3, (4, 513)).astype(np.float32)
    for _ in range(100):
        gain = match.gain_db
        louder = sound * np.float32(10 ** ((2.0 + gain) / 10))
        match.update(sound, louder, hop_s=0.0116, output_gain_db=gain)
    assert match.gain_db == pytest.approx(-2.0, abs=0.05)


def test_match_stays_within_its_limit_and_ignores_silence(rng) -> None:
    match = LoudnessMatch()
    silence = np.zeros((50, 513), np.float32)
    match.update(silence, silence, hop_s=0.1, output_gain_db=0)
    assert match.gain_db == 0
    loud = np.full((50, 513), 1e-2, np.float32)
    match.update(loud, loud * np.float32(100), hop_s=0.1, output_gain_db=0)
    assert match.gain_db == -LIMIT_DB


def test_peak_holds_and_then_falls() -> None:
    ballistics = MeterBallistics()
    ballistics.update(rms_db=-20, peak_db=-6, elapsed_s=0.03)
    for _ in range(int(HOLD_S / 0.03) - 1):
        ballistics.update(rms_db=-40, peak_db=-30, elapsed_s=0.03)
        assert ballistics.hold_db == -6
    for _ in range(10):
        ballistics.update(rms_db=-40, peak_db=-30, elapsed_s=0.1)
    assert ballistics.hold_db == pytest.approx(-6 - FALL_DB_PER_S, abs=3)


def test_clip_light_stays_until_it_is_cleared() -> None:
    ballistics = MeterBallistics()
    ballistics.update(rms_db=-3, peak_db=0.0, elapsed_s=0.03)
    for _ in range(1000):
        ballistics.update(rms_db=-60, peak_db=-50, elapsed_s=0.1)
    assert ballistics.clipped
    assert ballistics.max_db == 0.0
    ballistics.clear_clip()
    ballistics.update(rms_db=-60, peak_db=-50, elapsed_s=0.1)
    assert not ballistics.clipped
    assert ballistics.max_db == -50


def test_meter_handles_silence_and_nan() -> None:
    ballistics = MeterBallistics()
    for level in (-math.inf, math.nan):
        ballistics.update(rms_db=level, peak_db=level, elapsed_s=10)
        assert ballistics.rms_db == ballistics.peak_db == FLOOR_DB
    assert not ballistics.clipped


def test_devices_are_grouped_by_host_api_with_their_rates() -> None:
    lines = input_choices(list(DESK))
    labels = [line.label for line in lines]
    assert labels.index("ALSA") < labels.index("JACK Audio Connection Kit")
    assert lines[labels.index("ALSA")].heading
    assert "HDA Intel PCH: ALC257 Analog  ·  48 kHz, converted" in labels
    assert "pulse  ·  22.05 kHz" in labels
    assert not any("HDMI" in label for label in labels)
    assert any("HDMI" in line.label for line in output_choices(list(DESK)))
    assert "Virtual microphone" in [line.label for line in output_choices(list(DESK))]


def test_device_is_found_again_when_its_number_changed() -> None:
    key = input_choices(list(DESK))[find(input_choices(list(DESK)), "3")].key
    moved = [device(0, "New one", inputs=1), *(
        device(d.index + 7, d.name, host_api=d.host_api, inputs=d.inputs) for d in DESK
    )]  # fmt: skip
    found = input_choices(moved)[find(input_choices(moved), key)]
    assert found.value == "10"
    assert "USB Headset" in found.label


def test_headings_and_missing_devices_are_not_found() -> None:
    lines = input_choices(list(DESK))
    assert find(lines, "") == -1
    assert find(lines, "ALSA\nGone") == -1
    assert find(lines, "JACK Audio Connection Kit") == -1


def test_without_devices_there_is_still_the_clip_and_nowhere() -> None:
    assert [line.value for line in input_choices([])] == ["demo", "open-file"]
    assert [line.value for line in output_choices([])] == ["null", "save-file"]


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0, Health.IDLE), (0.99, Health.TOO_SLOW), (1, Health.TIGHT), (1.99, Health.TIGHT),
     (2, Health.GOOD), (500, Health.GOOD)],
)  # fmt: skip
def test_health_changes_below_two_and_below_one(ratio, expected) -> None:
    assert health(ratio) is expected


def test_ratio_is_written_with_three_digits() -> None:
    assert [format_ratio(r) for r in (0, 0.756, 11.84, 240.2)] == [
        DASH,
        f"0.76{TIMES}",
        f"11.8{TIMES}",
        f"240{TIMES}",
    ]


def test_what_lasts_is_noticed_and_what_pauses_is_not() -> None:
    lasting = Lasting(3.0)
    assert not lasting.update(True, 2.9)
    assert lasting.update(True, 0.2)
    assert not lasting.update(False, 0.1)
    assert not lasting.update(True, 2.9)


@pytest.mark.parametrize(
    ("given", "played", "names", "risky"),
    [(True, True, "Built-in mic Built-in speakers", True),
     (True, True, "mic USB Headset", False),
     (True, True, "mic BlackHole 2ch", False),
     (False, True, "clip speakers", False),
     (True, False, "mic null", False)],
)  # fmt: skip
def test_only_a_microphone_by_a_loudspeaker_can_howl(given, played, names, risky) -> None:
    assert feedback_risk(given, played, names) is risky


def test_small_texts() -> None:
    assert [format_time(s) for s in (0, 61.9, 3723)] == ["0:00", "1:01", "1:02:03"]
    assert sentence("it broke") == "It broke."
    assert sentence("Why?") == "Why?"
    assert sentence("net.ts is broken") == "net.ts is broken."


@pytest.mark.parametrize(
    ("named", "chosen", "saved"),
    [("a", "FLAC (*.flac)", "a.flac"), ("a.WAV", "FLAC (*.flac)", "a.WAV"),
     ("a.b", "", "a.b.wav"), ("", "", "")],
)  # fmt: skip
def test_name_without_suffix_gets_that_of_the_chosen_kind(
    monkeypatch, named, chosen, saved
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (named, chosen))
    assert Dialogs().save(None, "", "", "WAV (*.wav);;FLAC (*.flac)") == saved
