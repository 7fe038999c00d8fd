"""The spectrograms: what they show, freeze, axes, cross-hair, colours, overlays and pictures."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from gui.spectrogram.analysis.spectra import Slope
from gui.spectrogram.frequency_scale import Scale
from tests.helpers.gui.plots import double_click, drag, point_at
from tests.helpers.gui.window import Opened, picture, qt_marks

pytestmark = qt_marks
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_pictures_fill_and_freeze_while_the_audio_continues(opened) -> None:
    plot, engine = opened.panels.spectrograms.output_plot, opened.running()
    assert picture(plot).any()
    opened.press(Qt.Key.Key_F)
    still = picture(plot)
    engine.advance(2)
    opened.ticks()
    assert (picture(plot) == still).all()
    assert engine.state == "running"
    opened.press(Qt.Key.Key_F)
    opened.ticks()
    assert (picture(plot) != still).any()


def test_upper_half_is_empty_in_the_input_and_with_bypass_in_the_output(opened) -> None:
    pictures, engine = opened.panels.spectrograms, opened.running()
    dark = pictures.input_plot.image._colours[0]
    half = len(picture(pictures.input_plot)) // 2 - 2
    assert (picture(pictures.input_plot)[:half] == dark).all()
    assert (picture(pictures.output_plot)[:half] != dark).mean() > 0.1
    opened.press(Qt.Key.Key_A)
    engine.advance(9)
    engine.history[:] = [(0.0, engine.parameters)]
    opened.ticks()
    assert (picture(pictures.output_plot)[:half, -200:] == dark).all()
    assert pictures.output_plot.note.text() == "original, nothing restored"


def test_nothing_is_computed_while_hidden(opened, monkeypatch) -> None:
    engine, reads = opened.running(), []
    monkeypatch.setattr(engine.output_tap, "read", lambda since: reads.append(since))
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


def test_axis_is_chosen_for_both_panes(opened) -> None:
    keys = {"mel": Qt.Key.Key_2, "log": Qt.Key.Key_3, "linear": Qt.Key.Key_1}
    for scale, key in keys.items():
        opened.press(key)
        for plot in opened.panels.spectrograms.plots.both:
            assert plot._scale is plot.image.frequency_scale is Scale(scale)
        assert opened.panels.view_bar.scales[scale].isChecked()


def test_cross_hair_is_linked_reads_out_both_levels_and_is_copied(opened) -> None:
    pictures = opened.panels.spectrograms
    point_at(opened, pictures.output_plot, 0.5, 0.75)
    # A pause has no level to read, while the pictures continue to scroll.
    opened.wait(lambda: "difference" in opened.panels.status.read_out.text())
    text = opened.panels.status.read_out.text()
    assert float(text.split(" kHz")[0].split()[-1]) == pytest.approx(5.5, abs=0.1)
    assert "in \u2212" in text
    assert "out \u2212" in text
    assert pictures.input_plot.cursor == pictures.output_plot.cursor is not None
    opened.press(Qt.Key.Key_F)
    opened.press(Qt.Key.Key_C)
    assert QApplication.clipboard().text() == pictures.cursor_text != ""


def test_colour_range_is_dragged_shifted_and_reset(qtbot, opened) -> None:
    bar, plot = opened.panels.spectrograms.colour_bar, opened.panels.spectrograms.output_plot
    before, (low, high) = picture(plot).copy(), bar.range_db
    grip = bar.mapFromScene(bar.item.region.lines[1].mapToScene(0, 0))
    grip.setX(bar.mapFromScene(bar.item.vb.sceneBoundingRect().center()).x())
    drag(qtbot, bar.viewport(), grip, grip + QPoint(0, 30))
    assert bar.range_db[0] == low
    assert bar.range_db[1] < high - 3
    assert (picture(plot) != before).any()
    double_click(qtbot, bar.viewport(), grip)
    assert bar.range_db == (low, high)
    bar.setFocus()
    for key, expected in (
        (Qt.Key.Key_PageUp, (low - 5, high)), (Qt.Key.Key_PageDown, (low, high)),
        (Qt.Key.Key_Up, (low + 2, high + 2)), (Qt.Key.Key_Down, (low, high)),
        (Qt.Key.Key_Down, (low - 2, high - 2)), (Qt.Key.Key_Home, (low, high)),
    ):  # fmt: skip
        qtbot.keyClick(bar, key)
        assert bar.range_db == expected
    for key, expected in ((Qt.Key.Key_Up, (-90, 0)), (Qt.Key.Key_PageDown, (-20, 0))):
        for _ in range(40):
            qtbot.keyClick(bar, key)
        assert bar.range_db == expected
    assert "-20 to 0" in bar.accessibleName()


def test_spectra_and_waveform_are_drawn(opened) -> None:
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    for _ in range(5):
        opened.running().advance(0.2)
        opened.ticks(1)
    pictures = opened.panels.spectrograms
    assert len(pictures.output_plot.spectrum._means[1].getData()[0]) > 100
    assert pictures.output_plot.wave._curve.getData()[1].max() > 0.05
    with_all = pictures.plots.grab().toImage()
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    assert pictures.plots.grab().toImage() != with_all


def test_long_term_spectra_are_chosen_drawn_reset_and_saved(qtbot, tmp_path, opened) -> None:
    pictures = opened.panels.spectrograms
    overlay, legend = pictures.output_plot.spectrum, pictures.input_plot.legend
    opened.press(Qt.Key.Key_H)
    assert overlay.isVisible()
    mean, highest = (curves[1].getData()[0] for curves in (overlay._means, overlay._maxima))
    assert (highest >= mean).all()
    assert (highest > mean + 10).any()
    opened.press(Qt.Key.Key_S, SHIFT)
    long_term = overlay._means[1].getData()[0]
    assert (np.abs(long_term - mean) > 1).any()
    slopes = opened.window.window_actions.groups["slope"].actions()
    next(action for action in slopes if action.data() == Slope.PINK).trigger()
    assert legend.text() == "mean of 30 s  ·  +3 dB per octave  ·  maximum"
    # At 5.5 kHz, 2.46 octaves above 1 kHz.
    tilt = overlay._means[1].getData()[0][40] - long_term[40]
    assert tilt == pytest.approx(3 * 2.46, abs=0.2)
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


def test_picture_is_copied_and_saved_with_its_axes(opened, tmp_path) -> None:
    pictures, (png, svg) = opened.panels.spectrograms, (tmp_path / "a.png", tmp_path / "a.svg")
    opened.press(Qt.Key.Key_C, CONTROL)
    width = QApplication.clipboard().image().width()
    assert width == 2 * (pictures.plots.width() + pictures.colour_bar.width())
    for path in (png, svg):
        opened.answers.picture = str(path)
        opened.press(Qt.Key.Key_S, CONTROL)
    text = svg.read_text(encoding="utf-8")
    for label in ("11.025", "kHz", "now", "dBFS", "Output", "<image"):
        assert label in text
    image = QImage(str(png))
    assert image.height() == 2 * pictures.plots.height()
    # The axis at the left is not empty.
    axis = {image.pixel(x, y) for x in range(20, 84, 3) for y in range(image.height())}
    assert len(axis) > 10
    opened.answers.picture = str(tmp_path / "missing" / "picture.png")
    opened.press(Qt.Key.Key_S, CONTROL)
    assert "could not be written: No such file" in opened.notice
