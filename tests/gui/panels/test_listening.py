"""The A/B switch, the mix and the loudness match."""

from PySide6.QtCore import Qt

from tests.helpers.gui.fake_engine import FakeWorld
from tests.helpers.gui.window import Opened, qt_marks
from tests.helpers.speech import demo_clip

pytestmark = qt_marks


def test_halves_of_the_switch_choose_a_and_b(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    switch = opened.panels.listening.ab
    left = switch.rect().center() - switch.rect().center() * 0.5
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=left)
    assert engine.parameters.bypass
    assert "A, Original" in switch.accessibleName()
    right = switch.rect().center() + switch.rect().center() * 0.5
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=right)
    assert not engine.parameters.bypass
    assert "B, Restored" in switch.accessibleName()


def test_mix_has_the_range_of_0_to_150_percent(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    for _ in range(30):
        opened.press(Qt.Key.Key_Up)
    assert engine.parameters.mix == 1.5
    for _ in range(60):
        opened.press(Qt.Key.Key_Down)
    assert engine.parameters.mix == 0


def test_loudness_match_changes_b_and_shows_the_gain(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    listening = opened.panels.listening
    listening.match.setChecked(True)
    listening.set_match_gain(-1.5)
    assert engine.parameters.output_gain_db == -1.5
    assert listening.match_db.text() == "B \u22121.5 dB"
    opened.press(Qt.Key.Key_A)
    assert engine.parameters.output_gain_db == 0
    opened.press(Qt.Key.Key_B)
    assert engine.parameters.output_gain_db == -1.5
    listening.match.setChecked(False)
    assert engine.parameters.output_gain_db == 0


def test_loudness_match_learns_from_what_runs(qtbot, tmp_path) -> None:
    clip = demo_clip()
    louder = FakeWorld(clip=clip._replace(full=clip.full * 1.26))
    opened = Opened(qtbot, tmp_path, louder)
    engine = opened.running()
    opened.panels.listening.match.setChecked(True)
    opened.qtbot.wait(350)
    for _ in range(60):
        engine.advance(0.1)
        opened.ticks(1)
    # 1.26 is 2 dB; the restored octave itself adds a little loudness.
    assert -4 < engine.parameters.output_gain_db < -1.5
