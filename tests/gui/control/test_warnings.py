"""Warnings about silence and howling."""

from PySide6.QtCore import Qt

from tests.helpers.gui.window import Opened, pick, qt_marks

pytestmark = qt_marks


def test_silent_microphone_is_reported_and_can_be_silenced_for_good(
    waiting, qtbot, tmp_path, desk
) -> None:
    waiting.press(Qt.Key.Key_Space)
    engine = waiting.running()
    engine.silent = True
    waiting.panels.banner.dismiss()
    for _ in range(12):
        waiting.window.refresh_timer._last -= 0.25
        waiting.ticks(1)
    assert "digital silence" in waiting.notice
    waiting.click(waiting.panels.banner._never)
    waiting.ticks()
    assert not waiting.notice
    waiting.window.close()
    again = Opened(qtbot, tmp_path, desk)
    assert "silence" in again.window.session.notices.silenced


def test_microphone_by_a_loudspeaker_warns_and_a_headset_does_not(waiting, desk) -> None:
    waiting.press(Qt.Key.Key_Space)
    waiting.running()
    assert "howl" in waiting.notice
    pick(waiting.transport.output, "null")
    waiting.wait(lambda: len(desk.engines) == 2)
    waiting.running()
    assert not waiting.notice
