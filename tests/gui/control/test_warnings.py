"""Warnings about silence and howling."""

from PySide6.QtCore import Qt

from tests.helpers.gui.window import Opened, pick, qt_marks

pytestmark = qt_marks


def test_silent_microphone_is_reported_and_can_be_silenced_for_good(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    engine = opened.running()
    engine.silent = True
    opened.panels.banner.dismiss()
    for _ in range(12):
        opened.window.refresh_timer._last -= 0.25
        opened.ticks(1)
    assert "digital silence" in opened.notice
    opened.click(opened.panels.banner._never)
    opened.ticks()
    assert not opened.notice
    opened.window.close()
    again = Opened(qtbot, tmp_path, desk)
    assert "silence" in again.window.session.notices.silenced


def test_microphone_by_a_loudspeaker_warns_and_a_headset_does_not(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    opened.running()
    assert "howl" in opened.notice
    pick(opened.transport.output, "null")
    opened.wait(lambda: len(desk.engines) == 2)
    opened.running()
    assert not opened.notice
