"""Timers that a test leaves running are found, and nothing else."""

import pytest
from PySide6.QtCore import QObject, QTimer

from tests.helpers.gui.qt_leaks import nothing_of_qt_left_running
from tests.helpers.gui.window import qt_marks

pytestmark = [*qt_marks, pytest.mark.usefixtures("qapp")]


def test_a_timer_that_runs_on_is_reported_with_its_place_and_stopped() -> None:
    timer = QTimer()
    with pytest.raises(pytest.fail.Exception, match=r"timer\.start.60_000"):
        with nothing_of_qt_left_running():
            timer.start(60_000)
    assert not timer.isActive()


def test_pending_single_shot_is_reported_and_cancelled(qtbot) -> None:
    fired = []
    with pytest.raises(pytest.fail.Exception, match="test_pending_single_shot"):
        with nothing_of_qt_left_running():
            QTimer.singleShot(100, lambda: fired.append(True))
    qtbot.wait(300)
    assert not fired


def test_what_ended_is_not_reported(qtbot) -> None:
    fired = []
    with nothing_of_qt_left_running():
        stopped, child = QTimer(), QTimer(parent := QObject())
        stopped.start(60_000)
        child.start(60_000)
        QTimer.singleShot(0, lambda: fired.append(True))
        qtbot.waitUntil(lambda: bool(fired))
        stopped.stop()
        del parent
