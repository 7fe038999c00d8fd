"""Starting: is there a display, which display is used, and how it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gui.app import display_available

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland only")

START = """
import os, signal, sys, threading, time
from gui.control import engine_thread
from tests.helpers.gui.fake_engine import FakeWorld
world = FakeWorld()
engine_thread.Services = lambda: world
def end():
    while not world.engines:
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=end, daemon=True).start()
from gui.app import main
sys.exit(main())
"""


@LINUX
@pytest.mark.parametrize(
    "environment", [{}, {"DISPLAY": ":987"}, {"WAYLAND_DISPLAY": "wayland-987"}]
)
def test_no_display_or_a_dead_one_is_none(monkeypatch, environment) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not display_available()


@LINUX
@pytest.mark.display
def test_display_that_answers_is_one(display) -> None:
    assert display_available()


@LINUX
@pytest.mark.display
def test_asking_stays_a_client_so_that_the_display_does_not_start_anew(display) -> None:
    # Xvfb resets when its last client leaves and refuses the next one for a moment: too short a
    # moment to wait for in a test, so this looks at what prevents it.
    before = count_sockets()
    assert display_available()
    assert count_sockets() == before + 1


def count_sockets() -> int:
    """Open sockets of this process."""
    links = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum(link.startswith("socket:") for link in links)


def test_offscreen_counts_as_a_display(monkeypatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display_available()


@LINUX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ctrl_c_or_kill_ends_the_program_in_good_order(name, project, tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", START.replace("SIGINT", name)],
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_CONFIG_HOME": str(tmp_path),
            "PYTHONPATH": str(project),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (signal.strsignal(-done.returncode), done.stderr)
    assert not [line for line in done.stderr.splitlines() if "propagateSizeHints" not in line]
    assert (tmp_path / "Topoctave" / "Topoctave.ini").exists()
