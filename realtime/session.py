"""From what a user asks for to an engine that is ready to start."""

from collections.abc import Callable
from pathlib import Path

from realtime.assets import demo_path
from realtime.audio_file import SUFFIXES, read_audio
from realtime.engine import Engine
from realtime.errors import AudioFileError, TopoctaveError
from realtime.file_ports import FileInput, FileOutput, NullOutput
from realtime.loading import check_block_samples, load_chain
from realtime.model_file import find_model
from realtime.parameters import Parameters
from realtime.ports import Input, Output
from realtime.settings import Settings


def _is_file(name: str, suffixes: tuple[str, ...]) -> bool:
    return Path(name).suffix.lower() in suffixes or "/" in name or "\\" in name


def _exists(name: str) -> bool:
    """Whether there is a file of that name, whatever its suffix."""
    try:
        return Path(name).is_file()
    except OSError:  # no name that the disk knows: too long, say
        return False


def check_apart(source: str, target: str) -> None:
    """Refuse to write an output over the input that it is made of.

    Raises:
        AudioFileError: if both are the same file.
    """
    if _exists(source) and _exists(target) and Path(source).samefile(target):
        raise AudioFileError(f"{target} is the input; choose another name for the output")


def open_input(name: str, *, loop: bool, progress: Callable[[str], None]) -> Input:
    """The input that a user means.

    Raises:
        AudioFileError: if a file cannot be used.
        DeviceError: if a device is missing or refuses.
    """
    if name == "demo":
        return FileInput("demo clip", read_audio(demo_path()), loop=loop)
    if _is_file(name, SUFFIXES) or _exists(name):
        path = Path(name)
        audio = read_audio(path)
        if audio.note:
            progress(audio.note)
        return FileInput(path.name, audio, loop=loop)
    from realtime.portaudio import DeviceInput

    return DeviceInput(name)


def open_output(name: str) -> Output:
    """The output that a user means.

    Raises:
        AudioFileError: if a file of that name cannot be written.
        DeviceError: if a device is missing or refuses.
    """
    if name == "null":
        return NullOutput()
    if _is_file(name, SUFFIXES):
        return FileOutput(Path(name))
    from realtime.portaudio import DeviceOutput

    return DeviceOutput(name)


def open_engine(
    settings: Settings,
    *,
    parameters: Parameters | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Engine:
    """Load and warm up the model, open input and output; takes seconds.

    Args:
        settings: what the session is made of.
        parameters: where the A/B mix starts.
        progress: called with one line at a time about what is being done.

    Raises:
        TopoctaveError: if a model, file or device cannot be used.
        ValueError: if a setting is wrong.
    """
    check_block_samples(settings.block_samples)
    check_apart(settings.input, settings.output)
    info = find_model(settings.model)
    source = open_input(settings.input, loop=settings.loop, progress=progress)
    sink: Output | None = None
    try:
        sink = open_output(settings.output)
        progress(f"loading {info.name}")
        loaded = load_chain(
            info,
            block_samples=settings.block_samples,
            channels=source.channels,
            compute=settings.compute,
            threads=settings.threads,
            parameters=parameters,
        )
        return Engine(source, sink, loaded)
    except (TopoctaveError, ValueError):
        source.stop()
        if sink is not None:
            sink.stop()
        raise
