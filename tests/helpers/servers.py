"""A private sound server and display, so that real devices and windows are tested."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

# How long a server may take to start on a busy machine, in seconds.
START_S = 20.0

# PulseAudio asks for D-Bus, a home and real-time priority, none of which a test machine has.
_PULSE = (
    *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit"),
    *("--use-pid-file=no", "--realtime=no", "--high-priority=no", "--log-target=stderr"),
)

# PortAudio lists ALSA devices; this leaves only the plug-in that talks to PulseAudio.
_ALSA = """
pcm.pulse { type pulse  hint { show on  description "PulseAudio" } }
ctl.pulse { type pulse }
pcm.!default { type pulse  hint { show on  description "PulseAudio" } }
ctl.!default { type pulse }
"""

_SINKS = ("sink_name=mic rate=22050 channels=1", "sink_name=speaker rate=44100 channels=2")


@dataclass(frozen=True)
class PulseServer:
    """A running PulseAudio, or PipeWire in its place, with two null sinks.

    What is played into ``mic_sink`` (22.05 kHz) is what a program captures, and what a program
    plays can be recorded from ``speaker_source`` (44.1 kHz).
    """

    environment: Mapping[str, str]
    """Variables that make PulseAudio's clients and PortAudio use this server. PortAudio reads its
    devices once per process: run what is tested in a subprocess."""
    mic_sink: str = "mic"
    speaker_source: str = "speaker.monitor"

    def pactl(self, *arguments: str) -> str:
        """Output of a ``pactl`` command."""
        return _pactl(self.environment, *arguments)


def _pactl(environment: Mapping[str, str], *arguments: str) -> str:
    env = {**os.environ, **environment}
    return subprocess.check_output(
        ["pactl", *arguments], env=env, stderr=subprocess.DEVNULL, text=True, timeout=START_S
    )


def missing_for_pulse() -> str:
    """What the PulseAudio tests lack on this machine, or nothing."""
    programs = [p for p in ("pulseaudio", "pactl", "parec", "pacat") if not shutil.which(p)]
    plugins = list(Path("/usr").glob("lib*/**/alsa-lib/libasound_module_pcm_pulse.so"))
    return ", ".join(programs + ([] if plugins else ["the ALSA plug-in for PulseAudio"]))


def missing_for_pipewire() -> str:
    """What the PipeWire tests lack on this machine, or nothing."""
    programs = ("dbus-daemon", "pipewire", "wireplumber", "pipewire-pulse")
    missing = [p for p in programs if not shutil.which(p)]
    return ", ".join(filter(None, [*missing, missing_for_pulse()]))


def _environment(folder: Path, socket: Path) -> dict[str, str]:
    """Variables of a server whose files lie in ``folder``, and of its clients."""
    alsa = folder / "asound.conf"
    alsa.write_text(_ALSA, encoding="utf-8")
    return {
        "XDG_RUNTIME_DIR": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder / 'bus'}",
        "PULSE_RUNTIME_PATH": str(socket.parent),
        "PULSE_STATE_PATH": str(folder),
        "PULSE_COOKIE": str(folder / "cookie"),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_SOURCE": "mic.monitor",
        "PULSE_SINK": "speaker",
        "ALSA_CONFIG_PATH": str(alsa),
    }


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A program that runs while the body does."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=out, stderr=out
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until(ready: Callable[[], bool], name: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > deadline:
            text = log.read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{name} does not start: {text[-2000:]}")
        time.sleep(0.05)


def _answers(environment: Mapping[str, str]) -> bool:
    try:
        _pactl(environment, "info")
    except subprocess.SubprocessError:
        return False
    return True


@contextmanager
def pulse_server(folder: Path) -> Iterator[PulseServer]:
    """Run a private PulseAudio whose files lie in ``folder``.

    Raises:
        RuntimeError: if it does not come up; with its log.
    """
    environment = _environment(folder, folder / "native")
    modules = [
        f"module-native-protocol-unix socket={folder / 'native'} auth-anonymous=1",
        *(f"module-null-sink {sink}" for sink in _SINKS),
    ]
    command = [*_PULSE, *(part for module in modules for part in ("-L", module))]
    log = folder / "pulseaudio.log"
    with _running(command, environment, log):
        _wait_until(lambda: _answers(environment), "PulseAudio", log)
        yield PulseServer(environment)


@contextmanager
def pipewire_server(folder: Path) -> Iterator[PulseServer]:
    """Run a private PipeWire that serves PulseAudio's clients, with a message bus of its own.

    Raises:
        RuntimeError: if it does not come up; with its log.
    """
    environment = _environment(folder, folder / "pulse" / "native")
    bus = ("dbus-daemon", "--session", "--nofork", f"--address=unix:path={folder / 'bus'}")
    # Each with a file that it makes once it answers.
    programs = {bus: "bus", ("pipewire",): "pipewire-0", ("wireplumber",): "state/wireplumber"}
    with ExitStack() as stack:
        for command, sign in programs.items():
            log = folder / f"{command[0]}.log"
            stack.enter_context(_running(command, environment, log))
            _wait_until((folder / sign).exists, command[0], log)
        log = folder / "pipewire-pulse.log"
        stack.enter_context(_running(["pipewire-pulse"], environment, log))
        _wait_until(lambda: _answers(environment), "PipeWire", log)
        for sink in _SINKS:
            _pactl(environment, "load-module", "module-null-sink", *sink.split())
        # The session manager has then seen them, and will connect what plays into them.
        _wait_until(lambda: "Sink: @" not in _pactl(environment, "info"), "WirePlumber", log)
        yield PulseServer(environment)


@contextmanager
def display_server(size: str = "1920x1080x24") -> Iterator[str]:
    """Run Xvfb on a free number; yields the value for ``DISPLAY``.

    Raises:
        RuntimeError: if it does not come up.
    """
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", size, "-nolisten", "tcp"]
    process = subprocess.Popen(
        command, pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    try:
        # Xvfb writes its number when it accepts clients; the end of the file means that it died.
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise RuntimeError(f"Xvfb ended with {process.wait()}")
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()
