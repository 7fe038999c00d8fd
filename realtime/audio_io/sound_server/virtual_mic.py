"""An output that other programs see as a microphone named Topoctave."""

import atexit
import os
import sys

from realtime.audio_io.device_streams import DeviceOutput
from realtime.audio_io.devices import list_devices
from realtime.audio_io.sound_server.pulse import NullSink
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
        self._environment: dict[str, str | None] = {}
        self._null_sink = NullSink("topoctave_output", "Topoctave", "topoctave")
        # An exception may end the program without a stop.
        atexit.register(self.stop)
        self._stream = None
        try:
            # Read by the ALSA plug-ins of PulseAudio and of PipeWire.
            self._set(PULSE_SINK=self._null_sink.name, PIPEWIRE_NODE=self._null_sink.name)
            names = {d.name for d in list_devices(probe=False) if d.outputs}
            super().__init__("pulse" if "pulse" in names else "default")
        except BaseException:
            self._close()
            raise
        self.name = "Virtual microphone"
        self._restore()
        if source := self._null_sink.other_source:
            self._set(PIPEWIRE_NODE=source)
            if "PULSE_SOURCE" not in os.environ:
                self._set(PULSE_SOURCE=source)

    def _set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._environment.setdefault(name, os.environ.get(name))
            os.environ[name] = value

    def _restore(self) -> None:
        for name, value in self._environment.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        self._environment.clear()

    def stop(self) -> None:
        """Close the stream, and remove sink and source; idempotent."""
        super().stop()
        self._close()

    def _close(self) -> None:
        self._restore()
        self._null_sink.close()
        atexit.unregister(self.stop)
