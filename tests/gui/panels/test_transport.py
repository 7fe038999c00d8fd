"""The bar at the top: changes of model, device and file during playback; seek and loop."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from tests.helpers.gui.fake_engine import FakeEngine, FakeWorld
from tests.helpers.gui.window import Answers, Opened, pick, qt_marks

pytestmark = qt_marks

CONTROL = Qt.KeyboardModifier.ControlModifier


def change(opened: Opened, field: str, key: str) -> FakeEngine:
    """Choose while an engine runs, and wait for the next engine."""
    before = opened.running()
    pick(opened.transport.boxes[field], key)
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, before))
    assert before.stops == 1
    return opened.running()


def test_change_of_model_keeps_the_position_and_the_sliders(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    opened.panels.listening.mix.set_value(130)
    opened.panels.listening.set_bypass(True)
    assert first.parameters.mix == 1.3
    first.advance(3.0)
    opened.ticks()
    second = change(opened, "model", "octave")
    assert second.settings.model == "octave"
    assert second.sought == [pytest.approx(3.0, abs=1.5)]
    assert second.parameters == first.parameters
    assert second.parameters.bypass


def test_second_model_is_compared_named_and_saved(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    assert opened.transport.model_b.currentText() == "Upsampled only"
    assert change(opened, "model_b", "octave").settings.model_b == "octave"
    panels, switch = opened.panels, opened.panels.listening.ab
    assert "A octave | B unet-small" in panels.status.route.text()
    note = panels.spectrograms.output_plot.note
    for key, name in ((Qt.Key.Key_B, "A octave"), (Qt.Key.Key_B, "B unet-small")):
        opened.press(key)
        assert switch.accessibleName().endswith(name.replace(" ", ", "))
        assert name in note.text()
    for text in (switch.toolTip(), panels.abx._text.text()):
        assert "network octave" in text
        assert "network unet-small" in text
    opened.window.close()
    again = Opened(qtbot, tmp_path, FakeWorld())
    assert again.running().settings.model_b == "octave"
    assert again.transport.model_b.currentText() == "Octave, causal"
    assert change(again, "model_b", "none").settings.model_b == ""
    assert again.panels.listening.ab.accessibleName().endswith("B, Restored")
    assert "|" not in again.panels.status.route.text()
    again.window.close()
    again.settings_path.write_text("[General]\nmodel_b=gone\n")
    assert Opened(qtbot, tmp_path, FakeWorld()).running().settings.model_b == ""


def test_change_of_output_while_running(qtbot, tmp_path, desk) -> None:
    path = str(tmp_path / "out.wav")
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    engine = change(opened, "output", "null")
    assert engine.settings.output == "null"
    assert opened.panels.status.route.text().endswith("Nowhere")
    # Cancelled dialogs change nothing.
    pick(opened.transport.input, "open-file")
    pick(opened.transport.output, "save-file")
    assert opened.running() is engine
    assert opened.transport.input.chosen.value == "default"
    assert opened.transport.output.chosen.value == "null"
    opened.answers.target = path
    assert change(opened, "output", "save-file").settings.output == path
    assert change(opened, "output", "default").settings.output == "default"
    assert change(opened, "output", path).settings.output == path


def test_file_that_ends_stops_and_can_be_started_again(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().finish()
    opened.wait(lambda: "Finished" in opened.panels.status.state.text())
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    first = opened.running()
    assert first.sought == []
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


def test_sound_file_is_dropped_or_opened_and_another_file_is_refused(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk, answers=Answers(sound=str(tmp_path / "voice.flac")))
    opened.listed()
    for name in ("letter.txt", "voice.wav"):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / name))])
        opened.window.dropEvent(QDropEvent(
            QPointF(300, 300), Qt.DropAction.CopyAction, data,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        ))  # fmt: skip
    # Qt writes paths with forward slashes on every system.
    assert Path(opened.running().settings.input) == tmp_path / "voice.wav"
    assert len(desk.opening) == 1
    opened.press(Qt.Key.Key_O, CONTROL)
    opened.wait(lambda: len(desk.engines) == 2)
    assert opened.transport.settings.input == opened.answers.sound
    assert opened.transport.input.currentText() == "voice.flac"


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
