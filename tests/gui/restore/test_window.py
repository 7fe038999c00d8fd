"""Restoring files beside the live audio."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from gui.restore.jobs import plan
from gui.widgets.text import TIMES
from realtime.errors import AudioFileError
from realtime.inference.model_file import shipped_models
from tests.helpers.gui.window import Answers, Opened, qt_marks

pytestmark = [*qt_marks, pytest.mark.timeout(240)]

# Loading torch takes seconds at rest, and much longer on a busy machine.
WORK_MS = 120_000
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="the worker is ended by a signal")

SLOW_WORKER = """
import sys, time
from gui.restore import worker
from realtime.files import audio_file
def write(file, frames):
    file.write(frames[:100])
    print("written", flush=True)
    time.sleep(60)
audio_file.write_frames = write
sys.exit(worker.main())
"""


def sound(path: Path, seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(22_050 * seconds)) / 22_050
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 440 * t), 22_050)
    return path


def dropped(*paths: Path) -> QDropEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    # The event keeps no reference to its data.
    dropped.data = data
    return QDropEvent(QPointF(300, 300), Qt.DropAction.CopyAction, data,
                      Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)  # fmt: skip


def test_jobs_go_into_a_folder_beside_the_originals(tmp_path) -> None:
    single = sound(tmp_path / "a" / "voice.ogg")
    sound(tmp_path / "b" / "deep" / "song.wav")
    jobs = plan([single, tmp_path / "b"], None, {})
    assert [job.target.relative_to(tmp_path).as_posix() for job in jobs] == [
        "a/restored/voice.wav", "restored/b/deep/song.wav",
    ]  # fmt: skip


def test_an_original_is_never_overwritten(tmp_path) -> None:
    path, other = sound(tmp_path / "voice.wav"), sound(tmp_path / "other" / "voice.wav")
    out = tmp_path / "out"
    with pytest.raises(AudioFileError, match="is the input"):
        plan([path], tmp_path, {})
    with pytest.raises(AudioFileError, match="would both become"):
        plan([path, other], out, {})
    with pytest.raises(AudioFileError, match="would both become"):
        plan([path], out, {out / "voice.wav": other})
    assert plan([path], out, {out / "voice.wav": path}) == []


def test_files_and_folders_are_dropped_on_the_window(opened, tmp_path) -> None:
    sound(tmp_path / "songs" / "song.wav")
    opened.window.dropEvent(dropped(sound(tmp_path / "voice.wav"), tmp_path / "songs"))
    window = opened.window.commands.restore_window
    assert window.isVisible()
    assert window.list.topLevelItemCount() == 2
    assert window.run.isEnabled()
    assert not window.show_folder.isEnabled()
    opened.answers.sounds = [sound(tmp_path / name) for name in ("one.wav", "voice.wav", "two.wav")]
    opened.window.window_actions["open"].trigger()
    assert [item.text(0) for item in window.items[2:]] == ["one.wav", "two.wav"]
    opened.window.close()
    assert not window.isVisible()


def test_files_are_restored_with_progress_and_errors_in_one_line(qtbot, tmp_path) -> None:
    if not shipped_models():
        pytest.skip("no exported model in assets")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    paths = [sound(tmp_path / "voice.wav", 3.0), broken]
    opened = Opened(qtbot, tmp_path, answers=Answers(sounds=paths))
    opened.running()
    opened.press(Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    window = opened.window.commands.restore_window
    opened.click(window.add)
    good, bad = window.items
    opened.click(window.run)
    assert window.run.text() == "Cancel"
    seen, change = [], good.change

    def noted(**state: object) -> None:
        change(**state)
        seen.append((good.share, good.text(2), good.left))

    good.change = noted
    qtbot.waitUntil(lambda: not window.running, timeout=WORK_MS)
    assert not good.failed, good.result
    assert soundfile.info(tmp_path / "restored" / "voice.wav").frames == 3 * 44_100
    assert any(0 < share < 1 and TIMES in speed and "voice.wav: 0:0" in left
               for share, speed, left in seen)  # fmt: skip
    assert bad.failed
    assert "\n" not in bad.result
    assert "2 of 2 files done, 1 failed" in window.summary.text()
    assert bad.text(3).startswith("▲")
    assert window.show_folder.isEnabled()
    assert not window.run.isEnabled()


@UNIX
@pytest.mark.parametrize("how", ["cancel", "close"])
def test_restoring_is_cancelled_at_once(opened, qtbot, tmp_path, how) -> None:
    opened.window.commands.restore([sound(tmp_path / "long.wav", 60.0)])
    window = opened.window.commands.restore_window
    opened.click(window.run)
    process = window._process
    qtbot.waitUntil(lambda: process.processId() > 0)
    begin = time.monotonic()
    if how == "cancel":
        opened.click(window.run)
        qtbot.waitUntil(lambda: not window.running)
        assert window.run.text() == "Restore"
        assert window.summary.text() == "Cancelled."
        assert not window.items[0].result
    else:
        opened.window.close()
    assert time.monotonic() - begin < 2
    assert not (tmp_path / "restored" / "long.wav").exists()


@UNIX
def test_worker_that_is_asked_to_end_leaves_no_unfinished_file(project, tmp_path) -> None:
    if not shipped_models():
        pytest.skip("no exported model in assets")
    jobs = [[str(sound(tmp_path / "voice.wav")), str(tmp_path / "restored" / "voice.wav")]]
    request = {"model": shipped_models()[0].name, "compute": "cpu", "threads": 1, "jobs": jobs}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", SLOW_WORKER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=project) as worker:
        worker.stdin.write(json.dumps(request).encode())
        worker.stdin.close()
        assert any(line.strip() == b"written" for line in iter(worker.stdout.readline, b""))
        assert list((tmp_path / "restored").iterdir())
        worker.terminate()
        assert worker.wait(timeout=30) == 1
    assert not list((tmp_path / "restored").iterdir())
