"""Start and stop, by button and by key, also while a model is loading."""

import threading

from PySide6.QtCore import Qt

from gui.control.user_settings import UserSettings
from realtime.engine.settings import Settings
from tests.helpers.gui.fake_engine import FakeWorld, device
from tests.helpers.gui.window import Opened, qt_marks

pytestmark = qt_marks


def test_clip_plays_at_once_where_there_is_no_microphone(opened) -> None:
    engine = opened.running()
    assert engine.settings.input == "demo"
    assert engine.settings.output == "null"
    assert engine.settings.loop
    assert opened.transport.start.text() == "Stop"
    assert "No sound device" in opened.notice


def test_clip_plays_where_there_are_only_loudspeakers(qtbot, tmp_path) -> None:
    world = FakeWorld(devices=[device(0, "Speakers", outputs=2)])
    engine = Opened(qtbot, tmp_path, world).running()
    assert (engine.settings.input, engine.settings.output) == ("demo", "default")


def test_microphone_waits_for_start(waiting, desk) -> None:
    assert not desk.opening
    assert "Press Start" in waiting.panels.spectrograms.input_plot.hint.text()
    waiting.click(waiting.transport.start)
    assert waiting.running().settings.input == "default"
    assert not waiting.panels.spectrograms.input_plot.hint.text()


def test_command_line_has_priority(qtbot, tmp_path, desk) -> None:
    UserSettings(str(tmp_path / "user_settings.ini")).save(
        UserSettings(str(tmp_path / "none.ini")).load()
    )
    settings = Settings(input="demo", output="null", model="octave", block_samples=512)
    engine = Opened(qtbot, tmp_path, desk, settings=settings).running()
    assert engine.settings == settings


def test_start_and_stop_by_button_and_by_key(opened) -> None:
    first = opened.running()
    opened.click(opened.transport.start)
    opened.stopped()
    assert first.stops == 1
    assert opened.transport.start.text() == "Start"
    opened.press(Qt.Key.Key_Space)
    assert opened.running() is not first
    opened.press(Qt.Key.Key_Space)
    opened.stopped()


def test_engine_is_never_touched_in_the_gui_thread(opened) -> None:
    assert opened.world.threads == {"gui-engine"}


def test_window_answers_while_a_model_is_loading(qtbot, tmp_path) -> None:
    world = FakeWorld(gate=threading.Event())
    opened = Opened(qtbot, tmp_path, world)
    opened.wait(lambda: len(world.opening) == 1)
    opened.wait(lambda: "Loading the model" in opened.panels.status.state.text())
    assert "Loading the model" in opened.panels.spectrograms.input_plot.hint.text()
    assert opened.transport.start.text() == "Stop"
    opened.press(Qt.Key.Key_M)
    assert opened.panels.listening.match.isChecked()
    world.gate.set()
    opened.running()
    opened.wait(lambda: "Running" in opened.panels.status.state.text())


def test_stop_while_loading_leaves_nothing_running(qtbot, tmp_path) -> None:
    world = FakeWorld(gate=threading.Event())
    opened = Opened(qtbot, tmp_path, world)
    opened.wait(lambda: len(world.opening) == 1)
    opened.press(Qt.Key.Key_Space)
    world.gate.set()
    opened.wait(lambda: bool(world.engines) and world.engines[0].stops == 1)
    qtbot.wait(50)
    assert opened.window.session.engine_thread.engine is None
    assert opened.transport.start.text() == "Start"


def test_hasty_changes_end_with_the_last_one_and_one_engine(opened) -> None:
    for value in ("256", "512", "2048", "4096"):
        box = opened.transport.block
        box.choose(value)
        box.picked.emit(box.chosen)
    opened.wait(lambda: opened.window.session.engine_thread.engine is not None)
    assert opened.running().settings.block_samples == 4096
    opened.wait(lambda: sum(not engine.stops for engine in opened.world.engines) == 1)


def test_damaged_model_file_is_a_line_in_the_window(qtbot, tmp_path, desk) -> None:
    desk.refuse["models"] = "net.ts is not a TorchScript archive"
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    assert "net.ts" in opened.notice
    assert opened.transport.settings.model == "auto"


def test_unforeseen_failure_of_stopping_is_reported_and_start_works_again(opened) -> None:
    first = opened.running()

    def broken() -> None:
        first.stops += 1
        raise KeyError("first line\nsecond line")

    first.stop = broken
    opened.press(Qt.Key.Key_Space)
    opened.wait(lambda: "topping failed: KeyError" in opened.notice)
    assert "\n" not in opened.notice
    opened.press(Qt.Key.Key_Space)
    assert opened.running() is not first


def test_failure_of_any_kind_is_a_line_in_the_window(qtbot, tmp_path) -> None:
    world = FakeWorld()
    opened = Opened(qtbot, tmp_path, world)
    opened.running()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("first line\nsecond line")

    world.open_engine = broken
    opened.press(Qt.Key.Key_Space)
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    opened.wait(lambda: "first line second line" in opened.notice)
