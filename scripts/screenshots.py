"""Takes the README's screenshots of the window, dark and light, while it runs on speech.

    .venv/bin/python scripts/screenshots.py [--size 1440x860] [--scale 1] [--folder assets]

It starts its own display (Xvfb) and uses the machine's fonts; Inter looks best (Debian:
fonts-inter).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

FILL_S = 11.0
"""When the spectrograms are full."""
ORIGINAL_S = (6.5, 8.5)
"""Start and end of a passage with A, to show the A/B switch in the spectrogram."""


@contextmanager
def display(size: str) -> Iterator[str]:
    """A new Xvfb; yields the value for ``DISPLAY``."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as pipe:
            yield f":{pipe.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def pause(milliseconds: int) -> None:
    """Run Qt's event loop; QTest.qWait would hold the interpreter lock of the audio threads."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def take(path: Path, *, light: bool, width: int, height: int) -> None:
    """Take one picture, in a process with a display."""
    from PySide6.QtWidgets import QApplication

    from gui.control.engine_thread import Services
    from gui.control.notices import NO_DEVICES, TOO_SLOW
    from gui.control.user_settings import Preferences, UserSettings
    from gui.main_window import MainWindow
    from gui.widgets import theme
    from gui.widgets.theme import ThemeChoice
    from realtime.engine.settings import Settings

    app = QApplication(sys.argv[:1])
    choice = ThemeChoice.LIGHT if light else ThemeChoice.DARK
    theme.apply(app, theme.resolve(choice))
    with tempfile.TemporaryDirectory() as folder:
        user_settings = UserSettings(str(Path(folder) / "user_settings.ini"))
        user_settings.save(Preferences(theme=choice, silenced=(NO_DEVICES.key, TOO_SLOW.key)))
        settings = Settings(input="demo", output="null", loop=True, block_samples=2048)
        window = MainWindow(Services(), user_settings, settings)
        window.resize(width, height)
        window.show()
        while window.session.engine_thread.engine is None:
            pause(50)
            if window.panels.banner.notice is not None:
                raise SystemExit(window.panels.banner.notice.text)
        engine = window.session.engine_thread.engine
        for begin_s, bypass in zip((*ORIGINAL_S, FILL_S), (True, False, None), strict=True):
            while engine.snapshot().seconds < begin_s:
                pause(30)
            if bypass is not None:
                window.panels.listening.set_bypass(bypass)
            # Without the counts from loading.
            engine.reset_counters()
        pause(400)
        window.grab().save(str(path))
        window.close()


def main() -> int:
    """Start a process per picture, because Qt reads its scale once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--size", default="1440x860", help="of the window, in points")
    parser.add_argument("--scale", default="1", help="device pixels per point")
    parser.add_argument("--folder", type=Path, default=Path("assets"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    width, height = (int(part) for part in args.size.split("x"))
    if args.one:
        take(args.folder / f"window-{args.one}.png", light=args.one == "light",
             width=width, height=height)  # fmt: skip
        return 0
    with display("4200x2600") as name:
        for one in ("dark", "light"):
            command = [sys.executable, __file__, "--one", one, "--size", args.size]
            subprocess.run(
                [*command, "--folder", str(args.folder)],
                env={**os.environ, "DISPLAY": name, "QT_QPA_PLATFORM": "xcb",
                     "QT_SCALE_FACTOR": args.scale},
                check=True,
            )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
