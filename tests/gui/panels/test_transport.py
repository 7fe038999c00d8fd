"""The bar at the top: changes of model, device and file during playback; seek and loop."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from tests.helpers.gui.window import Answers, Opened, pick, qt_marks

pytestmark = qt_marks

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_change_of_model_continues_at_the_position_of_the_clip(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    first.advance(3.0)
    opened.ticks()
    pick(opened.transport.model, "octave")
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    second = opened.running()
    assert second.settings.model == "octave"
    assert first.stops == 1
    assert second.sought == [pytest.approx(3.0, abs=1.5)]


def test_change_of_device_while_running(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    first = opened.running()
    pick(opened.transport.output, "null")
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    assert opened.running().settings.output == "null"
    assert opened.panels.status.route.text().endswith("Nowhere")


def test_slider_values_survive_a_change_of_model(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    opened.panels.listening.mix.set_value(130)
    opened.panels.listening.set_bypass(True)
    assert first.parameters.mix == 1.3
    assert first.parameters.bypass
    pick(opened.transport.model, "octave")
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    assert opened.running().parameters == first.parameters


def test_file_that_ends_stops_and_can_be_started_again(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    first.finish()
    opened.wait(lambda: "Finished" in opened.panels.status.state.text())
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    assert opened.running().sought == []


def test_loop_starts_anew_where_the_clip_was(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    opened.press(Qt.Key.Key_L)
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    assert not opened.running().settings.loop


def test_seek_by_key_and_by_slider(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.ticks()
    opened.press(Qt.Key.Key_Right)
    assert engine.sought[-1] == pytest.approx(5, abs=1)
    seek = opened.panels.view_bar.seek
    qtbot.mouseClick(seek, Qt.MouseButton.LeftButton, pos=seek.rect().center())
    assert engine.sought[-1] == pytest.approx(4, abs=0.3)


def test_file_is_opened_and_played(qtbot, tmp_path, desk) -> None:
    path = str(tmp_path / "voice.flac")
    opened = Opened(qtbot, tmp_path, desk, answers=Answers(sound=path))
    opened.listed()
    opened.press(Qt.Key.Key_O, CONTROL)
    engine = opened.running()
    assert engine.settings.input == path
    assert opened.transport.input.currentText() == "voice.flac"


@pytest.mark.parametrize(("name", "taken"), [("voice.wav", True), ("letter.txt", False)])
def test_sound_file_can_be_dropped_on_the_window(qtbot, tmp_path, desk, name, taken) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    path = tmp_path / name
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    drop = QDropEvent(
        QPointF(300, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    opened.window.dropEvent(drop)
    if taken:
        # Qt writes paths with forward slashes on every system.
        assert Path(opened.running().settings.input) == path
    else:
        qtbot.wait(50)
        assert not desk.opening


def test_wheel_does_not_change_the_device(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    box = opened.transport.output
    before = box.currentIndex()
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, -120), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, turn)
    assert box.currentIndex() == before


def test_output_goes_into_a_file(qtbot, tmp_path) -> None:
    path = str(tmp_path / "out.wav")
    opened = Opened(qtbot, tmp_path, answers=Answers(target=path))
    first = opened.running()
    pick(opened.transport.output, "save-file")
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    assert opened.running().settings.output == path


def test_cancelled_file_dialog_changes_nothing(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    pick(opened.transport.input, "open-file")
    pick(opened.transport.output, "save-file")
    qtbot.wait(50)
    assert opened.window.session.engine_thread.engine is engine
    assert opened.transport.input.chosen.value == "demo"
    assert opened.transport.output.chosen.value == "null"
