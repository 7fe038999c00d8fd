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
    for share, said in ((0.5, "A, Original"), (1.5, "B, Restored")):
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=switch.rect().center() * share)
        assert engine.parameters.bypass is (share < 1)
        assert said in switch.accessibleName()


def test_mix_has_the_range_of_0_to_150_percent(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    for key, mix in ((Qt.Key.Key_Up, 1.5), (Qt.Key.Key_Down, 0)):
        for _ in range(60):
            opened.press(key)
        assert engine.parameters.mix == mix


def test_loudness_match_changes_networks_only_and_shows_the_gains(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    listening = opened.panels.listening
    listening.match.setChecked(True)
    listening.set_match_gain(-1.5)
    assert listening.match_db.text() == "B \u22121.5 dB"
    gains = [engine.parameters.output_gain_db]
    for key in (Qt.Key.Key_A, Qt.Key.Key_B):
        opened.press(key)
        gains.append(engine.parameters.output_gain_db)
    assert gains == [-1.5, 0, -1.5]
    listening.match.setChecked(False)
    assert engine.parameters.output_gain_db == 0
    # Of two networks each has its own gain.
    listening.set_names("octave", "unet-small")
    listening.match.setChecked(True)
    for bypass, gain_db in ((True, 2.0), (False, -1.0)):
        listening.set_bypass(bypass)
        assert engine.parameters.output_gain_db == 0
        listening.set_match_gain(gain_db)
        assert engine.parameters.output_gain_db == gain_db
    listening.set_bypass(True)
    assert engine.parameters.output_gain_db == 2.0
    assert listening.match_db.text() == "A +2.0, B \u22121.0 dB"


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
