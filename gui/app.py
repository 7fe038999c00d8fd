"""Opens the window: what ``topoctave`` without a subcommand does."""

import os
import signal
import sys

from realtime.settings import Settings


def display_available() -> bool:
    """Whether windows can be opened here."""
    if not sys.platform.startswith("linux"):
        return True
    if os.environ.get("QT_QPA_PLATFORM", "") in ("offscreen", "minimal", "vnc"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def main(settings: Settings | None = None) -> int:
    """Run the window until it is closed.

    Args:
        settings: Input, output and model to start with; None for what is remembered.

    Returns:
        The process's exit code.
    """
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.icons import app_icon
    from gui.memory import Memory
    from gui.ports import real_services
    from gui.window import MainWindow

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("topoctave")
    app.setApplicationDisplayName("Topoctave")
    app.setDesktopFileName("topoctave")
    app.setWindowIcon(app_icon())
    memory = Memory()
    theme.apply(app, theme.resolve(memory.load().theme))
    window = MainWindow(real_services(), memory, settings)
    window.show()
    # Ctrl+C in the terminal closes the window as a click would; the window's own timer lets
    # Python see the signal.
    before = signal.signal(signal.SIGINT, lambda *_: QTimer.singleShot(0, window.close))
    try:
        return app.exec()
    finally:
        signal.signal(signal.SIGINT, before)
