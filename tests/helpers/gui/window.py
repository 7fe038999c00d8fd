"""Opens the real window on a fake engine, for tests; on Qt's offscreen platform."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.control.dialogs import Dialogs
from gui.control.user_settings import UserSettings
from gui.main_window import MainWindow
from gui.spectrogram.plot import SpectrogramPlot
from gui.widgets import theme
from gui.widgets.combo_box import ChoiceBox
from realtime.engine.settings import Settings
from tests.helpers.gui.fake_engine import FakeEngine, FakeWorld

WAIT_MS = 5000
"""Far longer than any step takes on a busy machine."""

qt_marks = [
    pytest.mark.qt_log_level_fail("WARNING"),
    # The offscreen platform says so of every window with a least size.
    pytest.mark.qt_log_ignore("propagateSizeHints"),
]


@dataclass
class Answers(Dialogs):
    """Answers every question about files."""

    sound: str = ""
    target: str = ""
    table: str = ""
    picture: str = ""
    directory: str = ""
    sounds: list[Path] = field(default_factory=list)

    def open(self, parent: QWidget, title: str) -> list[Path]:
        return [Path(self.sound)] if self.sound else self.sounds

    def save(self, parent: QWidget, title: str, name: str, kinds: str) -> str:
        return self.target or self.table or self.picture

    def folder(self, parent: QWidget, title: str, start: str = "") -> str:
        return self.directory


class Opened:
    """A window, its fake engine, and methods for tests."""

    def __init__(
        self,
        qtbot: QtBot,
        folder: Path,
        world: FakeWorld | None = None,
        *,
        settings: Settings | None = None,
        answers: Answers | None = None,
    ) -> None:
        self.qtbot = qtbot
        self.world = world or FakeWorld()
        self.settings_path = folder / "user_settings.ini"
        user_settings = UserSettings(str(self.settings_path))
        self.answers = answers or Answers(directory=str(folder))
        theme.apply(QApplication.instance(), theme.DARK)
        self.window = MainWindow(self.world, user_settings, settings, self.answers)
        qtbot.addWidget(self.window)
        # Qt's media devices are the system's: tests tell of changes themselves.
        self.window.session._hot_plug.start = lambda: False
        self.window.show()
        self.panels = self.window.panels
        self.transport = self.panels.transport

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=WAIT_MS)

    def running(self) -> FakeEngine:
        """Wait until an engine runs."""
        self.wait(lambda: self.window.session.engine_thread.engine is not None)
        engine = self.window.session.engine_thread.engine
        assert isinstance(engine, FakeEngine)
        return engine

    def stopped(self) -> None:
        self.wait(lambda: not self.window.session.active)
        self.wait(lambda: all(engine.stops for engine in self.world.engines))

    def listed(self) -> None:
        """Wait until the devices are known."""
        self.wait(lambda: bool(self.world.scans) and self.window.session._listed_once)

    def press(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
        """Press a key; the focused widget gets it."""
        held = Qt.KeyboardModifier.NoModifier
        for modifier in modifiers:
            held |= modifier
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key, held)

    def click(self, widget: QWidget) -> None:
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)

    @property
    def notice(self) -> str:
        """The text of the banner."""
        notice = self.panels.banner.notice
        return notice.text if notice is not None else ""

    def ticks(self, count: int = 8) -> None:
        """Refresh the window `count` times."""
        for _ in range(count):
            self.window.refresh_timer.refresh()


def pick(box: ChoiceBox, key: str) -> None:
    """Choose an entry as a user does."""
    assert box.choose(key), key
    box.picked.emit(box.chosen)


def picture(plot: SpectrogramPlot) -> npt.NDArray[np.uint32]:
    """The pixels of a spectrogram, oldest column first."""
    plot.image.draw_stale()
    image = plot.image
    return np.roll(image._pixels, -(image._end_group() % image._width), axis=1)
