"""Finds timers and threads of Qt that a test leaves running, and where they were started."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QObject, QThread, QTimer
from shiboken6 import isValid

STOP_MS = 2000
"""A thread without an event loop may need this long to end."""


@dataclass
class Started:
    """Something that was started."""

    name: str
    owner: QObject | None
    """The timer, the thread, or the object that a single shot ends with."""
    running: Callable[[], bool]
    stop: Callable[[], object]
    where: str = field(default_factory=lambda: "".join(traceback.format_stack(limit=8)[:-3]))

    @property
    def left(self) -> bool:
        """It still runs; Qt ends timers whose object is gone."""
        return (self.owner is None or isValid(self.owner)) and self.running()


@contextmanager
def nothing_of_qt_left_running() -> Iterator[None]:
    """Fail if timers or threads of the body still run, and stop them for later tests."""
    started: list[Started] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in (QTimer, QThread):
            patch.setattr(kind, "start", _noted(kind.start, started))
        patch.setattr(QTimer, "singleShot", staticmethod(_noted_shot(QTimer.singleShot, started)))
        yield
    left = [one for one in started if one.left]
    for one in left:
        one.stop()
    if left:
        # A timer that was restarted is reported once.
        places = dict.fromkeys(f"{one.name}, started at:\n{one.where}" for one in left)
        pytest.fail("left running: " + "\n".join(places), pytrace=False)


def _noted(start: Callable[..., None], started: list[Started]) -> Callable[..., None]:
    def noted(self: QTimer | QThread, *args: object) -> None:
        if isinstance(self, QTimer):
            started.append(Started("QTimer", self, self.isActive, self.stop))
        else:
            started.append(Started("QThread", self, self.isRunning, lambda: _end(self)))
        start(self, *args)

    return noted


def _end(thread: QThread) -> None:
    thread.requestInterruption()
    thread.quit()
    thread.wait(STOP_MS)


def _noted_shot(shoot: Callable[..., None], started: list[Started]) -> Callable[..., None]:
    def noted(delay_ms: int, *rest: object) -> None:
        *before, target = rest
        if not callable(target):  # A receiver and the name of its slot.
            shoot(delay_ms, *rest)
            return
        pending = [target]

        def fire() -> None:
            while pending:
                pending.pop()()

        owner = next((one for one in before if isinstance(one, QObject)), None)
        started.append(Started("single shot", owner, lambda: bool(pending), pending.clear))
        shoot(delay_ms, *before, fire)

    return noted
