"""Moves the mouse over the plots of the window as a user does."""

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.spectrogram.plot import SpectrogramPlot
from tests.helpers.gui.window import Opened


def point_at(opened: Opened, plot: SpectrogramPlot, x: float, y: float) -> QPoint:
    """Move the mouse to a share of a plot's width and height from the top."""
    plots = opened.panels.spectrograms.plots
    rect = plot.vb.sceneBoundingRect()
    point = plots.mapFromScene(rect.x() + x * rect.width(), rect.y() + y * rect.height())

    def moved() -> bool:
        # pyqtgraph's scene drops events that follow each other within 10 ms, and Qt drops those
        # that do not move.
        for place in (point + QPoint(1, 0), point):
            opened.qtbot.wait(20)
            opened.qtbot.mouseMove(plots.viewport(), place)
        return plot.cursor is not None

    opened.wait(moved)
    return point


def double_click(qtbot: QtBot, viewport: QWidget, at: QPoint) -> None:
    """Click twice as a window system reports it; `mouseDClick` presses three times."""
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    place = QPointF(at)
    QApplication.sendEvent(viewport, QMouseEvent(
        QEvent.Type.MouseButtonDblClick, place, QPointF(viewport.mapToGlobal(at)),
        Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    ))  # fmt: skip
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=at)


def drag(qtbot: QtBot, viewport: QWidget, start: QPoint, end: QPoint) -> None:
    """Drag with the left button in a few steps."""
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 5):
        qtbot.wait(20)
        qtbot.mouseMove(viewport, start + (end - start) * step / 4)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)


def wheel(
    opened: Opened, plot: SpectrogramPlot, steps: int, modifier: Qt.KeyboardModifier | None = None
) -> None:
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
