"""Zoom, the last minute, measured values and saved pictures."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from gui.spectrogram.analysis.spectra import Slope
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


def frozen(qtbot, tmp_path, seconds: float = 8.0) -> Opened:
    """A window with a frozen picture of the last seconds, silent before them."""
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    engine.advance(seconds)
    opened.ticks()
    opened.press(Qt.Key.Key_F)
    return opened


def heard(opened: Opened) -> np.ndarray:
    """The sound of the newest loop."""
    loops = opened.running().loops
    assert loops
    assert loops[-1] is not None
    return loops[-1]


def test_frozen_picture_is_looped_as_it_is_shown_until_it_is_unfrozen(qtbot, tmp_path) -> None:
    opened = frozen(qtbot, tmp_path)
    engine, pictures = opened.running(), opened.panels.spectrograms
    action = opened.window.window_actions["loop_picture"]
    pictures.input_plot.setXRange(-3, -2, padding=0)
    sound = pictures.loop._sound
    opened.press(Qt.Key.Key_L)
    end = sound.shape[1] - 2 * 22_050
    np.testing.assert_array_equal(heard(opened), sound[:, end - 22_050 : end])
    # It is the input itself, at the column that the picture shows there.
    first = pictures.input_plot.image.end * 256 - 128 - 3 * 22_050
    clip, _ = engine._input(first - 4000, first + 4000), None
    places = np.lib.stride_tricks.sliding_window_view(clip[0], 500)
    assert np.abs(places - heard(opened)[0, :500]).max(axis=1).min() == 0
    # Another zoom is another loop; the other network can be heard meanwhile.
    pictures.input_plot.setXRange(-2.5, -2, padding=0)
    opened.wait(lambda: heard(opened).shape == (1, 11_025))
    opened.press(Qt.Key.Key_B)
    assert engine.parameters.bypass
    assert action.isChecked()
    # The line runs through the picture.
    line = pictures.output_plot.play_line
    places = set()
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
    assert engine.loops[-1] is None
    assert not opened.window.window_actions["loop"].isChecked()


def test_loop_outlives_a_change_of_the_model_and_needs_sound(qtbot, tmp_path) -> None:
    opened = frozen(qtbot, tmp_path, seconds=4.0)
    first, pictures = opened.running(), opened.panels.spectrograms
    pictures.input_plot.setXRange(-50, -40, padding=0)
    opened.press(Qt.Key.Key_L)
    assert first.loops == []
    assert pictures.input_plot.hint.text() == "no sound to loop"
    pictures.input_plot.setXRange(-10, 0, padding=0)
    opened.wait(lambda: bool(first.loops))
    # Only the part with sound, which began 4 s before.
    assert heard(opened).shape[1] == pytest.approx(4 * 22_050, abs=3000)
    assert not pictures.input_plot.hint.text()
    opened.window.session.restart()
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    np.testing.assert_array_equal(heard(opened), first.loops[-1])


def test_long_term_spectra_are_chosen_drawn_and_saved(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine, pictures = opened.running(), opened.panels.spectrograms
    overlay, legend = pictures.output_plot.spectrum, pictures.input_plot.legend
    for _ in range(10):
        engine.advance(0.5)
        opened.ticks(1)
    opened.press(Qt.Key.Key_H)
    assert overlay.isVisible()
    means, maxima = (curves[1].getData()[0] for curves in (overlay._means, overlay._maxima))
    assert (maxima >= means).all()
    assert (maxima > means + 10).any()
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    long_term = overlay._means[1].getData()[0]
    assert (np.abs(long_term - means) > 3).any()
    opened.window._change_view(slope=Slope.PINK)
    assert legend.text() == "mean of 30 s  ·  +3 dB per octave  ·  maximum"
    tilt = overlay._means[1].getData()[0] - long_term
    # At 5.5 kHz, 2.46 octaves above 1 kHz.
    assert tilt[40] == pytest.approx(3 * 2.46, abs=0.2)
    opened.press(Qt.Key.Key_0)
    assert [spectra.maximum for spectra in pictures._spectra] == [None, None]
    opened.ticks(1)
    opened.press(Qt.Key.Key_S)
    assert not overlay.isVisible()
    assert not legend.text()
    opened.window.close()
    saved = Opened(qtbot, tmp_path).panels.spectrograms._settings
    assert (saved.spectrum, saved.long_term, saved.hold) == (False, True, True)
    assert saved.slope is Slope.PINK
