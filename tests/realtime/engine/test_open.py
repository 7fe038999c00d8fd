"""From a user's names of inputs, outputs and models to an engine."""

from pathlib import Path
from typing import Any

import pytest

from realtime.audio_io.file_streams import FileInput, FileOutput, NullOutput
from realtime.engine.open import open_engine, open_input, open_output
from realtime.engine.settings import Settings
from realtime.engine.snapshot import State
from realtime.errors import AudioFileError, DeviceError
from realtime.inference.model_file import ModelInfo
from tests.helpers.cli import store
from tests.helpers.fake_streams import FakeInput, FakeOutput, wait_until


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No sound card, and a folder of its own."""

    def nothing(name: str) -> None:
        raise DeviceError(f"there is no device {name}")

    monkeypatch.setattr("realtime.audio_io.device_streams.DeviceInput", nothing)
    monkeypatch.setattr("realtime.audio_io.device_streams.DeviceOutput", nothing)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return store(tmp_path / "song.wav")


def settings(model: ModelInfo, source: object, target: object, **changes: Any) -> Settings:
    chosen = {"model": str(model.path), "compute": "cpu", "threads": 1} | changes
    return Settings(input=str(source), output=str(target), **chosen)


def opened(name: str) -> tuple[object, list[str]]:
    notes: list[str] = []
    return open_input(name, loop=False, progress=notes.append), notes


def test_the_demo_is_the_bundled_clip() -> None:
    source, notes = opened("demo")
    assert isinstance(source, FileInput)
    assert source.length_s > 5
    assert notes == []


@pytest.mark.parametrize("name", ["song.wav", "./song.wav", "{folder}/song.wav", "song of mine"])
def test_files_are_inputs_however_they_are_written_and_at_any_rate(song, name) -> None:
    store(song.with_name("fast.wav"), 4_800, rate=48_000).rename(song.with_name("song of mine"))
    source, notes = opened(name.format(folder=song.parent))
    assert isinstance(source, FileInput)
    assert source.name == Path(name).name
    assert source.length_s == pytest.approx(0.1)
    assert ["48000 Hz" in note for note in notes] == [True] * (name == "song of mine")


FILES_IN = ["nothing.wav", "nowhere/", "nowhere/song", "../song.flac"]
FILES_OUT = ["out.mp3", "nowhere/out.wav", "./out", "/"]
DEVICES = ["default", "3", "USB microphone", "a" * 5_000]


@pytest.mark.parametrize(
    ("names", "open_it", "error"),
    [
        (FILES_IN, opened, AudioFileError),
        (FILES_OUT, open_output, AudioFileError),
        (DEVICES, opened, DeviceError),
        (DEVICES, open_output, DeviceError),
    ],
)
def test_missing_files_do_not_count_as_devices_and_all_else_does(names, open_it, error) -> None:
    for name in names:
        with pytest.raises(error):
            open_it(name)


def test_outputs_by_name(tmp_path) -> None:
    assert isinstance(open_output("null"), NullOutput)
    assert isinstance(open_output("out.wav"), FileOutput)
    assert isinstance(open_output(f"{tmp_path}/out.FLAC"), FileOutput)
    assert not (tmp_path / "out.wav").exists()  # nothing before the start


@pytest.mark.parametrize("name", ["song.wav", "./song.wav", "link.wav"])
def test_the_input_is_never_overwritten(smooth_info, song, name) -> None:
    song.with_name("link.wav").symlink_to(song)
    before = song.read_bytes()
    with pytest.raises(AudioFileError, match="is the input"):
        open_engine(settings(smooth_info, song, name))
    assert song.read_bytes() == before


def test_a_loop_and_a_dtype_are_handed_on(unet_info, song) -> None:
    engine = open_engine(settings(unet_info, song, "null", loop=True, dtype="bfloat16"))
    assert engine.snapshot().dtype == "bfloat16"
    engine.start()
    try:
        wait_until(lambda: engine.snapshot().seconds > 0.15, "the second round")
        assert engine.snapshot().state is State.RUNNING
    finally:
        engine.stop()


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_whatever_loading_raises_both_devices_are_closed(smooth_info, failure, monkeypatch) -> None:
    source, sink = FakeInput(), FakeOutput()

    def fail(*_: object, **__: object) -> None:
        raise failure("no memory")

    monkeypatch.setattr("realtime.audio_io.device_streams.DeviceInput", lambda _: source)
    monkeypatch.setattr("realtime.audio_io.device_streams.DeviceOutput", lambda _: sink)
    monkeypatch.setattr("realtime.engine.open.load_chain", fail)
    with pytest.raises(failure):
        open_engine(settings(smooth_info, "default", "default"))
    assert (source.stops, sink.stops) == (1, 1)
