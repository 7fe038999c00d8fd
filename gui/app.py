"""Opens the window: ``topoctave`` without a subcommand."""

import contextlib
import ctypes
import importlib
import os
import signal
import sys
import threading
from pathlib import Path

from realtime.engine.settings import Settings


def _platform() -> str:
    return os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]


def display_available() -> bool:
    """Whether a window can be opened. Qt would abort the process without a display."""
    if not sys.platform.startswith("linux") or _platform() in ("offscreen", "minimal", "vnc"):
        return True
    return _wayland_answers() or _x11_answers()


def _wayland_answers() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY")
    return bool(name) and (Path(os.environ.get("XDG_RUNTIME_DIR", "")) / str(name)).is_socket()


def _x11_answers() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    if xcb.xcb_connection_has_error(connection):
        xcb.xcb_disconnect(connection)
        return False
    # The connection stays open until the process ends. Xvfb resets when its last client leaves
    # and would refuse Qt, which connects next.
    return True


def _import_torch() -> None:
    # A failure is reported when the model is loaded.
    with contextlib.suppress(ImportError, OSError):
        importlib.import_module("realtime.inference.network")


def main(settings: Settings | None = None) -> int:
    """Run the window until it is closed.

    Args:
        settings: Input, output and model to start with; None for the saved ones.

    Returns:
        The process's exit code.

    Raises:
        ImportError: if Qt or a system library that Qt needs is missing.
    """
    on_x11 = _platform() == "xcb" or (not _platform() and not _wayland_answers())
    if sys.platform.startswith("linux") and on_x11:
        try:
            # Qt would abort without this library.
            ctypes.CDLL("libxcb-cursor.so.0")
        except OSError as error:
            raise ImportError(f"Qt needs libxcb-cursor0: {error}") from error
    # Importing torch takes longer than opening the window; both run at the same time.
    imports = threading.Thread(target=_import_torch, name="gui-imports")
    imports.start()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from gui.control.engine_thread import Services
    from gui.control.user_settings import UserSettings
    from gui.main_window import MainWindow
    from gui.widgets import theme
    from gui.widgets.icon import app_icon

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("topoctave")
    app.setApplicationDisplayName("Topoctave")
    app.setDesktopFileName("topoctave")
    app.setWindowIcon(app_icon())
    user_settings = UserSettings()
    first_start = user_settings.first_start
    theme.apply(app, theme.resolve(user_settings.load().theme))
    window = MainWindow(Services(), user_settings, settings)
    window.show()
    if first_start:
        window.commands.show_first_steps()
    # Ctrl+C in the terminal closes the window, as do the session's end and kill. The refresh timer
    # lets Python handle the signal. Windows has no SIGHUP.
    ends = [s for s in signal.Signals if s.name in ("SIGINT", "SIGTERM", "SIGHUP")]
    previous_handlers = {
        name: signal.signal(name, lambda *_: QTimer.singleShot(0, window.close)) for name in ends
    }
    try:
        return app.exec()
    finally:
        for name, handler in previous_handlers.items():
            signal.signal(name, handler)
        # The interpreter must not end in the middle of the import.
        imports.join()
