"""From the user's settings to an engine that is ready to start."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from realtime.assets import demo_path
from realtime.audio_io.file_streams import FileInput, FileOutput, NullOutput
from realtime.audio_io.streams import InputStream, OutputStream
from realtime.dsp.parameters import Parameters
from realtime.engine.engine import Engine
from realtime.engine.settings import VIRTUAL_MIC, Settings
from realtime.errors import AudioFileError
from realtime.files.audio_file import SUFFIXES, read_audio
from realtime.inference.choose_model import Choice, SpeedTrial, choose_model
from realtime.inference.load import check_block_samples, load_chain
from realtime.inference.model_file import find_model, shipped_models
from realtime.inference.tuning_cache import TuningCache


def _is_file(name: str, suffixes: tuple[str, ...]) -> bool:
    return Path(name).suffix.lower() in suffixes or "/" in name or "\\" in name


def _exists(name: str) -> bool:
    """Whether there is a file of that name, with any suffix."""
    try:
        return Path(name).is_file()
    except OSError:  # a name that the disk refuses: too long, say
        return False


def check_apart(source: str, target: str) -> None:
    """Refuse to overwrite the input file with the output."""
    if _exists(source) and _exists(target) and Path(source).samefile(target):
        raise AudioFileError(f"{target} is the input; choose another name for the output")


def open_input(name: str, *, loop: bool, progress: Callable[[str], None]) -> InputStream:
    """Open an input by its name; raises AudioFileError or DeviceError."""
    if name == "demo":
        return FileInput("demo clip", read_audio(demo_path()), loop=loop)
    if _is_file(name, SUFFIXES) or _exists(name):
        path = Path(name)
        audio = read_audio(path)
        if audio.note:
            progress(audio.note)
        return FileInput(path.name, audio, loop=loop)
    from realtime.audio_io.device_streams import DeviceInput

    return DeviceInput(name)


def open_output(name: str) -> OutputStream:
    """Open an output by its name; raises AudioFileError or DeviceError."""
    if name == "null":
        return NullOutput()
    if _is_file(name, SUFFIXES):
        return FileOutput(Path(name))
    if name == VIRTUAL_MIC:
        from realtime.audio_io.sound_server.virtual_mic import open_virtual_mic

        return open_virtual_mic()
    from realtime.audio_io.device_streams import DeviceOutput

    return DeviceOutput(name)


def open_model(
    settings: Settings, *, channels: int, cache: TuningCache, progress: Callable[[str], None]
) -> Choice:
    """Find the model by its name; ``auto`` is the best one for this machine."""
    if settings.model != "auto":
        info = find_model(settings.model)
        return Choice(info, f"{info.name}: as requested")
    trial = SpeedTrial(
        block_samples=settings.block_samples,
        channels=channels,
        requested=settings.requested,
        cache=cache,
        progress=progress,
    )
    return choose_model(shipped_models(), trial)


def open_engine(
    settings: Settings,
    *,
    parameters: Parameters | None = None,
    progress: Callable[[str], None] = lambda _: None,
    cache: TuningCache | None = None,
) -> Engine:
    """Load and warm up the model, open input and output; takes seconds.

    ``progress`` is called with one line about each step. ``cache`` keeps measured speeds, by
    default in the user's cache folder.

    Raises:
        TopoctaveError: if a model, file or device cannot be used.
        ValueError: if a setting is wrong.
    """
    check_block_samples(settings.block_samples)
    check_apart(settings.input, settings.output)
    cache = cache or TuningCache()
    # A wrong name fails before devices are opened and a file is read.
    if settings.model != "auto":
        find_model(settings.model)
    info_b = find_model(settings.model_b) if settings.model_b else None
    with contextlib.ExitStack() as undo:
        # First: a virtual microphone says which input is not itself.
        sink = open_output(settings.output)
        undo.callback(sink.stop)
        source = open_input(settings.input, loop=settings.loop, progress=progress)
        undo.callback(source.stop)
        choice = open_model(settings, channels=source.channels, cache=cache, progress=progress)
        progress(f"loading {choice.reason if settings.model == 'auto' else choice.info.name}")
        loaded = load_chain(
            choice.info,
            info_b,
            block_samples=settings.block_samples,
            channels=source.channels,
            parameters=parameters,
            cache=cache,
            **settings.requested,
        )
        if loaded.notice:
            progress(loaded.notice)
        engine = Engine(source, sink, replace(loaded, reason=choice.reason))
        undo.pop_all()
    return engine
