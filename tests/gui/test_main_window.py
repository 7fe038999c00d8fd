"""The whole window: saved settings, closing, names, theme, help and sizes."""

import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from gui.control.actions import ACTIONS, key_text
from gui.control.user_settings import Preferences, UserSettings
from gui.panels.help import HelpPage, help_text
from gui.spectrogram.frequency_scale import Scale
from gui.widgets.theme import DARK, LIGHT, ThemeChoice
from realtime.engine.snapshot import Faults
from tests.helpers.gui.fake_engine import DESK, FakeWorld, device
from tests.helpers.gui.window import Opened, pick, qt_marks

pytestmark = qt_marks

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('{"error": ""}', flush=True)
time.sleep(60)
"""


def test_settings_are_saved_with_devices_by_name(qtbot, tmp_path, desk) -> None:
    first = Opened(qtbot, tmp_path, desk)
    first.listed()
    pick(first.transport.input, "3")
    pick(first.transport.model, "octave")
    pick(first.transport.block, "4096")
    first.press(Qt.Key.Key_2)
    first.press(Qt.Key.Key_S)
    first.panels.listening.mix.set_value(80)
    first.panels.listening.match.setChecked(True)
    first.panels.spectrograms.colour_bar.set_range(-90, -30)
    first.window.resize(1400, 900)
    first.window.close()
    world = FakeWorld(devices=[device(0, "Just plugged in", inputs=1), *(
        device(d.index + 5, d.name, host_api=d.host_api, inputs=d.inputs, outputs=d.outputs)
        for d in DESK
    )])  # fmt: skip
    again = Opened(qtbot, tmp_path, world)
    again.listed()
    assert again.transport.settings.input == "8"
    assert "USB Headset" in again.transport.input.currentText()
    assert again.transport.settings.model == "octave"
    assert again.transport.settings.block_samples == 4096
    assert again.panels.view_bar.scales[Scale.MEL].isChecked()
    assert again.panels.view_bar.spectrum.isChecked()
    assert again.panels.listening.parameters.mix == 0.8
    assert again.panels.listening.match.isChecked()
    assert again.panels.spectrograms.colour_bar.range_db == (-90, -30)
    # The offscreen platform's screen is too small to restore a window's place; test_display.py uses
    # a real one.
    assert UserSettings(str(again.settings_path)).load().geometry


def test_invalid_settings_get_their_defaults(qtbot, tmp_path) -> None:
    path = tmp_path / "user_settings.ini"
    invalid = {
        "settings": {"block_samples": 7, "model": "gone", "loop": "maybe", "input": "nobody"},
        "parameters": {"mix": 2}, "theme": "pink", "match": None, "recent": 3, "geometry": "x",
        "view": {"low_db": 5.0, "high_db": "x", "scale": ["bark"]},
    }  # fmt: skip
    for saved in (json.dumps(invalid), "{", "[]", json.dumps({"view": 1, "settings": [2]})):
        QSettings(str(path), QSettings.Format.IniFormat).setValue("preferences", saved)
        loaded = UserSettings(str(path)).load()
        wanted = replace(Preferences(), settings=loaded.settings, geometry=loaded.geometry)
        assert loaded == wanted
        assert (loaded.settings.block_samples, loaded.settings.loop) == (1024, True)
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    assert engine.settings.input == "demo"


def close(opened: Opened) -> None:
    """Close the window within two seconds."""
    begin = time.monotonic()
    opened.window.close()
    assert time.monotonic() - begin < 2


def test_close_while_running_leaves_no_thread(qtbot, tmp_path) -> None:
    before = set(threading.enumerate())
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    close(opened)
    assert engine.stops == 1
    assert set(threading.enumerate()) <= before


def test_close_while_loading_does_not_wait_for_it(qtbot, tmp_path) -> None:
    world = FakeWorld(gate=threading.Event())
    opened = Opened(qtbot, tmp_path, world)
    opened.wait(lambda: len(world.opening) == 1)
    opened.panels.listening.mix.set_value(70)
    close(opened)
    world.gate.set()
    end = time.monotonic() + 5
    while not (world.engines and world.engines[0].stops):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert UserSettings(str(opened.settings_path)).load().parameters.mix == 0.7


def test_close_keeps_a_recording_to_its_end_while_all_else_hangs(qtbot, tmp_path) -> None:
    world = FakeWorld()
    opened = Opened(qtbot, tmp_path, world)
    engine = opened.running()
    opened.window.session.recording.folder = str(tmp_path / "takes")
    opened.press(Qt.Key.Key_R)
    engine.advance(3.0)
    # A worker that ignores the request to end, and a model that loads for ever.
    restoring = opened.window.commands.restore_window._process
    restoring.start(sys.executable, ["-c", STUBBORN])
    assert restoring.waitForReadyRead(20_000)
    world.gate = threading.Event()
    opened.window.session.restart()
    opened.wait(lambda: len(world.opening) == 2)
    close(opened)
    world.gate.set()
    assert restoring.state() == restoring.ProcessState.NotRunning
    lengths = [soundfile.info(path).duration for path in (tmp_path / "takes").iterdir()]
    assert len(lengths) == 2
    assert min(lengths) > 2.5


def test_twenty_starts_leave_no_files_and_no_threads(opened) -> None:
    count = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    threads = threading.active_count()
    for _ in range(20):
        opened.press(Qt.Key.Key_Space)
        opened.stopped()
        opened.press(Qt.Key.Key_Space)
        opened.running()
    if count:
        assert len(list(Path("/proc/self/fd").iterdir())) <= count + 1
    assert threading.active_count() == threads
    assert sum(not engine.stops for engine in opened.world.engines) == 1


def test_all_controls_can_be_reached_and_have_names(opened) -> None:
    reachable = [
        widget
        for widget in opened.window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(opened.window)
    ]
    assert len(reachable) > 20
    nameless = [
        widget
        for widget in reachable
        if not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
        and not widget.inherits("QAbstractItemView")
    ]  # fmt: skip
    assert not nameless, [type(widget).__name__ for widget in nameless]


def test_theme_changes_at_once_and_back(opened) -> None:
    choose(opened, "theme", ThemeChoice.LIGHT)
    assert opened.window.theme == LIGHT
    light = opened.window.grab().toImage().pixelColor(5, opened.window.height() - 5)
    choose(opened, "theme", ThemeChoice.DARK)
    assert opened.window.theme == DARK
    dark = opened.window.grab().toImage().pixelColor(5, opened.window.height() - 5)
    assert light.lightness() > 200 > 60 > dark.lightness()


def test_theme_follows_the_system(qtbot, tmp_path, monkeypatch) -> None:
    opened = Opened(qtbot, tmp_path)
    hints = QGuiApplication.styleHints()
    for scheme, theme in ((Qt.ColorScheme.Light, LIGHT), (Qt.ColorScheme.Dark, DARK)):
        # The offscreen platform has no scheme of its own to set.
        monkeypatch.setattr("gui.widgets.theme.resolve", lambda _choice, wanted=theme: wanted)
        hints.colorSchemeChanged.emit(scheme)
        assert opened.window.theme == theme


def test_help_page_has_every_key(qtbot, tmp_path) -> None:
    page = HelpPage()
    qtbot.addWidget(page)
    text = page.browser.toPlainText()
    for spec in ACTIONS:
        if spec.keys:
            assert spec.help in text
            assert key_text(spec.keys) in text
    for word in ("BlackHole", "VB-CABLE", "Virtual microphone"):
        assert word in help_text()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (2560, 1440)])
def test_no_text_is_cut_off(opened, qtbot, size) -> None:
    engine = opened.running()
    engine.faults = Faults(input_overflow=99, ring_underrun=123_456, dropped_samples=9_999_999)
    opened.window.resize(*size)
    opened.ticks(10)
    qtbot.wait(80)
    opened.ticks(10)
    assert opened.window.size().toTuple() == size
    for widget in opened.window.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(widget, QLabel | QAbstractButton):
            continue
        if not widget.text() or (isinstance(widget, QLabel) and widget.wordWrap()):
            continue
        assert widget.width() >= widget.minimumSizeHint().width(), widget.text()
        assert widget.height() >= widget.minimumSizeHint().height() - 1, widget.text()
        corner = widget.mapTo(opened.window, widget.rect().bottomRight())
        assert corner.x() < opened.window.width(), widget.text()


def test_compute_and_threads_are_chosen_in_the_menu_and_saved(qtbot, tmp_path) -> None:
    first = Opened(qtbot, tmp_path)
    before = first.running()
    choose(first, "compute", "cpu")
    choose(first, "threads", 1)
    first.wait(lambda: first.window.session.engine_thread.engine not in (None, before))
    first.wait(lambda: first.running().settings.threads == 1)
    assert first.running().settings.compute == "cpu"
    first.window.close()
    again = Opened(qtbot, tmp_path, FakeWorld())
    settings = again.running().settings
    assert (settings.compute, settings.threads) == ("cpu", 1)
    again.transport.menu.menu().aboutToShow.emit()
    assert again.window.window_actions.chosen("threads") == "1"


def test_recent_files_are_listed_newest_first_and_saved(qtbot, tmp_path) -> None:
    first = Opened(qtbot, tmp_path)
    first.running()
    paths = [str(tmp_path / name) for name in ("one.wav", "two.flac", "one.wav")]
    for path in paths:
        first.transport.open_file(path)
        first.wait(lambda path=path: first.running().settings.input == path)
        first.wait(lambda path=path: first.window.session.recent_files[:1] == (path,))
    first.window.close()
    again = Opened(qtbot, tmp_path, FakeWorld())
    again.running()
    again.transport.menu.menu().aboutToShow.emit()
    recent = again.window._recent
    assert [action.text() for action in recent.actions()] == ["one.wav", "two.flac"]
    recent.actions()[1].trigger()
    again.wait(lambda: again.running().settings.input == paths[1])


def choose(opened: Opened, group: str, value: object) -> None:
    """Choose in a submenu of the window's menu."""
    actions = opened.window.window_actions.groups[group].actions()
    next(action for action in actions if action.data() == value).trigger()


def test_first_steps_are_shown_at_the_first_start_only(qtbot, tmp_path) -> None:
    settings = UserSettings(str(tmp_path / "user_settings.ini"))
    assert settings.first_start
    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.window.commands.show_first_steps()
    page = opened.window.findChild(HelpPage)
    assert "Bundled clip" in page.browser.toPlainText()
    opened.window.close()
    assert not UserSettings(str(tmp_path / "user_settings.ini")).first_start
