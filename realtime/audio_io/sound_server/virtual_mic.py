"""An output that other programs see as a microphone named Topoctave."""

import atexit
import contextlib
import os
import sys

from realtime.audio_io.device_streams import DeviceOutput
from realtime.audio_io.devices import list_devices
from realtime.audio_io.sound_server.pulse import NullSink, environment
from realtime.errors import DeviceError

# Drivers that pass what one program plays on to the others, and where to get them.
DRIVERS = {
    "darwin": ("BlackHole", "BlackHole, https://existential.audio/blackhole"),
    "win32": ("CABLE Input", "VB-CABLE, https://vb-audio.com/Cable"),
}


def open_virtual_mic() -> DeviceOutput:
    """The virtual microphone: on Linux made by the sound server, elsewhere by a driver.

    Raises:
        DeviceError: if there is no sound server or driver; the line says where to get one.
    """
    if sys.platform == "linux":
        return VirtualMic()
    if (name := installed_driver()) is None:
        where = DRIVERS.get(sys.platform, ("", "no driver is known for this system"))[1]
        raise DeviceError(f"a virtual microphone needs a driver: {where}")
    return DeviceOutput(name)


def installed_driver() -> str | None:
    """Name of the installed driver's output; None if there is none."""
    part = DRIVERS.get(sys.platform, ("\0", ""))[0].lower()
    names = [d.name for d in list_devices(probe=False) if d.outputs]
    return next((name for name in names if part in name.lower()), None)


class VirtualMic(DeviceOutput):
    """Plays into a null sink of its own, whose monitor is a source for other programs.

    Both exist as long as this stream. The default input keeps to a source of other programs, also
    if the user makes Topoctave the default microphone: open the input after this.

    Raises:
        DeviceError: if there is no sound server, or no ALSA plug-in that plays into it.
    """

    def __init__(self) -> None:
        self._null_sink = NullSink("topoctave_output", "Topoctave", "topoctave")
        self._undo = contextlib.ExitStack()
        self._undo.callback(self._null_sink.close)
        # An exception may end the program without a stop.
        atexit.register(self._undo.close)
        try:
            with self._null_sink.as_output():
                names = {d.name for d in list_devices(probe=False) if d.outputs}
                super().__init__("pulse" if "pulse" in names else "default")
        except BaseException:
            self._undo.close()
            raise
        self.name = "Virtual microphone"
        if (source := self._null_sink.other_source) and "PULSE_SOURCE" not in os.environ:
            self._undo.enter_context(environment(PULSE_SOURCE=source, PIPEWIRE_NODE=source))

    def stop(self) -> None:
        """Close the stream, and remove sink and source; idempotent."""
        super().stop()
        self._undo.close()
        atexit.unregister(self._undo.close)
