"""Finds timers of Qt that a test leaves running, and where they were started."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import QObject, QTimer
from shiboken6 import isValid


@contextmanager
def nothing_of_qt_left_running() -> Iterator[None]:
    """Fail if timers of the body still run, and stop them for later tests."""
    started: list[tuple[QTimer, str]] = []
    start, single_shot = QTimer.start, QTimer.singleShot

    def noted(self: QTimer, *args: object) -> None:
        started.append((self, "".join(traceback.format_stack(limit=8)[:-1])))
        start(self, *args)

    def noted_shot(delay_ms: int, *rest: object) -> None:
        *before, target = rest
        if not callable(target):  # A receiver and the name of its slot.
            single_shot(delay_ms, *rest)
            return
        # Qt ends a timer with its owner.
        owner = next((one for one in before if isinstance(one, QObject)), None)
        timer = QTimer(owner, singleShot=True)
        timer.timeout.connect(target)
        timer.start(delay_ms)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QTimer, "start", noted)
        patch.setattr(QTimer, "singleShot", staticmethod(noted_shot))
        yield
    left = {place: timer for timer, place in started if isValid(timer) and timer.isActive()}
    for timer in left.values():
        timer.stop()
    if left:
        pytest.fail("left running: " + "\n".join(left), pytrace=False)
