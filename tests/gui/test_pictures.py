"""The spectrograms: what they show, freeze, axes, cross-hair, colours and overlays."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from gui.spectrogram.frequency_scale import Scale
from gui.spectrogram.plot import SpectrogramPlot
from tests.helpers.gui_window import Opened, picture, qt_marks

pytestmark = qt_marks


def point_at(opened: Opened, plot: SpectrogramPlot, x: float, y: float) -> QPoint:
    """Move the mouse to a share of a plot's width and height from the top."""
    plots = opened.panels.spectrograms.plots
    rect = plot.vb.sceneBoundingRect()
    point = plots.mapFromScene(rect.x() + x * rect.width(), rect.y() + y * rect.height())
    # pyqtgraph's scene leaves out events that follow each other too quickly.
    opened.qtbot.wait(20)
    opened.qtbot.mouseMove(plots.viewport(), point)
    return point


def double_click(qtbot, viewport: QWidget, at: QPoint) -> None:
    """Click twice as a window system reports it; `mouseDClick` presses three times."""
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    place = QPointF(at)
    QApplication.sendEvent(viewport, QMouseEvent(
        QEvent.Type.MouseButtonDblClick, place, QPointF(viewport.mapToGlobal(at)),
        Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    ))  # fmt: skip
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=at)


def drag(qtbot, viewport: QWidget, start: QPoint, end: QPoint) -> None:
    """Drag with the left button in a few steps."""
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 5):
        qtbot.wait(20)
        qtbot.mouseMove(viewport, start + (end - start) * step / 4)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)


def test_pictures_fill_and_freeze_while_the_audio_goes_on(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    engine.advance(5)
    opened.ticks()
    pictures = opened.panels.spectrograms
    before = picture(pictures.output_plot)
    assert before.any()
    opened.press(Qt.Key.Key_F)
    still = picture(pictures.output_plot)
    engine.advance(2)
    opened.ticks()
    assert (picture(pictures.output_plot) == still).all()
    assert engine.state == "running"
    opened.press(Qt.Key.Key_F)
    opened.ticks()
    assert (picture(pictures.output_plot) != still).any()


def test_upper_half_is_empty_in_the_input_and_full_in_the_output(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(8)
    opened.ticks()
    pictures = opened.panels.spectrograms
    dark = pictures.input_plot.image._colours[0]
    upper_in = picture(pictures.input_plot)
    upper_out = picture(pictures.output_plot)
    half = len(upper_in) // 2 - 2
    assert (upper_in[:half] == dark).all()
    assert (upper_out[:half] != dark).mean() > 0.1


def test_bypass_empties_the_upper_half_of_the_output(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.press(Qt.Key.Key_A)
    engine.advance(9)
    engine.history[:] = engine.history[-1:]
    engine.history[0] = (0.0, engine.parameters)
    opened.ticks()
    newest = picture(opened.panels.spectrograms.output_plot)[:, -200:]
    half = len(newest) // 2 - 2
    assert (newest[:half] == opened.panels.spectrograms.output_plot.image._colours[0]).all()


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
    assert picture(opened.panels.spectrograms.output_plot).any()


@pytest.mark.parametrize("key", [Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3])
def test_axis_is_chosen_for_both_panes(qtbot, tmp_path, key) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(3)
    opened.ticks()
    opened.press(key)
    scale = list(Scale)[key - Qt.Key.Key_1]
    pictures = opened.panels.spectrograms
    assert pictures.input_plot._scale is pictures.output_plot._scale is scale
    assert opened.panels.view_bar.scales[scale].isChecked()


def test_cross_hair_is_linked_and_reads_out_both_levels(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(9)
    opened.ticks()
    pictures = opened.panels.spectrograms
    point_at(opened, pictures.output_plot, 0.5, 0.75)
    opened.wait(lambda: bool(opened.panels.status.read_out.text()))
    text = opened.panels.status.read_out.text()
    assert "5.5" in text
    assert "in \u2212" in text
    assert "out \u2212" in text
    assert "difference" in text
    assert pictures.input_plot._cursor == pictures.output_plot._cursor is not None


def test_colour_range_is_dragged_shifted_and_reset(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(3)
    opened.ticks()
    bar = opened.panels.spectrograms.colour_bar
    before = picture(opened.panels.spectrograms.output_plot).copy()
    start = bar.range_db
    high = bar.item.region.lines[1]
    grip = bar.mapFromScene(high.mapToScene(0, 0))
    grip.setX(bar.mapFromScene(bar.item.vb.sceneBoundingRect().center()).x())
    drag(qtbot, bar.viewport(), grip, grip + QPoint(0, 30))
    assert bar.range_db[0] == start[0]
    assert bar.range_db[1] < start[1] - 3
    assert (picture(opened.panels.spectrograms.output_plot) != before).any()
    qtbot.keyClick(bar, Qt.Key.Key_PageUp)
    assert bar.range_db[0] == start[0] - 5
    double_click(qtbot, bar.viewport(), grip)
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
    assert len(pictures.output_plot.spectrum._output.getData()[0]) > 100
    assert pictures.output_plot.wave._curve.getData()[1].max() > 0.05
    with_all = pictures.plots.grab().toImage()
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    assert pictures.plots.grab().toImage() != with_all


def wheel(opened: Opened, plot: SpectrogramPlot, steps: int, modifier=None) -> None:
    """Turn the wheel over the middle of a plot."""
    viewport = opened.panels.spectrograms.plots.viewport()
    at = point_at(opened, plot, 0.5, 0.5)
    held = modifier or Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(viewport, QWheelEvent(
        QPointF(at), QPointF(viewport.mapToGlobal(at)), QPoint(0, 120 * steps),
        QPoint(0, 120 * steps), Qt.MouseButton.NoButton, held,
        Qt.ScrollPhase.NoScrollPhase, False,
    ))  # fmt: skip


def ranges(opened: Opened) -> tuple:
    """Time and frequency range, the same in both plots."""
    first, second = (np.array(p.vb.viewRange()) for p in opened.panels.spectrograms.plots.both)
    np.testing.assert_allclose(first, second, atol=1e-9)
    return tuple(first[0]), tuple(first[1])


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
    engine.advance(2)
    opened.ticks()
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
    history, plot = pictures._input_history, pictures.input_plot
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
    assert plot.note.text.startswith("input ends at 10.")
