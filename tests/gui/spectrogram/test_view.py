"""The spectrograms: what they show, freeze, axes, cross-hair, colours and overlays."""

import pytest
from PySide6.QtCore import QPoint, Qt

from gui.spectrogram.frequency_scale import Scale
from tests.helpers.gui.plots import double_click, drag, point_at
from tests.helpers.gui.window import Opened, picture, qt_marks

pytestmark = qt_marks


def test_pictures_fill_and_freeze_while_the_audio_continues(qtbot, tmp_path) -> None:
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
    # A pause has no level to read, while the pictures continue to scroll.
    opened.wait(lambda: "difference" in opened.panels.status.read_out.text())
    text = opened.panels.status.read_out.text()
    assert float(text.split(" kHz")[0].split()[-1]) == pytest.approx(5.5, abs=0.1)
    assert "in \u2212" in text
    assert "out \u2212" in text
    assert "difference" in text
    assert pictures.input_plot.cursor == pictures.output_plot.cursor is not None


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
    assert len(pictures.output_plot.spectrum._means[1].getData()[0]) > 100
    assert pictures.output_plot.wave._curve.getData()[1].max() > 0.05
    with_all = pictures.plots.grab().toImage()
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    assert pictures.plots.grab().toImage() != with_all
