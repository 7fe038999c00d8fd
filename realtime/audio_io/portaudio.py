"""The PortAudio library: the one file that imports sounddevice."""

import contextlib
import ctypes
from typing import Any

from realtime.audio_io.silence_native_stderr import silence_native_stderr
from realtime.errors import DeviceError

try:
    import sounddevice
except OSError as _error:  # the Python package is there, the PortAudio library is not
    sounddevice = None
    _MISSING = f"audio devices cannot be used: {_error}"


def library() -> Any:
    """The module sounddevice.

    Raises:
        DeviceError: if there is no PortAudio.
    """
    if sounddevice is None:
        raise DeviceError(_MISSING)
    return sounddevice


def reason(error: Exception) -> str:
    """PortAudio's message, in one line."""
    return str(error.args[0] if error.args else error).strip().splitlines()[0]


@silence_native_stderr()
def accepts(kind: str, index: int, rate_hz: int, channels: int) -> bool:
    """Whether a device can be opened at a rate; ``kind`` is ``input`` or ``output``."""
    made = library()
    check = made.check_input_settings if kind == "input" else made.check_output_settings
    try:
        check(device=index, channels=channels, samplerate=rate_hz, dtype="float32")
    except (made.PortAudioError, ValueError):
        return False
    return True


def set_alsa_periods(count: int) -> None:
    """Divide the buffers of ALSA devices that are opened from now on into this many periods.

    PortAudio divides them into four, and a sound server then calls every 20 ms, for several blocks
    at once.
    """
    # Of pa_linux_alsa.h; sounddevice does not wrap it. Other systems' libraries lack it.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(library()._libname).PaAlsa_SetNumPeriods(count)
