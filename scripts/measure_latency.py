"""The table of docs/latency.md: what each route to a sound server costs, measured with impulses.

    python -m scripts.measure_latency 300

Runs private sound servers with null sinks, so that no sound card or desktop is needed. PipeWire's
own ALSA plug-in conflicts with Debian's pulseaudio; where it is not installed, unpack the package
and name its library: ``TOPOCTAVE_PIPEWIRE_PLUGIN=/path/libasound_module_pcm_pipewire.so``.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.helpers.servers import PulseServer, pipewire_server, pulse_server

PROJECT = Path(__file__).resolve().parent.parent
PLUGIN = os.environ.get("TOPOCTAVE_PIPEWIRE_PLUGIN") or next(
    (str(p) for p in Path("/usr").glob("lib*/**/libasound_module_pcm_pipewire.so")), ""
)
# Added to an ALSA configuration, this makes PipeWire's plug-in the default device.
_ALSA = """
pcm_type.pipewire {{ lib "{}" }}
pcm.pipewire {{ type pipewire  hint {{ show on  description "PipeWire" }} }}
pcm.!default {{ type pipewire  hint {{ show on  description "PipeWire" }} }}
"""


def measure(server: PulseServer, seconds: str, *options: str, prefix: tuple[str, ...] = ()) -> str:
    """A row: measured and reported ms, devices and total, and faults."""
    command = [*prefix, sys.executable, "-m", "topoctave", "latency", "--model", "octave", "--json"]
    done = subprocess.run(
        [*command, "--block", "512", "--seconds", seconds, *options],
        env={**os.environ, **server.environment, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return f"{done.stderr.splitlines()[-1]} | | | |"
    result = json.loads(done.stdout)
    found, reported = result["measured_ms"], result["reported_ms"]
    reported_devices = reported["device_in"] + reported["device_out"]
    return (
        f"{found['devices']:.1f} | {reported_devices:.1f} | **{found['total']:.1f}** "
        f"| {found['min']:.1f} to {found['max']:.1f} | {result['faults']['total']} |"
    )


def main(seconds: str) -> None:
    """Print the table as it grows."""
    print("| route | devices | reported | in to out | range | faults |", flush=True)
    print("|---|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder, pulse_server(Path(folder)) as server:
        print("| PulseAudio |", measure(server, seconds), flush=True)
    with tempfile.TemporaryDirectory() as folder, pipewire_server(Path(folder)) as server:
        print("| PipeWire, plug-in for PulseAudio |", measure(server, seconds), flush=True)
        if shutil.which("pw-jack"):
            quantum = {"PIPEWIRE_LATENCY": "256/48000"}
            jack = PulseServer({**server.environment, **quantum})
            cable = ("--input", "speaker Audio/Sink", "--output", "speaker Audio/Sink")
            row = measure(jack, seconds, *cable, prefix=("pw-jack",))
            print("| PipeWire, pw-jack, 256 samples |", row, flush=True)
        if PLUGIN:
            alsa = Path(server.environment["ALSA_CONFIG_PATH"])
            with alsa.open("a", encoding="utf-8") as file:
                file.write(_ALSA.format(PLUGIN))
            print("| PipeWire, its own plug-in |", measure(server, seconds), flush=True)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["300"]))
