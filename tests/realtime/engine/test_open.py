"""From a user's names of inputs, outputs and models to an engine."""

from pathlib import Path

import pytest

import realtime.audio_io.device_streams
import realtime.engine.open
from models.export.streaming_unet import StreamingUNet
from realtime.audio_io.file_streams import FileInput, FileOutput, NullOutput
from realtime.engine.open import open_engine, open_input, open_output
from realtime.engine.settings import Settings
from realtime.engine.snapshot import State
from realtime.errors import AudioFileError, DeviceError
from tests.helpers.cli import store
from tests.helpers.fake_streams import FakeInput, FakeOutput, wait_until
from tests.helpers.models.unets import unet
from tests.helpers.networks import Smooth, metadata, unet_metadata, write_model


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No sound card, and a folder of its own."""

    def nothing(name: str) -> None:
        raise DeviceError(f"there is no device {name}")

    monkeypatch.setattr(realtime.audio_io.device_streams, "DeviceInput", nothing)
    monkeypatch.setattr(realtime.audio_io.device_streams, "DeviceOutput", nothing)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_model(tmp_path / "test.ts", Smooth(), metadata()))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return store(tmp_path / "song.wav")


def settings(model: str, source: object, target: object, **changes: object) -> Settings:
    return Settings(
        model=model, input=str(source), output=str(target), compute="cpu", threads=1, **changes
    )  # type: ignore[arg-type]


def opened(name: str) -> tuple[object, list[str]]:
    notes: list[str] = []
    return open_input(name, loop=False, progress=notes.append), notes


def test_the_demo_is_the_bundled_clip() -> None:
    source, notes = opened("demo")
    assert isinstance(source, FileInput)
    assert source.length_s > 5
    assert notes == []


@pytest.mark.parametrize("name", ["song.wav", "./song.wav", "{folder}/song.wav"])
def test_files_are_inputs_however_they_are_written(song: Path, name: str) -> None:
    source, _ = opened(name.format(folder=song.parent))
    assert isinstance(source, FileInput)
    assert source.name == "song.wav"
    assert source.length_s == pytest.approx(0.1)


def test_a_file_of_any_name_and_rate_is_an_input(song: Path) -> None:
    store(song, 4_800, rate=48_000).rename(song.with_name("song of mine"))
    source, notes = opened("song of mine")
    assert isinstance(source, FileInput)
    assert len(notes) == 1
    assert "48000 Hz" in notes[0]


@pytest.mark.parametrize("name", ["nothing.wav", "nowhere/", "nowhere/song", "../song.flac"])
def test_missing_files_do_not_count_as_devices(name: str) -> None:
    with pytest.raises(AudioFileError):
        opened(name)


@pytest.mark.parametrize("name", ["default", "3", "USB microphone", "a" * 5_000])
def test_all_else_is_a_device(name: str) -> None:
    with pytest.raises(DeviceError):
        opened(name)
    with pytest.raises(DeviceError):
        open_output(name)


def test_outputs_by_name(tmp_path: Path) -> None:
    assert isinstance(open_output("null"), NullOutput)
    assert isinstance(open_output("out.wav"), FileOutput)
    assert isinstance(open_output(f"{tmp_path}/out.FLAC"), FileOutput)
    assert not (tmp_path / "out.wav").exists()  # nothing before the start


@pytest.mark.parametrize("name", ["out.mp3", "nowhere/out.wav", "./out", "/"])
def test_outputs_that_cannot_be_written_are_errors(name: str) -> None:
    with pytest.raises(AudioFileError):
        open_output(name)


@pytest.mark.parametrize("name", ["song.wav", "./song.wav", "link.wav"])
def test_the_input_is_never_overwritten(model: str, song: Path, name: str) -> None:
    song.with_name("link.wav").symlink_to(song)
    before = song.read_bytes()
    with pytest.raises(AudioFileError, match="is the input"):
        open_engine(settings(model, song, name))
    assert song.read_bytes() == before


def test_a_loop_is_handed_on(model: str, song: Path) -> None:
    engine = open_engine(settings(model, song, "null", loop=True))
    engine.start()
    try:
        wait_until(lambda: engine.snapshot().seconds > 0.15, "the second round")
        assert engine.snapshot().state is State.RUNNING
    finally:
        engine.stop()


def test_a_dtype_arrives_in_the_engine(tmp_path: Path, song: Path) -> None:
    model = str(write_model(tmp_path / "unet.ts", StreamingUNet(unet(4)), unet_metadata()))
    engine = open_engine(settings(model, song, "null", dtype="bfloat16"))
    assert engine.snapshot().dtype == "bfloat16"
    engine.stop()


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_whatever_loading_raises_both_devices_are_closed(
    model: str, failure: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, sink = FakeInput(), FakeOutput()

    def fail(*_: object, **__: object) -> None:
        raise failure("no memory")

    monkeypatch.setattr(realtime.audio_io.device_streams, "DeviceInput", lambda _: source)
    monkeypatch.setattr(realtime.audio_io.device_streams, "DeviceOutput", lambda _: sink)
    monkeypatch.setattr(realtime.engine.open, "load_chain", fail)
    with pytest.raises(failure):
        open_engine(settings(model, "default", "default"))
    assert (source.stops, sink.stops) == (1, 1)
