"""The real window, driven as a user drives it, on a fake engine; Qt's warnings are failures."""

import csv
import threading
import time
from pathlib import Path

import pytest
import soundfile
from gui_fake_engine import DESK, FakeWorld, device
from gui_window import Answers, Opened, qt_marks
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from gui.keyboard import HOLD_S, KEYS
from gui.memory import Memory
from gui.scale import Scale
from realtime.devices import Device
from realtime.settings import Settings
from realtime.snapshot import Faults

pytestmark = qt_marks

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def desk() -> FakeWorld:
    """A machine with a microphone and loudspeakers."""
    return FakeWorld(devices=list(DESK))


# ---- start and stop


def test_clip_plays_at_once_where_there_is_no_microphone(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    assert engine.settings.input == "demo"
    assert engine.settings.output == "null"
    assert engine.settings.loop
    assert opened.transport.start.text() == "Stop"
    assert "No sound device" in opened.notice


def test_clip_is_heard_where_there_are_only_loudspeakers(qtbot, tmp_path) -> None:
    world = FakeWorld(devices=[device(0, "Speakers", outputs=2, default_output=True)])
    engine = Opened(qtbot, tmp_path, world).running()
    assert (engine.settings.input, engine.settings.output) == ("demo", "default")


def test_microphone_waits_for_start(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    assert not desk.opening
    assert "Press Start" in opened.panels.spectrograms.input_pane.hint
    opened.click(opened.transport.start)
    assert opened.running().settings.input == "default"
    assert not opened.panels.spectrograms.input_pane.hint


def test_what_the_command_line_asks_for_comes_first(qtbot, tmp_path, desk) -> None:
    Memory(str(tmp_path / "memory.ini")).save(Memory(str(tmp_path / "none.ini")).load())
    settings = Settings(input="demo", output="null", model="octave", block_samples=512)
    engine = Opened(qtbot, tmp_path, desk, settings=settings).running()
    assert engine.settings == settings


def test_start_and_stop_by_button_and_by_key(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    opened.click(opened.transport.start)
    opened.stopped()
    assert first.stops == 1
    assert opened.transport.start.text() == "Start"
    opened.press(Qt.Key.Key_Space)
    assert opened.running() is not first
    opened.press(Qt.Key.Key_Space)
    opened.stopped()


def test_engine_is_never_touched_in_the_gui_thread(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    assert opened.world.threads == {"gui-engine"}


def test_window_answers_while_a_model_is_loading(qtbot, tmp_path) -> None:
    world = FakeWorld(gate=threading.Event())
    opened = Opened(qtbot, tmp_path, world)
    opened.wait(lambda: len(world.opening) == 1)
    opened.wait(lambda: "Loading the model" in opened.panels.status.state.text())
    assert "Loading the model" in opened.panels.spectrograms.input_pane.hint
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
    assert opened.window.session.controller.engine is None
    assert opened.transport.start.text() == "Start"


def test_hasty_changes_end_with_the_last_one_and_one_engine(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    for value in ("256", "512", "2048", "4096"):
        box = opened.transport.block
        box.choose(value)
        box.picked.emit(box.chosen)
    opened.wait(lambda: opened.window.session.controller.engine is not None)
    assert opened.running().settings.block_samples == 4096
    opened.wait(lambda: sum(not engine.stops for engine in opened.world.engines) == 1)


# ---- changes while it runs


def test_change_of_model_goes_on_where_the_clip_was(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    first.advance(3.0)
    opened.ticks()
    pick(opened.transport.model, "octave")
    opened.wait(lambda: opened.window.session.controller.engine not in (None, first))
    second = opened.running()
    assert second.settings.model == "octave"
    assert first.stops == 1
    assert second.sought == [pytest.approx(3.0, abs=1.5)]


def test_change_of_device_while_running(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    first = opened.running()
    pick(opened.transport.output, "null")
    opened.wait(lambda: opened.window.session.controller.engine not in (None, first))
    assert opened.running().settings.output == "null"
    assert opened.panels.status.way.text().endswith("Nowhere")


def test_knobs_survive_a_change_of_model(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    opened.panels.listening.mix.set_value(130)
    opened.panels.listening.set_bypass(True)
    assert first.parameters.mix == 1.3
    assert first.parameters.bypass
    pick(opened.transport.model, "octave")
    opened.wait(lambda: opened.window.session.controller.engine not in (None, first))
    assert opened.running().parameters == first.parameters


def test_device_that_refuses_is_told_with_a_way_back(qtbot, tmp_path, desk) -> None:
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


def test_damaged_model_file_is_a_line_in_the_window(qtbot, tmp_path, desk) -> None:
    desk.refuse["models"] = "net.ts is not a TorchScript archive"
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    assert "net.ts" in opened.notice
    assert opened.transport.settings.model == "auto"


def test_no_sound_system_still_plays_the_clip(qtbot, tmp_path) -> None:
    world = FakeWorld(refuse={"devices": "there is no PortAudio"})
    opened = Opened(qtbot, tmp_path, world)
    assert opened.running().settings.output == "null"


def test_unforeseen_failure_of_the_device_list_is_told_and_the_clip_plays(qtbot, tmp_path) -> None:
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
    opened.wait(lambda: opened.window.session.controller.engine not in (None, first))
    opened.press(Qt.Key.Key_Space)
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    opened.running()


def test_unforeseen_failure_of_stopping_is_told_and_start_works_again(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
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
    object.__setattr__(opened.window.session.controller._services, "open_engine", broken)
    opened.press(Qt.Key.Key_Space)
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    opened.wait(lambda: "first line second line" in opened.notice)


def test_unplugged_device_is_told_and_the_list_is_scanned_again(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    engine = opened.running()
    engine.unplug()
    opened.wait(lambda: "went away" in opened.notice)
    assert "Plug it in again" in opened.notice
    opened.stopped()
    assert opened.panels.performance.ratio.health.word == "not running"
    del desk.devices[3]
    opened.click(opened.panels.banner._action)
    opened.running()
    assert desk.scans[-1] is True
    assert not any("USB" in line.label for line in opened.transport.input.lines)


def test_chosen_device_that_is_gone_is_replaced_by_the_default_and_told(
    qtbot, tmp_path, desk
) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    pick(opened.transport.input, "3")
    del desk.devices[3]
    desk.devices.append(device(3, "Quite another one", inputs=1))
    opened.press(Qt.Key.Key_F5)
    opened.wait(lambda: "USB Headset" in opened.notice)
    assert opened.transport.settings.input == "default"
    assert opened.transport.input.chosen.value == "default"


def test_device_of_the_command_line_that_is_missing_is_told(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk, settings=Settings(input="Walkman", output="null"))
    opened.listed()
    assert "Walkman" in opened.notice
    assert opened.transport.settings.input == "default"


def test_file_that_ends_stops_and_can_be_started_again(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    first.finish()
    opened.wait(lambda: "Finished" in opened.panels.status.state.text())
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    assert opened.running().sought == []


def test_hot_plug_refreshes_at_rest_and_asks_while_running(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    desk.devices.append(device(9, "New microphone", inputs=1))
    opened.window.session.devices_changed()
    opened.wait(lambda: any("New microphone" in s.label for s in opened.transport.input.lines))
    opened.press(Qt.Key.Key_Space)
    running = opened.running()
    scans = len(desk.scans)
    opened.window.session.devices_changed()
    opened.panels.banner.withdraw(kind="warning")
    assert "came or went" in opened.notice
    assert len(desk.scans) == scans
    assert opened.window.session.controller.engine is running
    opened.click(opened.panels.banner._action)
    opened.wait(lambda: opened.window.session.controller.engine not in (None, running))
    assert len(desk.scans) == scans + 1


def test_loop_starts_anew_where_the_clip_was(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    first = opened.running()
    opened.press(Qt.Key.Key_L)
    opened.wait(lambda: opened.window.session.controller.engine not in (None, first))
    assert not opened.running().settings.loop


def test_seek_by_key_and_by_slider(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.ticks()
    opened.press(Qt.Key.Key_Right)
    assert engine.sought[-1] == pytest.approx(5, abs=1)
    seek = opened.panels.view_bar.seek
    qtbot.mouseClick(seek, Qt.MouseButton.LeftButton, pos=seek.rect().center())
    assert engine.sought[-1] == pytest.approx(4, abs=0.3)


def test_file_is_opened_and_played(qtbot, tmp_path, desk) -> None:
    path = str(tmp_path / "voice.flac")
    opened = Opened(qtbot, tmp_path, desk, answers=Answers(sound=path))
    opened.listed()
    opened.press(Qt.Key.Key_O, CONTROL)
    engine = opened.running()
    assert engine.settings.input == path
    assert opened.transport.input.currentText() == "voice.flac"


@pytest.mark.parametrize(("name", "taken"), [("voice.wav", True), ("letter.txt", False)])
def test_sound_file_can_be_dropped_on_the_window(qtbot, tmp_path, desk, name, taken) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    path = tmp_path / name
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    drop = QDropEvent(
        QPointF(300, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    opened.window.dropEvent(drop)
    if taken:
        # Qt writes paths with forward slashes on every system.
        assert Path(opened.running().settings.input) == path
    else:
        qtbot.wait(50)
        assert not desk.opening


def test_wheel_does_not_change_the_device(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    box = opened.transport.output
    before = box.currentIndex()
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, -120), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, turn)
    assert box.currentIndex() == before


def test_output_goes_into_a_file(qtbot, tmp_path) -> None:
    path = str(tmp_path / "out.wav")
    opened = Opened(qtbot, tmp_path, answers=Answers(target=path))
    first = opened.running()
    pick(opened.transport.output, "save-file")
    opened.wait(lambda: opened.window.session.controller.engine not in (None, first))
    assert opened.running().settings.output == path


def test_cancelled_file_dialog_changes_nothing(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    pick(opened.transport.input, "open-file")
    pick(opened.transport.output, "save-file")
    qtbot.wait(50)
    assert opened.window.session.controller.engine is engine
    assert opened.transport.input.chosen.value == "demo"
    assert opened.transport.output.chosen.value == "null"


# ---- listening


def test_b_toggles_when_tapped_and_compares_when_held(qtbot, tmp_path, monkeypatch) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.press(Qt.Key.Key_B)
    assert engine.parameters.bypass
    opened.press(Qt.Key.Key_B)
    assert not engine.parameters.bypass
    qtbot.keyPress(opened.window, Qt.Key.Key_B)
    assert engine.parameters.bypass
    assert opened.panels.listening.ab.bypass
    qtbot.wait(int(HOLD_S * 1000) + 60)
    qtbot.keyRelease(opened.window, Qt.Key.Key_B)
    assert not engine.parameters.bypass


def test_halves_of_the_switch_choose_a_and_b(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    switch = opened.panels.listening.ab
    left = switch.rect().center() - switch.rect().center() * 0.5
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=left)
    assert engine.parameters.bypass
    assert "original" in switch.accessibleName()
    right = switch.rect().center() + switch.rect().center() * 0.5
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=right)
    assert not engine.parameters.bypass
    assert "restored" in switch.accessibleName()


def test_mix_goes_up_to_one_and_a_half_and_no_further(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    for _ in range(30):
        opened.press(Qt.Key.Key_Up)
    assert engine.parameters.mix == 1.5
    for _ in range(60):
        opened.press(Qt.Key.Key_Down)
    assert engine.parameters.mix == 0


def test_loudness_match_turns_b_and_says_by_how_much(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    listening = opened.panels.listening
    listening.match.setChecked(True)
    listening.set_match_gain(-1.5)
    assert engine.parameters.output_gain_db == -1.5
    assert listening.match_db.text() == "B \u22121.5 dB"
    opened.press(Qt.Key.Key_A)
    assert engine.parameters.output_gain_db == 0
    opened.press(Qt.Key.Key_B)
    assert engine.parameters.output_gain_db == -1.5
    listening.match.setChecked(False)
    assert engine.parameters.output_gain_db == 0


def test_loudness_match_learns_from_what_runs(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    full = opened.world.clip.full
    opened.world.clip.full = full * 1.26
    opened.panels.listening.match.setChecked(True)
    opened.qtbot.wait(350)
    for _ in range(60):
        engine.advance(0.1)
        opened.ticks(1)
    # 1.26 is 2 dB; the restored octave itself adds a little loudness.
    assert -4 < engine.parameters.output_gain_db < -1.5


# ---- pictures


def test_pictures_fill_and_freeze_while_the_audio_goes_on(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    engine.advance(5)
    opened.ticks()
    pictures = opened.panels.spectrograms
    before = picture(pictures.output_pane)
    assert before.any()
    opened.press(Qt.Key.Key_F)
    still = picture(pictures.output_pane)
    engine.advance(2)
    opened.ticks()
    assert (picture(pictures.output_pane) == still).all()
    assert engine.state == "running"
    opened.press(Qt.Key.Key_F)
    opened.ticks()
    assert (picture(pictures.output_pane) != still).any()


def test_upper_half_is_empty_in_the_input_and_full_in_the_output(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(8)
    opened.ticks()
    pictures = opened.panels.spectrograms
    dark = pictures.input_pane._colours[0]
    upper_in = picture(pictures.input_pane)
    upper_out = picture(pictures.output_pane)
    half = len(upper_in) // 2 - 2
    assert (upper_in[:half] == dark).all()
    assert (upper_out[:half] != dark).mean() > 0.1


def test_bypass_empties_the_upper_half_of_the_output(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.press(Qt.Key.Key_A)
    opened.panels.spectrograms.input_pane.resize(400, 200)
    engine.advance(9)
    engine.history[:] = engine.history[-1:]
    engine.history[0] = (0.0, engine.parameters)
    opened.ticks()
    newest = picture(opened.panels.spectrograms.output_pane)[:, -200:]
    half = len(newest) // 2 - 2
    assert (newest[:half] == opened.panels.spectrograms.output_pane._colours[0]).all()


def test_nothing_is_computed_while_hidden(qtbot, tmp_path, monkeypatch) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.ticks()
    reads = []
    tap = engine.output_tap
    monkeypatch.setattr(tap, "read", lambda since: reads.append(since))
    opened.window.showMinimized()
    opened.wait(opened.window.isMinimized)
    opened.ticks()
    assert not reads
    monkeypatch.undo()
    opened.window.showNormal()
    engine.advance(4)
    opened.wait(lambda: opened.window.isVisible() and not opened.window.isMinimized())
    opened.ticks()
    assert picture(opened.panels.spectrograms.output_pane).any()


@pytest.mark.parametrize("key", [Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3])
def test_axis_is_chosen_for_both_panes(qtbot, tmp_path, key) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(3)
    opened.ticks()
    opened.press(key)
    scale = list(Scale)[key - Qt.Key.Key_1]
    pictures = opened.panels.spectrograms
    assert pictures.input_pane._scale is pictures.output_pane._scale is scale
    assert opened.panels.view_bar.scales[scale].isChecked()


def test_cross_hair_is_linked_and_reads_out_both_levels(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(9)
    opened.ticks()
    pictures = opened.panels.spectrograms
    pane = pictures.output_pane
    point = pane.rect().center()
    point.setY(int(pane.height() * 0.75))
    qtbot.mouseMove(pane, point)
    opened.wait(lambda: bool(opened.panels.status.read_out.text()))
    text = opened.panels.status.read_out.text()
    assert "5.5" in text
    assert "in \u2212" in text
    assert "out \u2212" in text
    assert "difference" in text
    assert pictures.input_pane._cursor == pane._cursor is not None


def test_colour_range_is_dragged_shifted_and_reset(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running().advance(3)
    opened.ticks()
    bar = opened.panels.spectrograms.colour_bar
    before = picture(opened.panels.spectrograms.output_pane).copy()
    start = bar.range_db
    top = bar.rect().center()
    top.setY(int(bar._y(start[1])))
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=top)
    top.setY(int(bar._y(-50)))
    qtbot.mouseMove(bar, top)
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=top)
    assert bar.range_db == (start[0], pytest.approx(-50, abs=1))
    assert (picture(opened.panels.spectrograms.output_pane) != before).any()
    qtbot.mouseDClick(bar, Qt.MouseButton.LeftButton)
    assert bar.range_db == start


def test_overlays_draw_without_complaint(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    for _ in range(5):
        engine.advance(0.2)
        opened.ticks(1)
    pictures = opened.panels.spectrograms
    assert len(pictures.output_pane._curves) == 2
    with_all = pictures.output_pane.grab().toImage()
    opened.press(Qt.Key.Key_S)
    opened.press(Qt.Key.Key_W)
    assert pictures.output_pane.grab().toImage() != with_all


# ---- gauges


@pytest.mark.parametrize(("ratio", "word"), [(2.1, "keeps up"), (1.9, "tight"), (0.9, "too slow")])
def test_gauge_says_in_words_what_the_ratio_means(qtbot, tmp_path, ratio, word) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    engine.ratio = ratio
    engine.advance(1)
    opened.ticks()
    gauge = opened.panels.performance.ratio
    assert gauge.health.word == word
    assert word in gauge.accessibleName()
    assert gauge.late is (ratio * 0.64 < 1)
    assert opened.panels.performance.load_number.text() == f"{100 / ratio:.0f} %"


def test_faults_are_counted_apart_and_reset(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    engine.faults = Faults(input_overflow=1, output_underflow=2, ring_overrun=4, ring_underrun=8,
                           dropped_samples=1_234_567)  # fmt: skip
    opened.ticks()
    performance = opened.panels.performance
    assert performance.device_faults.text() == "▲ 3"
    assert performance.ring_faults.text() == "▲ 12"
    assert performance.dropped.text() == "▲ 1 M"
    opened.click(performance.reset)
    opened.ticks()
    assert engine.resets == 1
    assert performance.device_faults.text() == performance.dropped.text() == "0"


def test_reason_for_the_model_and_a_lost_gpu_are_told(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.ticks()
    assert "the only model" in opened.panels.performance.reason.text()
    engine.notice = "the GPU was lost: going on with the CPU"
    opened.ticks()
    # It waits for its turn behind the line about the missing sound device.
    opened.panels.banner.dismiss()
    assert "going on with the CPU" in opened.notice


def test_latency_shows_its_parts_on_demand(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.ticks()
    performance = opened.panels.performance
    # 1024 + 46 + 640 + 128 + 1024 + 772 samples at 44.1 kHz.
    assert performance.latency.text().startswith("82 ms")
    assert not performance.parts.isVisible()
    opened.click(performance.latency)
    assert performance.parts.isVisible()
    for part in ("Block", "Network looks ahead", "Crossfade", "Output device", "Engine alone"):
        assert part in performance.parts.text()


def test_clip_light_stays_until_it_is_clicked(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    meter = opened.panels.spectrograms.input_meter
    meter.needle.move(rms_db=-3, peak_db=0.0, elapsed_s=0.1)
    opened.ticks(40)
    assert meter.needle.clipped
    assert "clipped" in meter.accessibleName()
    opened.click(meter)
    assert not meter.needle.clipped


# ---- warnings


def test_silent_microphone_is_told_once_and_can_be_silenced_for_good(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    engine = opened.running()
    engine.silent = True
    opened.panels.banner.dismiss()
    for _ in range(12):
        opened.window.ticker._last -= 0.25
        opened.ticks(1)
    assert "digital silence" in opened.notice
    opened.click(opened.panels.banner._never)
    opened.ticks()
    assert not opened.notice
    opened.window.close()
    again = Opened(qtbot, tmp_path, desk)
    assert "silence" in again.window.session.notices.silenced


def test_microphone_by_a_loudspeaker_warns_and_a_headset_does_not(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    opened.press(Qt.Key.Key_Space)
    opened.running()
    assert "howl" in opened.notice
    pick(opened.transport.output, "null")
    opened.wait(lambda: len(desk.engines) == 2)
    opened.running()
    assert not opened.notice


# ---- recorder


def test_recording_makes_two_aligned_files(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.window.commands.folder = str(tmp_path / "takes")
    opened.press(Qt.Key.Key_R)
    assert opened.transport.record.isChecked()
    for _ in range(5):
        engine.advance(0.2)
        qtbot.wait(40)
    opened.press(Qt.Key.Key_R)
    opened.wait(lambda: "Recorded" in opened.panels.banner.text_label.text()
                or "Recorded" in str(opened.panels.banner._waiting))  # fmt: skip
    files = sorted((tmp_path / "takes").iterdir())
    assert [path.name.split()[-1] for path in files] == ["input.wav", "output.wav"]
    given, made = (soundfile.info(path) for path in files)
    assert (given.samplerate, made.samplerate) == (22_050, 44_100)
    assert made.frames == 2 * given.frames > 20_000
    opened.wait(lambda: not opened.transport.record.isChecked())


def test_recording_ends_with_the_engine(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.window.commands.folder = str(tmp_path)
    opened.press(Qt.Key.Key_R)
    opened.press(Qt.Key.Key_Space)
    opened.stopped()
    opened.wait(lambda: not opened.window.session.recording.active)
    assert not [t for t in threading.enumerate() if t.name == "topoctave-recorder"]


def test_folder_that_cannot_be_written_is_a_line_in_the_window(qtbot, tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.window.commands.folder = str(tmp_path / "taken" / "below")
    opened.press(Qt.Key.Key_R)
    assert opened.notice.startswith("Cannot record into")
    assert not opened.transport.record.isChecked()


# ---- blind test


def test_blind_test_plays_hides_counts_and_exports(qtbot, tmp_path) -> None:
    table = tmp_path / "answers.csv"
    opened = Opened(qtbot, tmp_path, answers=Answers(table=str(table)))
    engine = opened.running()
    opened.press(Qt.Key.Key_X)
    panels, abx = opened.panels, opened.panels.abx
    assert panels.blind
    assert not panels.spectrograms.isVisible()
    assert not panels.listening.ab.isEnabled()
    for _ in range(6):
        assert engine.parameters.bypass is not abx.session.x_is_b
        opened.press(Qt.Key.Key_A)
        assert engine.parameters.bypass
        opened.press(Qt.Key.Key_B)
        assert not engine.parameters.bypass
        opened.press(Qt.Key.Key_X)
        assert engine.parameters.bypass is not abx.session.x_is_b
        right = Qt.Key.Key_B if abx.session.x_is_b else Qt.Key.Key_A
        opened.press(right, SHIFT)
    assert abx.score.text() == "6 / 6"
    assert "p = 0.0156" in abx.chance.text()
    opened.click(abx.export)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0]["input"] == "Bundled clip"
    opened.panels.banner.dismiss()
    opened.panels.banner.dismiss()
    opened.press(Qt.Key.Key_Escape)
    assert not panels.blind
    assert panels.listening.ab.isEnabled()
    assert not engine.parameters.bypass


def test_blind_test_gives_nothing_away(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.press(Qt.Key.Key_X)
    abx = opened.panels.abx
    said = {}
    for _ in range(200):
        opened.press(Qt.Key.Key_X)
        visible = [w for w in opened.window.findChildren(QWidget) if w.isVisibleTo(opened.window)]
        texts = {w.accessibleName() for w in visible}
        texts |= {w.text() for w in visible if isinstance(w, QAbstractButton)}
        said.setdefault(abx.session.x_is_b, frozenset(texts))
        if len(said) == 2:
            break
        abx.session.draw()
        abx._playing = ""
    hidden = [{t for t in texts if "ratio" not in t and "Load" not in t and "level" not in t}
              for texts in said.values()]  # fmt: skip
    assert len(hidden) == 2
    assert hidden[0] == hidden[1]
    image = opened.panels.listening.grab().toImage()
    abx.play("A")
    assert opened.panels.listening.grab().toImage() == image


# ---- manners


def test_everything_is_remembered_devices_by_name(qtbot, tmp_path, desk) -> None:
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
    # The offscreen platform's screen is too small to put a window back; a real one is in
    # test_gui_display.
    assert Memory(str(again.memory_path)).geometry() is not None


def test_memory_of_nonsense_is_forgotten(qtbot, tmp_path) -> None:
    (tmp_path / "memory.ini").write_text(
        "[General]\nblock_samples=7\nparameters={\nmodel=gone\ntheme=pink\nloop=maybe\n"
        "input_key=nobody\n[look]\nlow_db=5\nhigh_db=x\nscale=bark\n"
    )
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    assert engine.settings.block_samples == 1024
    assert engine.settings.input == "demo"
    assert opened.panels.spectrograms.colour_bar.range_db == (-110, -20)


def test_close_while_running_is_quick_and_leaves_no_thread(qtbot, tmp_path) -> None:
    before = set(threading.enumerate())
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    opened.press(Qt.Key.Key_R)
    begin = time.monotonic()
    opened.window.close()
    assert time.monotonic() - begin < 2
    assert engine.stops == 1
    assert set(threading.enumerate()) <= before


def test_close_while_loading_does_not_wait_for_it(qtbot, tmp_path) -> None:
    world = FakeWorld(gate=threading.Event())
    opened = Opened(qtbot, tmp_path, world)
    opened.wait(lambda: len(world.opening) == 1)
    begin = time.monotonic()
    opened.window.close()
    assert time.monotonic() - begin < 2.2
    world.gate.set()
    end = time.monotonic() + 5
    while not (world.engines and world.engines[0].stops):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_twenty_starts_leave_no_files_and_no_threads(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
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


def test_every_key_does_something_without_harm(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    skipped = {"quit", "menu", "help"}
    for key in KEYS:
        if key.action not in skipped:
            modifiers = [m for m, on in ((CONTROL, key.control), (SHIFT, key.shift)) if on]
            assert key.action in opened.window.commands._actions or key.shift
            opened.press(key.key, *modifiers)
            opened.ticks(2)
    opened.wait(lambda: not opened.window.session.controller.busy)


def test_keys_are_left_to_the_widget_that_has_the_focus(qtbot, tmp_path, desk) -> None:
    opened = Opened(qtbot, tmp_path, desk)
    opened.listed()
    button = opened.panels.view_bar.freeze
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert button.isChecked()
    assert not desk.opening


def test_all_controls_can_be_reached_and_have_names(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
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


def test_theme_changes_at_once_and_back(qtbot, tmp_path) -> None:
    from gui.theme import DARK, LIGHT, ThemeChoice

    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.window.set_theme_choice(ThemeChoice.LIGHT)
    assert opened.window.theme == LIGHT
    light = opened.window.grab().toImage().pixelColor(5, opened.window.height() - 5)
    opened.window.set_theme_choice(ThemeChoice.DARK)
    assert opened.window.theme == DARK
    dark = opened.window.grab().toImage().pixelColor(5, opened.window.height() - 5)
    assert light.lightness() > 200 > 60 > dark.lightness()


def test_theme_follows_the_system(qtbot, tmp_path, monkeypatch) -> None:
    from gui.theme import DARK, LIGHT

    opened = Opened(qtbot, tmp_path)
    hints = QGuiApplication.styleHints()
    for scheme, theme in ((Qt.ColorScheme.Light, LIGHT), (Qt.ColorScheme.Dark, DARK)):
        # The offscreen platform has no scheme of its own to set.
        monkeypatch.setattr("gui.theme.resolve", lambda _choice, wanted=theme: wanted)
        hints.colorSchemeChanged.emit(scheme)
        assert opened.window.theme == theme


def test_help_page_has_every_key(qtbot, tmp_path) -> None:
    from gui.help_page import HelpPage, help_text

    page = HelpPage()
    qtbot.addWidget(page)
    text = page.browser.toPlainText()
    for key in KEYS:
        assert key.help in text
    for word in ("BlackHole", "VB-CABLE", "module-null-sink"):
        assert word in help_text()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (2560, 1440)])
def test_no_text_is_cut_off(qtbot, tmp_path, size) -> None:
    from PySide6.QtWidgets import QLabel

    opened = Opened(qtbot, tmp_path)
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


def pick(box, key: str) -> None:
    """Choose a line as a user does."""
    assert box.choose(key), key
    box.picked.emit(box.chosen)


def picture(pane):
    """The pixels of a pane, oldest column first."""
    import numpy as np

    ring = pane._ring
    return np.roll(ring._pixels, -(ring.end % ring.width), axis=1)
