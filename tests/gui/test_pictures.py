"""The spectrograms: what they show, freeze, axes, cross-hair, colours and overlays."""

import pytest
from PySide6.QtCore import Qt

from gui.spectrogram.frequency_scale import Scale
from tests.helpers.gui_window import Opened, picture, qt_marks

pytestmark = qt_marks


def test_pictures_fill_and_freeze_while_the_audio_goes_on(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    engine.advance(5)
    opened.ticks()
    pictures = opened.panels.spectrograms
    before = picture(pictures.output_pane)
    assert before.any()
    opened.press(Qt.Key.Key_F)
    still = picture(pictures.output_pane)
    engine.advance(2)
    opened.ticks()
    assert (picture(pictures.output_pane) == still).all()
    assert engine.state == "running"
    opened.press(Qt.Key.Key_F)
    opened.ticks()
    assert (picture(pictures.output_pane) != still).any()


def test_upper_half_is_empty_in_the_input_and_full_in_the_output(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(8)
    opened.ticks()
    pictures = opened.panels.spectrograms
    dark = pictures.input_pane._colours[0]
    upper_in = picture(pictures.input_pane)
    upper_out = picture(pictures.output_pane)
    half = len(upper_in) // 2 - 2
    assert (upper_in[:half] == dark).all()
    assert (upper_out[:half] != dark).mean() > 0.1


def test_bypass_empties_the_upper_half_of_the_output(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.press(Qt.Key.Key_A)
    opened.panels.spectrograms.input_pane.resize(400, 200)
    engine.advance(9)
    engine.history[:] = engine.history[-1:]
    engine.history[0] = (0.0, engine.parameters)
    opened.ticks()
    newest = picture(opened.panels.spectrograms.output_pane)[:, -200:]
    half = len(newest) // 2 - 2
    assert (newest[:half] == opened.panels.spectrograms.output_pane._colours[0]).all()


def test_nothing_is_computed_while_hidden(qtbot, tmp_path, monkeypatch) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.ticks()
    reads = []
    tap = engine.output_tap
    monkeypatch.setattr(tap, "read", lambda since: reads.append(since))
    opened.window.showMinimized()
    opened.wait(opened.window.isMinimized)
    opened.ticks()
    assert not reads
    monkeypatch.undo()
    opened.window.showNormal()
    engine.advance(4)
    opened.wait(lambda: opened.window.isVisible() and not opened.window.isMinimized())
    opened.ticks()
    assert picture(opened.panels.spectrograms.output_pane).any()


@pytest.mark.parametrize("key", [Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3])
def test_axis_is_chosen_for_both_panes(qtbot, tmp_path, key) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(3)
    opened.ticks()
    opened.press(key)
    scale = list(Scale)[key - Qt.Key.Key_1]
    pictures = opened.panels.spectrograms
    assert pictures.input_pane._scale is pictures.output_pane._scale is scale
    assert opened.panels.view_bar.scales[scale].isChecked()


def test_cross_hair_is_linked_and_reads_out_both_levels(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(9)
    opened.ticks()
    pictures = opened.panels.spectrograms
    pane = pictures.output_pane
    point = pane.rect().center()
    point.setY(int(pane.height() * 0.75))
    qtbot.mouseMove(pane, point)
    opened.wait(lambda: bool(opened.panels.status.read_out.text()))
    text = opened.panels.status.read_out.text()
    assert "5.5" in text
    assert "in \u2212" in text
    assert "out \u2212" in text
    assert "difference" in text
    assert pictures.input_pane._cursor == pane._cursor is not None


def test_colour_range_is_dragged_shifted_and_reset(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(3)
    opened.ticks()
    bar = opened.panels.spectrograms.colour_bar
    before = picture(opened.panels.spectrograms.output_pane).copy()
    start = bar.range_db
    top = bar.rect().center()
    top.setY(int(bar._y(start[1])))
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=top)
    top.setY(int(bar._y(-50)))
    qtbot.mouseMove(bar, top)
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=top)
    assert bar.range_db == (start[0], pytest.approx(-50, abs=1))
    assert (picture(opened.panels.spectrograms.output_pane) != before).any()
    qtbot.mouseDClick(bar, Qt.MouseButton.LeftButton)
    assert bar.range_db == start


def test_overlays_draw_without_complaint(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    for _ in range(5):
        engine.advance(0.2)
        opened.ticks(1)
    pictures = opened.panels.spectrograms
    assert len(pictures.output_pane._curves) == 2
    with_all = pictures.output_pane.grab().toImage()
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    assert pictures.output_pane.grab().toImage() != with_all
