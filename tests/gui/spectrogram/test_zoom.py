"""Zoom, the last minute, measured values and saved pictures."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from tests.helpers.gui.plots import double_click, drag, point_at, ranges, wheel
from tests.helpers.gui.window import Answers, Opened, picture, qt_marks

pytestmark = qt_marks


def test_wheel_zooms_both_plots_and_double_click_returns(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(9)
    opened.ticks()
    pictures = opened.panels.spectrograms
    (left, right), full = ranges(opened)
    assert right == 0
    assert full == (0, 1)
    wheel(opened, pictures.output_plot, 3)
    (zoomed_left, right), (low, high) = ranges(opened)
    assert zoomed_left > left + 1
    # A live view keeps its right end, and is not frozen by a zoom.
    assert right == 0
    assert 0 < low < high < 1
    assert not pictures.frozen
    wheel(opened, pictures.input_plot, 2, Qt.KeyboardModifier.ShiftModifier)
    assert ranges(opened)[0] == (zoomed_left, 0)
    assert ranges(opened)[1][0] > low
    qtbot.wait(20)
    double_click(qtbot, pictures.plots.viewport(), point_at(opened, pictures.output_plot, 0.5, 0.5))
    assert ranges(opened) == ((pytest.approx(left), 0), (0, 1))


def test_drag_into_the_past_freezes_and_a_minute_can_be_seen(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    for _ in range(7):
        engine.advance(9)
        opened.ticks()
    pictures, view_bar = opened.panels.spectrograms, opened.panels.view_bar
    start = point_at(opened, pictures.output_plot, 0.2, 0.5)
    drag(qtbot, pictures.plots.viewport(), start, start + QPoint(300, 0))
    assert ranges(opened)[0][1] < -1
    assert view_bar.freeze.isChecked()
    assert pictures.frozen
    pictures.input_plot.setXRange(-60, -59, padding=0)
    old = picture(pictures.output_plot)
    assert (old != pictures.output_plot.image._colours[0]).any()
    before = pictures.output_plot.image.end
    for _ in range(15):
        engine.advance(9)
        opened.ticks(1)
    # Two minutes later the frozen one can still be looked through.
    pictures.input_plot.setXRange(-30, -29, padding=0)
    pictures.input_plot.setXRange(-60, -59, padding=0)
    assert (picture(pictures.output_plot) == old).all()
    opened.press(Qt.Key.Key_F)
    opened.ticks()
    assert not pictures.frozen
    assert ranges(opened)[0][1] == 0
    assert pictures.output_plot.image.end > before


@pytest.mark.parametrize("seconds", [0.5, 20, 55])
def test_zoomed_image_shows_a_tone_at_its_time(qtbot, tmp_path, seconds) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    pictures = opened.panels.spectrograms
    history, plot = pictures._histories[0], pictures.input_plot
    columns = round(60 / pictures.hop_s)
    codes = np.zeros((columns, history.bins), np.uint8)
    marked = round(seconds / 3 / pictures.hop_s)
    codes[-marked] = 255
    history.append(codes, np.zeros(columns, np.float32))
    plot.setXRange(-seconds, 0, padding=0)
    plot.show_until(history.end)
    image = pictures.plots.grab().toImage()
    rect = plot.vb.sceneBoundingRect()
    y = int(rect.y() + 0.75 * rect.height())
    row = [image.pixelColor(int(rect.x()) + x, y).lightness() for x in range(int(rect.width()))]
    at = np.argmax(row) / rect.width()
    assert at == pytest.approx(2 / 3, abs=0.01 + pictures.hop_s / seconds)


def test_keys_zoom_in_time_and_return(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(9)
    opened.ticks()
    left = ranges(opened)[0][0]
    opened.press(Qt.Key.Key_Plus)
    assert ranges(opened)[0] == (pytest.approx(left / 1.5), 0)
    opened.press(Qt.Key.Key_Minus)
    opened.press(Qt.Key.Key_Minus)
    assert ranges(opened)[0] == (pytest.approx(left * 1.5), 0)
    opened.press(Qt.Key.Key_Home)
    assert ranges(opened)[0] == (pytest.approx(left), 0)


def test_values_and_picture_are_copied(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(9)
    opened.ticks()
    pictures = opened.panels.spectrograms
    point_at(opened, pictures.output_plot, 0.5, 0.75)
    opened.wait(lambda: "kHz" in pictures.cursor_text)
    opened.press(Qt.Key.Key_F)
    opened.press(Qt.Key.Key_C)
    assert QApplication.clipboard().text() == pictures.cursor_text
    opened.press(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    image = QApplication.clipboard().image()
    assert image.width() == 2 * (pictures.plots.width() + pictures.colour_bar.width())


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_picture_is_saved_with_its_axes(qtbot, tmp_path, suffix) -> None:
    path = tmp_path / f"picture.{suffix}"
    opened = Opened(qtbot, tmp_path, answers=Answers(picture=str(path)))
    opened.running().advance(9)
    opened.ticks()
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    if suffix == "svg":
        text = path.read_text(encoding="utf-8")
        for label in ("11.025", "kHz", "now", "dBFS", "Output"):
            assert label in text
        assert "<image" in text
    else:
        image = QImage(str(path))
        assert image.height() == 2 * opened.panels.spectrograms.plots.height()
        # The axis at the left is not empty.
        axis = {image.pixel(x, y) for x in range(20, 84, 3) for y in range(image.height())}
        assert len(axis) > 10


def test_picture_that_cannot_be_written_is_reported(qtbot, tmp_path) -> None:
    path = tmp_path / "missing" / "picture.png"
    opened = Opened(qtbot, tmp_path, answers=Answers(picture=str(path)))
    opened.running()
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert "could not be written: No such file" in opened.notice


def test_measured_end_of_the_input_is_drawn_and_named(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    plot = opened.panels.spectrograms.input_plot
    assert not plot.band_line.isVisible()
    for _ in range(3):
        engine.advance(2)
        opened.ticks()
    # The clip of the fake engine is low-passed at 10.3 kHz.
    assert plot.band_line.isVisible()
    assert plot.band_hz == pytest.approx(10_300, abs=200)
    assert plot.note.text().startswith("input ends at 10.")
