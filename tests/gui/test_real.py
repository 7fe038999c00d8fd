"""The window on the real engine, from the bundled clip to the null output."""

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui.control.engine_thread import Services
from gui.control.user_settings import UserSettings
from gui.main_window import MainWindow
from gui.widgets import theme
from realtime.engine.settings import Settings
from realtime.inference.model_file import shipped_models
from tests.helpers.gui import window as gui_window

pytestmark = [*gui_window.qt_marks, pytest.mark.timeout(240)]

# Loading torch and a network takes seconds at rest, and much longer on a busy machine.
OPEN_MS = 120_000
PLAY_MS = 60_000
# The network must add at least this level above 11.5 kHz, where plain upsampling leaves nothing.
RESTORED_DB = 20.0


@pytest.fixture
def window(qtbot, qapp, tmp_path):
    if not shipped_models():
        pytest.skip("no exported model in assets")
    theme.apply(qapp, theme.DARK)
    settings = Settings(input="demo", output="null", block_samples=8192, loop=True)
    made = MainWindow(Services(), UserSettings(str(tmp_path / "user_settings.ini")), settings)
    qtbot.addWidget(made)
    made.session._hot_plug.start = lambda: False
    made.session.recording.folder = str(tmp_path / "takes")
    made.show()
    return made


def running(qtbot, window, before=None):
    """Wait for another engine than `before`."""
    qtbot.waitUntil(
        lambda: window.session.engine_thread.engine not in (None, before), timeout=OPEN_MS
    )
    return window.session.engine_thread.engine


def play(qtbot, engine, seconds: float) -> None:
    end = engine.snapshot().seconds + seconds
    qtbot.waitUntil(lambda: engine.snapshot().seconds >= end, timeout=PLAY_MS)


def count_files() -> int:
    """Open files of this process; 0 where the system does not list them."""
    place = Path("/proc/self/fd")
    return len(list(place.iterdir())) if place.exists() else 0


def high_band_db(path) -> float:
    """Level above 11.5 kHz against the whole, in dB."""
    samples, rate = soundfile.read(path, dtype="float64")
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / rate)
    return 10 * np.log10(power[hz > 11_500].sum() / power.sum() + 1e-20)


def record(qtbot, window, seconds: float):
    """Record for a while; the two files."""
    QTest.keyClick(window, Qt.Key.Key_R)
    play(qtbot, window.session.engine_thread.engine, seconds)
    QTest.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: not window.session.recording.active, timeout=10_000)
    folder = window.session.recording.folder
    newest = sorted(Path(folder).iterdir(), key=lambda path: path.stat().st_mtime_ns)[-2:]
    return sorted(newest)


def test_clip_is_restored_compared_recorded_and_ends(qtbot, window) -> None:
    before = {thread.name for thread in threading.enumerate()}
    engine = running(qtbot, window)
    play(qtbot, engine, 1.0)
    given, restored = record(qtbot, window, 2.0)
    QTest.keyClick(window, Qt.Key.Key_A)
    play(qtbot, engine, 0.5)
    _, original = record(qtbot, window, 2.0)
    assert soundfile.info(restored).frames == 2 * soundfile.info(given).frames
    assert high_band_db(restored) > high_band_db(original) + RESTORED_DB

    image = window.panels.spectrograms.output_plot.image
    assert (image._pixels != image._colours[0]).mean() > 0.01

    box = window.panels.transport.block
    box.choose("4096")
    box.picked.emit(box.chosen)
    other = running(qtbot, window, engine)
    assert other.snapshot().block_samples == 4096
    assert other.parameters.bypass

    open_files = count_files()
    QTest.keyClick(window, Qt.Key.Key_L)
    once = running(qtbot, window, other)
    # A stopped engine frees all that a running one holds.
    assert count_files() <= open_files
    once.seek(once.snapshot().length_s - 0.3)
    state = window.panels.status.state
    qtbot.waitUntil(lambda: "Finished" in state.text(), timeout=PLAY_MS)
    window.close()
    left = {thread.name for thread in threading.enumerate()} - before
    assert not {name for name in left if name.startswith("topoctave")}
