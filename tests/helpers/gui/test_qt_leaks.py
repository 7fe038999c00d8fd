"""Timers and threads that a test leaves running are found, and nothing else."""

import pytest
from PySide6.QtCore import QObject, QThread, QTimer

from tests.helpers.gui.qt_leaks import nothing_of_qt_left_running
from tests.helpers.gui.window import qt_marks

pytestmark = [*qt_marks, pytest.mark.usefixtures("qapp")]


def start_timer(keep: list[QObject]) -> None:
    timer = QTimer()
    timer.start(60_000)
    keep.append(timer)


def start_thread(keep: list[QObject]) -> None:
    thread = QThread()
    thread.start()
    keep.append(thread)


@pytest.mark.parametrize("start", [start_timer, start_thread])
def test_what_runs_on_is_reported_with_its_place_and_stopped(start) -> None:
    keep: list[QObject] = []
    with pytest.raises(pytest.fail.Exception, match=start.__name__):
        with nothing_of_qt_left_running():
            start(keep)
    for one in keep:
        assert not (one.isActive() if isinstance(one, QTimer) else one.isRunning())


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
        thread = QThread()
        thread.start()
        QTimer.singleShot(0, lambda: fired.append(True))
        qtbot.waitUntil(lambda: bool(fired))
        stopped.stop()
        del parent
        thread.quit()
        assert thread.wait(5000)
