"""The recorder as the window shows it."""

import threading
import time

import soundfile
from PySide6.QtCore import Qt

from tests.helpers.gui.window import Opened, qt_marks

pytestmark = qt_marks


def test_recording_makes_two_aligned_files(opened, qtbot, tmp_path) -> None:
    engine = opened.running()
    opened.window.session.recording.folder = str(tmp_path / "takes")
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


def test_recording_ends_with_the_engine(opened, tmp_path) -> None:
    opened.window.session.recording.folder = str(tmp_path)
    opened.press(Qt.Key.Key_R)
    opened.press(Qt.Key.Key_Space)
    opened.stopped()
    opened.wait(lambda: not opened.window.session.recording.active)
    assert not [t for t in threading.enumerate() if t.name == "topoctave-recorder"]


def test_folder_that_cannot_be_written_is_a_line_in_the_window(qtbot, tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.window.session.recording.folder = str(tmp_path / "taken" / "below")
    opened.press(Qt.Key.Key_R)
    assert opened.notice.startswith("Cannot record into")
    assert not opened.transport.record.isChecked()


def test_close_does_not_wait_for_a_disk_that_hangs(opened, tmp_path) -> None:
    engine = opened.running()
    opened.window.session.recording.folder = str(tmp_path / "takes")
    hangs, gate = threading.Event(), threading.Event()
    real = engine.input_tap.read

    def read(since: int):
        if threading.current_thread().name == "topoctave-recorder":
            hangs.set()
            gate.wait(10)
        return real(since)

    opened.press(Qt.Key.Key_R)
    engine.input_tap.read = read
    opened.wait(hangs.is_set)
    begin = time.monotonic()
    opened.window.close()
    assert time.monotonic() - begin < 2
    gate.set()
    # The files are completed once the disk answers.
    opened.wait(lambda: not [t for t in threading.enumerate() if t.name == "topoctave-recorder"])
    assert len([soundfile.info(path) for path in (tmp_path / "takes").iterdir()]) == 2
