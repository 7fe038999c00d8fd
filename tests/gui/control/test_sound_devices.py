"""Sound devices that refuse, go away, come back or cannot be listed; the window says so."""

from PySide6.QtCore import Qt

from realtime.audio_io.devices import Device
from realtime.engine.settings import Settings
from tests.helpers.gui.fake_engine import DESK, FakeWorld, device
from tests.helpers.gui.window import Opened, pick, qt_marks

pytestmark = qt_marks


def test_device_that_refuses_is_reported_with_a_way_back(qtbot, tmp_path, desk) -> None:
    desk.refuse["3"] = "the device is busy"
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    good = opened.running().settings
    pick(opened.transport.output, "3")
    opened.wait(lambda: "busy" in opened.notice)
    assert "\n" not in opened.notice
    assert "Choose another" in opened.notice
    assert "Failed" in opened.panels.status.state.text()
    assert opened.transport.start.text() == "Start"
    opened.click(opened.panels.banner._action)
    assert opened.running().settings == good
    assert opened.transport.output.chosen.value == good.output


def test_no_sound_system_still_plays_the_clip(qtbot, tmp_path) -> None:
    world = FakeWorld(refuse={"devices": "there is no PortAudio"})
    opened = Opened(qtbot, tmp_path, world)
    assert opened.running().settings.output == "null"


def test_failure_of_the_device_list_is_reported_and_the_clip_plays(qtbot, tmp_path) -> None:
    world = FakeWorld(devices=list(DESK))

    def broken(rescan: bool) -> list[Device]:
        world.scans.append(rescan)
        return [b"Micr\xf3fono".decode()]

    world.list_devices = broken
    opened = Opened(qtbot, tmp_path, world)
    first = opened.running()
    assert first.settings.input == "demo"
    opened.wait(lambda: "sound devices failed: UnicodeDecodeError" in opened.notice)
    assert "\n" not in opened.notice
    opened.press(Qt.Key.Key_F5)
    opened.wait(lambda: opened.window.session.engine_thread.engine not in (None, first))
    opened.press(Qt.Key.Key_Space)
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    opened.running()


def test_unplugged_device_is_reported_and_the_list_is_scanned_again(waiting, desk) -> None:
    waiting.press(Qt.Key.Key_Space)
    engine = waiting.running()
    engine.unplug()
    waiting.wait(lambda: "went away" in waiting.notice)
    assert "Plug it in again" in waiting.notice
    waiting.stopped()
    assert waiting.panels.performance.ratio.health.word == "not running"
    del desk.devices[3]
    waiting.click(waiting.panels.banner._action)
    waiting.running()
    assert desk.scans[-1] is True
    assert not any("USB" in line.label for line in waiting.transport.input.choices)


def test_chosen_device_that_is_gone_is_replaced_by_the_default_and_reported(waiting, desk) -> None:
    pick(waiting.transport.input, "3")
    del desk.devices[3]
    desk.devices.append(device(3, "Quite another one", inputs=1))
    waiting.press(Qt.Key.Key_F5)
    waiting.wait(lambda: "USB Headset" in waiting.notice)
    assert waiting.transport.settings.input == "default"
    assert waiting.transport.input.chosen.value == "default"


def test_device_of_the_command_line_that_is_missing_is_reported(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk, settings=Settings(input="Walkman", output="null"))
    opened.listed()
    assert "Walkman" in opened.notice
    assert opened.transport.settings.input == "default"


def test_hot_plug_refreshes_at_rest_and_asks_while_running(waiting, desk) -> None:
    desk.devices.append(device(9, "New microphone", inputs=1))
    waiting.window.session.devices_changed()
    waiting.wait(lambda: any("New microphone" in s.label for s in waiting.transport.input.choices))
    waiting.press(Qt.Key.Key_Space)
    running = waiting.running()
    scans = len(desk.scans)
    waiting.window.session.devices_changed()
    waiting.panels.banner.withdraw(kind="warning")
    assert "added or removed" in waiting.notice
    assert len(desk.scans) == scans
    assert waiting.window.session.engine_thread.engine is running
    waiting.click(waiting.panels.banner._action)
    waiting.wait(lambda: waiting.window.session.engine_thread.engine not in (None, running))
    assert len(desk.scans) == scans + 1
