"""Fixtures for tests of the window."""

import pytest

from tests.helpers.gui.fake_engine import DESK, FakeWorld
from tests.helpers.gui.window import Opened


@pytest.fixture
def desk() -> FakeWorld:
    """A machine with a microphone and loudspeakers."""
    return FakeWorld(devices=list(DESK))


@pytest.fixture
def opened(qtbot, tmp_path) -> Opened:
    """A window that plays the clip, on a machine without sound devices."""
    opened = Opened(qtbot, tmp_path)
    opened.running()
    return opened


@pytest.fixture
def waiting(qtbot, tmp_path, desk) -> Opened:
    """A window that waits for Start, on a machine with a microphone."""
    waiting = Opened(qtbot, tmp_path, desk)
    waiting.listed()
    return waiting
