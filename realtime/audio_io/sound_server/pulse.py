"""The sound server, PulseAudio or PipeWire: the one file that imports pulsectl."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from realtime.errors import DeviceError, error_line

# Marks our modules, sinks and sources with the process that made them.
OWNER = "topoctave.owner"
_OWNER = re.compile(rf"{re.escape(OWNER)}=(\d+)\.(\d+)\.(\d+)")
_SOUND = "rate=44100 channels=2 format=float32le"


@contextlib.contextmanager
def connect() -> Iterator[Any]:
    """A short connection to the sound server, for one thread.

    Raises:
        DeviceError: if there is no server, or it refuses what the body asks for.
    """
    try:
        # Here, because it loads libpulse.
        import pulsectl
    except (ImportError, OSError) as error:
        raise DeviceError(f"the sound server cannot be reached: {error_line(error)}") from error
    try:
        with pulsectl.Pulse("topoctave") as pulse:
            yield pulse
    except pulsectl.PulseError as error:
        raise DeviceError(f"the sound server does not answer: {error_line(error)}") from error


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables that ALSA's plug-ins read when this process opens a device."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def is_pipewire() -> bool:
    """Whether PipeWire serves PulseAudio's clients; False without a server."""
    with contextlib.suppress(DeviceError), connect() as pulse:
        return "PipeWire" in pulse.server_info().server_name
    return False


def owner(pid: int) -> str:
    """The mark of a process that lives: its namespace, number and start; empty if it is dead."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The program's name is in brackets and may have any characters; a zombie is dead.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else f"{namespace}.{pid}.{fields[19]}"


def remove_leftovers() -> int:
    """Remove the modules of our processes that were killed; returns how many there were."""
    removed = 0
    with connect() as pulse:
        # In reverse: a source that depends on a sink goes first.
        for module in reversed(pulse.module_list()):
            found = _OWNER.search(module.argument or "")
            if found is None or owner(int(found[2])) == ".".join(found.groups()):
                continue
            # Processes of another namespace, a container's, cannot be looked up from here.
            if owner(os.getpid()).split(".")[0] == found[1]:
                with contextlib.suppress(DeviceError):
                    unload(pulse, module.index)
                    removed += 1
    return removed


def unload(pulse: Any, index: int) -> None:
    """Unload a module; one that is gone already is no error."""
    import pulsectl

    with contextlib.suppress(pulsectl.PulseOperationFailed):
        pulse.module_unload(index)


class NullSink:
    """A sink of this process that plays into nothing, and its monitor as a source.

    What was left by killed processes is removed first.

    Args:
        name: of the sink; with a number if it is taken.
        description: as other programs list it.
        source: name of a source of the same description; empty for the sink's monitor alone.

    Raises:
        DeviceError: if there is no sound server, or it refuses.
    """

    def __init__(self, name: str, description: str, source: str = "") -> None:
        remove_leftovers()
        self._modules: list[int] = []
        mark = f"device.description={description} {OWNER}={owner(os.getpid())}"
        try:
            with connect() as pulse:
                self.name = _free(name, pulse.sink_list())
                self.source = f"{self.name}.monitor"
                sink = f'sink_name={self.name} {_SOUND} sink_properties="{mark}"'
                self._modules.append(pulse.module_load("module-null-sink", sink))
                if source:
                    master, self.source = self.source, _free(source, pulse.source_list())
                    microphone = (
                        f"master={master} source_name={self.source} remix=no "
                        f'source_properties="{mark}"'
                    )
                    self._modules.append(pulse.module_load("module-remap-source", microphone))
                self.other_source = _other_source(pulse)
        except BaseException:
            self.close()
            raise

    def as_output(self) -> contextlib.AbstractContextManager[None]:
        """Devices that the body opens play into this sink."""
        # For the ALSA plug-ins of PulseAudio and of PipeWire.
        return environment(PULSE_SINK=self.name, PIPEWIRE_NODE=self.name)

    def as_input(self) -> contextlib.AbstractContextManager[None]:
        """Devices that the body opens record what is played into this sink."""
        return environment(
            PULSE_SOURCE=self.source,
            PIPEWIRE_NODE=self.name,
            PIPEWIRE_ALSA="{ stream.capture.sink=true }",
        )

    def close(self) -> None:
        """Remove it; idempotent, and quiet about a server that is gone."""
        with contextlib.suppress(DeviceError), connect() as pulse:
            while self._modules:
                unload(pulse, self._modules.pop())


def _other_source(pulse: Any) -> str:
    """The default source, or one that is not ours if that is ours; empty if there is none."""
    ours = {sink.monitor_source_name for sink in pulse.sink_list() if OWNER in sink.proplist}
    sources = [s for s in pulse.source_list() if s.name not in ours and OWNER not in s.proplist]
    default = pulse.server_info().default_source_name
    # Microphones before monitors of loudspeakers.
    sources.sort(key=lambda s: (s.name != default, s.name.endswith(".monitor")))
    return str(sources[0].name) if sources else ""


def _free(name: str, devices: list[Any]) -> str:
    """A name that no device has: PipeWire would let two have the same."""
    taken = {device.name for device in devices}
    names = (name, *(f"{name}.{number}" for number in range(2, len(taken) + 3)))
    return next(n for n in names if n not in taken)
