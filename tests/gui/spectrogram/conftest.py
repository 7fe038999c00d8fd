"""A window on an engine that has played for nine seconds."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.gui.window import Answers, Opened


@pytest.fixture
def opened(qtbot: QtBot, tmp_path: Path) -> Opened:
    opened = Opened(qtbot, tmp_path, answers=Answers())
    opened.running().advance(9)
    opened.ticks()
    return opened
