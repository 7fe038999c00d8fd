"""Zoom, the last minute, its loop, and the measured end of the band."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from tests.helpers.gui.plots import double_click, drag, point_at, ranges, wheel
from tests.helpers.gui.window import Opened, picture, qt_marks

pytestmark = qt_marks


def test_wheel_zooms_both_plots_and_double_click_returns(qtbot, opened) -> None:
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
    rows = ranges(opened)[1]
    wheel(opened, pictures.input_plot, 2, Qt.KeyboardModifier.ControlModifier)
    assert ranges(opened)[0][0] > zoomed_left
    assert ranges(opened)[1] == rows
    qtbot.wait(20)
    double_click(qtbot, pictures.plots.viewport(), point_at(opened, pictures.output_plot, 0.5, 0.5))
    assert ranges(opened) == ((pytest.approx(left), 0), (0, 1))


def test_drag_into_the_past_freezes_and_a_minute_can_be_seen(qtbot, opened) -> None:
    engine = opened.running()
    for _ in range(6):
        engine.advance(9)
        opened.ticks()
    pictures = opened.panels.spectrograms
    start = point_at(opened, pictures.output_plot, 0.2, 0.5)
    drag(qtbot, pictures.plots.viewport(), start, start + QPoint(300, 0))
    assert ranges(opened)[0][1] < -1
    assert opened.panels.view_bar.freeze.isChecked()
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


def test_zoomed_image_shows_a_tone_at_its_time(opened) -> None:
    pictures = opened.panels.spectrograms
    # Else the clip moves on below the tone on a busy machine.
    opened.window.refresh_timer.stop()
    history, plot = pictures._histories[0], pictures.input_plot
    columns = round(60 / pictures.hop_s)
    for seconds in (0.5, 20, 55):
        codes = np.zeros((columns, history.bins), np.uint8)
        # Three columns: where the picture has more columns than pixels, one may fall between two.
        at = columns - round(seconds / 3 / pictures.hop_s)
        codes[at - 1 : at + 2] = 255
        history.append(codes, np.zeros(columns, np.float32))
        plot.setXRange(-seconds, 0, padding=0)
        plot.show_until(history.end)
        image, rect = pictures.plots.grab().toImage(), plot.vb.sceneBoundingRect()
        y = int(rect.y() + 0.75 * rect.height())
        row = [image.pixelColor(int(rect.x()) + x, y).lightness() for x in range(int(rect.width()))]
        at = np.argmax(row) / rect.width()
        assert at == pytest.approx(2 / 3, abs=0.01 + pictures.hop_s / seconds)


def test_keys_zoom_in_time_and_return(opened) -> None:
    left = ranges(opened)[0][0]
    opened.press(Qt.Key.Key_Plus)
    assert ranges(opened)[0] == (pytest.approx(left / 1.5), 0)
    opened.press(Qt.Key.Key_Minus)
    opened.press(Qt.Key.Key_Minus)
    assert ranges(opened)[0] == (pytest.approx(left * 1.5), 0)
    opened.press(Qt.Key.Key_Home)
    assert ranges(opened)[0] == (pytest.approx(left), 0)


def test_measured_end_of_the_input_is_drawn_and_named(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    plot = opened.panels.spectrograms.input_plot
    assert not plot.band_line.isVisible()
    for _ in range(3):
        opened.running().advance(2)
        opened.ticks()
    # The clip of the fake engine is low-passed at 10.3 kHz.
    assert plot.band_line.isVisible()
    assert plot.band_hz == pytest.approx(10_300, abs=200)
    assert plot.note.text().startswith("input ends at 10.")


def heard(opened: Opened) -> np.ndarray:
    """The sound of the newest loop."""
    loops = opened.running().loops
    assert loops
    assert loops[-1] is not None
    return loops[-1]


def test_frozen_picture_is_looped_as_it_is_shown_until_it_is_unfrozen(opened) -> None:
    engine, pictures = opened.running(), opened.panels.spectrograms
    action = opened.window.window_actions["loop_picture"]
    assert not action.isEnabled()
    opened.press(Qt.Key.Key_F)
    pictures.input_plot.setXRange(-3, -2, padding=0)
    opened.press(Qt.Key.Key_L)
    assert heard(opened).shape == (1, 22_050)
    # It is the input itself, from the column on that the picture shows there.
    first = pictures.input_plot.image.end * 256 - 128 - 3 * 22_050
    near = engine._input(first - 4000, first + 4000)[0]
    windows = np.lib.stride_tricks.sliding_window_view(near, 500)
    assert np.abs(windows - heard(opened)[0, :500]).max(axis=1).min() == 0
    # Another zoom is another loop; the other network can be heard meanwhile.
    pictures.input_plot.setXRange(-2.5, -2, padding=0)
    opened.wait(lambda: heard(opened).shape == (1, 11_025))
    opened.press(Qt.Key.Key_B)
    assert engine.parameters.bypass
    assert action.isChecked()
    # The line runs through the picture.
    line, places = pictures.output_plot.play_line, set()
    for _ in range(12):
        engine.advance(0.2)
        opened.ticks(1)
        places.add(round(line.value(), 1))
    assert line.isVisible()
    assert places <= {-2.5, -2.4, -2.3, -2.2, -2.1, -2.0}
    assert len(places) > 3
    opened.press(Qt.Key.Key_L)
    assert engine.loops[-1] is None
    opened.press(Qt.Key.Key_L)
    assert heard(opened).shape == (1, 11_025)
    opened.press(Qt.Key.Key_F)
    assert engine.loops[-1] is None
    assert not action.isChecked()
    assert not line.isVisible()
    # The same key loops the file again.
    opened.press(Qt.Key.Key_L)
    assert not opened.window.window_actions["loop"].isChecked()


def test_loop_outlives_a_change_of_the_model_and_needs_sound(opened) -> None:
    first, pictures = opened.running(), opened.panels.spectrograms
    opened.press(Qt.Key.Key_F)
    pictures.input_plot.setXRange(-50, -40, padding=0)
    opened.press(Qt.Key.Key_L)
    assert first.loops == []
    assert pictures.input_plot.hint.text() == "no sound to loop"
    pictures.input_plot.setXRange(-60, 0, padding=0)
    opened.press(Qt.Key.Key_Minus)
    opened.wait(lambda: bool(first.loops))
    # Only the part with sound, which began nine seconds ago.
    np.testing.assert_array_equal(heard(opened), pictures.loop._sound)
    assert 8 * 22_050 < heard(opened).shape[1] < 60 * 22_050
    assert not pictures.input_plot.hint.text()
    opened.window.session.restart()
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    np.testing.assert_array_equal(heard(opened), first.loops[-1])
