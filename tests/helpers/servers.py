"""A private sound server and display, so that real devices and windows are tested."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


@dataclass(frozen=True)
class PulseServer:
    """A running PulseAudio with two null sinks.

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
        env = {**os.environ, **self.environment}
        return subprocess.check_output(
            ["pactl", *arguments], env=env, stderr=subprocess.DEVNULL, text=True, timeout=START_S
        )


def missing_for_pulse() -> str:
    """What the PulseAudio tests lack on this machine, or nothing."""
    programs = [p for p in ("pulseaudio", "pactl", "parec", "pacat") if not shutil.which(p)]
    plugins = list(Path("/usr").glob("lib*/**/alsa-lib/libasound_module_pcm_pulse.so"))
    return ", ".join(programs + ([] if plugins else ["the ALSA plug-in for PulseAudio"]))


@contextmanager
def pulse_server(folder: Path) -> Iterator[PulseServer]:
    """Run a private PulseAudio whose files lie in ``folder``.

    Raises:
        RuntimeError: if it does not come up; with its log.
    """
    socket, alsa, log = folder / "native", folder / "asound.conf", folder / "pulseaudio.log"
    alsa.write_text(_ALSA, encoding="utf-8")
    environment = {
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_RUNTIME_PATH": str(folder),
        "PULSE_STATE_PATH": str(folder),
        "PULSE_COOKIE": str(folder / "cookie"),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_SOURCE": "mic.monitor",
        "PULSE_SINK": "speaker",
        "ALSA_CONFIG_PATH": str(alsa),
    }
    modules = [
        f"module-native-protocol-unix socket={socket} auth-anonymous=1",
        "module-null-sink sink_name=mic rate=22050 channels=1",
        "module-null-sink sink_name=speaker rate=44100 channels=2",
    ]
    command = [*_PULSE, *(part for module in modules for part in ("-L", module))]
    server = PulseServer(environment)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                server.pactl("info")
                break
            except subprocess.SubprocessError:
                if process.poll() is not None or time.monotonic() > deadline:
                    text = log.read_text(encoding="utf-8", errors="replace")
                    raise RuntimeError(f"PulseAudio does not start: {text[-2000:]}") from None
                time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
