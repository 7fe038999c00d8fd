"""Runs the real window on the real engine while a script handles it; prints JSON. A subprocess.

    python tests/helpers/gui/soak.py SECONDS SETTINGS_FILE PICTURE

Input and output are the system's default devices; SOAK_BLOCK is the block size.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from PySide6.QtCore import QEventLoop, Qt, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui.control.engine_thread import Services
from gui.control.user_settings import Preferences, UserSettings
from gui.main_window import MainWindow
from gui.widgets import theme
from realtime.engine.settings import Settings
from realtime.engine.snapshot import State

OPEN_S = 90.0
KEYS = (Qt.Key.Key_B, Qt.Key.Key_F, Qt.Key.Key_B, Qt.Key.Key_F, Qt.Key.Key_2, Qt.Key.Key_S,
        Qt.Key.Key_W, Qt.Key.Key_1, Qt.Key.Key_S, Qt.Key.Key_W)  # fmt: skip
SIZES = ((1280, 720), (1600, 900), (1100, 640), (1900, 1000))


def main(seconds: float, settings_file: str, picture: str) -> int:
    complaints: list[str] = []
    serious = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
    qInstallMessageHandler(
        lambda kind, _context, text: complaints.append(text) if kind in serious else None
    )
    app = QApplication(sys.argv[:1])
    user_settings = UserSettings(settings_file)
    user_settings.save(Preferences(theme=theme.ThemeChoice.DARK))
    theme.apply(app, theme.DARK)
    settings = Settings(block_samples=int(os.environ.get("SOAK_BLOCK", "1024")))
    window = MainWindow(Services(), user_settings, settings)
    window.show()
    QTest.qWaitForWindowExposed(window)
    # Keys go to the active window, and this display has no window manager that would activate it.
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    wait(lambda: window.session._listed_once)
    if not window.session.active:
        QTest.keyClick(app.focusWidget() or window, Qt.Key.Key_Space)
    wait(lambda: window.session.engine_thread.engine is not None)
    engine = window.session.engine_thread.engine
    assert engine is not None
    # A sound server lets a loudspeaker begin two seconds late: that is not the window's.
    pause(3000)
    engine.reset_counters()
    begin, step = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        QTest.keyClick(app.focusWidget() or window, KEYS[step % len(KEYS)])
        window.resize(*SIZES[step % len(SIZES)])
        step += 1
        pause(250)
    snapshot = engine.snapshot()
    window.grab().save(picture)
    begin = time.monotonic()
    window.close()
    result = {
        "state": snapshot.state,
        "error": snapshot.error,
        "seconds": round(snapshot.seconds, 1),
        "faults": vars(snapshot.faults),
        "ratio_min": round(snapshot.timing.ratio_min, 2),
        "close_s": round(time.monotonic() - begin, 2),
        "threads": sorted(t.name for t in threading.enumerate() if t.name != "MainThread"),
        "complaints": complaints,
    }
    print(json.dumps(result))
    return 0 if snapshot.state is State.RUNNING else 1


def pause(milliseconds: int) -> None:
    """Let the window live; QTest.qWait would keep the interpreter from the audio's threads."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + OPEN_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the window did not get there")
        pause(50)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *sys.argv[2:]))
