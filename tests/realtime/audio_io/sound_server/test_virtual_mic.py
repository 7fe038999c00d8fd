"""The virtual microphone, as other programs see it, and what a run leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from realtime.audio_io.sound_server.pulse import NullSink, owner, remove_leftovers
from realtime.audio_io.sound_server.virtual_mic import DRIVERS, open_virtual_mic
from realtime.errors import DeviceError
from tests.helpers.servers import PulseServer

MODEL = ("--model", "octave")
SINK = ("topoctave_output", "Topoctave", "topoctave")
# The clip is a file and follows the output's clock. PulseAudio passes it on to the bit; PipeWire
# converts to 48 kHz and back, and so delays by a fraction of a sample: 0.9995.
MIN_CORRELATION = 0.99
# How long a program may take to start, or to end, on a busy machine.
SOON_S = 60.0
# How runs end. 20 starts, 6 of them killed, take two minutes: TOPOCTAVE_STARTS=20.
ENDS = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP, signal.SIGKILL, None)
STARTS = int(os.environ.get("TOPOCTAVE_STARTS", len(ENDS)))
MAKE_SINK = (
    "from realtime.audio_io.sound_server.pulse import NullSink; import time;"
    f"NullSink{SINK}; print('made', flush=True); time.sleep(600)"
)


def ours(pulse: PulseServer) -> str:
    """The lines of our modules."""
    lines = pulse.pactl("list", "short", "modules").splitlines()
    return "\n".join(line for line in lines if "topoctave" in line)


@contextmanager
def live(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``topoctave live --virtual-mic``, from when its devices are open."""
    command = [sys.executable, "-W", "ignore", "-m", "topoctave", "live", "--virtual-mic"]
    env = os.environ | {"PYTHONPATH": str(Path.cwd())}
    pipe = subprocess.PIPE
    running = subprocess.Popen(
        [*command, *options], env=env, stdout=pipe, stderr=pipe, text=True, cwd=folder
    )
    try:
        assert running.stderr is not None
        while "Ctrl-C stops" not in (line := running.stderr.readline()):
            assert line, "topoctave live ended early"
        yield running
    finally:
        running.kill()
        running.communicate()


def best_correlation(recorded: np.ndarray, wanted: np.ndarray) -> float:
    """Of the most similar part, with a delay of any fraction of a sample."""
    found = scipy.signal.correlate(recorded, wanted, "valid", method="fft")
    at = int(np.argmax(found))
    ours, theirs = np.fft.rfft(wanted), np.fft.rfft(recorded[at : at + len(wanted)])
    cycles = np.fft.rfftfreq(len(wanted))
    product, power = theirs * ours.conj(), np.square(np.abs([ours, theirs])).sum(axis=1)
    shifts = np.linspace(-1.0, 1.0, 41)
    best = max(float((product * np.exp(2j * np.pi * cycles * d)).real.sum()) for d in shifts)
    return best / float(np.sqrt(power.prod()))


@pytest.mark.pulse
@pytest.mark.timeout(600)
def test_another_program_records_the_restored_sound(
    pulse: PulseServer, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    clip, wanted = project / "assets" / "demo.wav", tmp_path / "enhanced.wav"
    enhance = [sys.executable, "-m", "topoctave", "enhance", str(clip), str(wanted), *MODEL]
    subprocess.run(enhance, check=True, capture_output=True)
    enhanced, _ = soundfile.read(wanted, dtype="float32")
    raw = tmp_path / "recorded.raw"
    record = ["parec", "-d", "topoctave", "--format=float32le", "--rate=44100", "--channels=2"]
    for block in (1_024, 4_096, 8_192):
        options = ("--input", str(clip), "--loop", *MODEL, "--block", str(block), "--json")
        with raw.open("wb") as out, live(tmp_path, *options) as running:
            sources = pulse.pactl("list", "sources")
            assert re.findall(r"Description: Topoctave$", sources, re.MULTILINE)
            with subprocess.Popen(record, stdout=out) as recorder:
                time.sleep(5.0 + len(enhanced) / 44_100)
                recorder.terminate()
            running.terminate()
            summary, _ = running.communicate(timeout=SOON_S)
        assert running.returncode == 0
        # Repeated only after a fault, on a busy machine.
        if not any(json.loads(summary)["xruns"].values()):
            break
    recorded = np.fromfile(raw, np.float32).reshape(-1, 2)
    np.testing.assert_array_equal(recorded[:, 0], recorded[:, 1])
    # Each second by itself: a busy server may leave out a moment, and shift the rest.
    seconds = [enhanced[at : at + 44_100] for at in range(22_050, len(enhanced) - 44_100, 44_100)]
    found = [best_correlation(recorded[:, 0], second) for second in seconds]
    assert np.median(found) >= MIN_CORRELATION, found
    assert ours(pulse) == ""


@pytest.mark.pulse
@pytest.mark.timeout(900)
def test_no_module_is_left_however_runs_end(
    pulse: PulseServer, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    # The last run ends by itself.
    for end in [*(ENDS[number % len(ENDS)] for number in range(STARTS - 1)), None]:
        with live(tmp_path, *MODEL, "--seconds", "1", "--input", "demo") as running:
            # One sink and one source: those of a killed run are gone.
            assert len(ours(pulse).splitlines()) == 2
            if end is not None:
                running.send_signal(end)
            running.communicate(timeout=SOON_S)
        if end != signal.SIGKILL:
            assert running.returncode == 0
            assert ours(pulse) == ""
    assert ours(pulse) == ""


@pytest.mark.pulse
def test_only_the_leftovers_of_dead_processes_are_removed(
    pulse: PulseServer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    with subprocess.Popen([sys.executable, "-c", MAKE_SINK], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            assert remove_leftovers() == 0
            mine = NullSink(*SINK)
            # Another name, where the server would let both have one.
            assert (mine.name, mine.source) == ("topoctave_output.2", "topoctave.2")
            assert len(ours(pulse).splitlines()) == 4
            mine.close()
            mine.close()
            assert len(ours(pulse).splitlines()) == 2
        finally:
            other.kill()
    # A process of another namespace may live; that it is not found here says nothing.
    mark = f"1.{other.pid}.1"
    kept = pulse.pactl(
        *("load-module", "module-null-sink", "sink_name=topoctave_container"),
        f'sink_properties="topoctave.owner={mark}"',
    )
    assert remove_leftovers() == 2
    assert [line.split("\t")[0] for line in ours(pulse).splitlines()] == [kept.strip()]
    pulse.pactl("unload-module", kept.strip())


@pytest.mark.pulse
def test_the_default_microphone_is_never_our_own(pulse: PulseServer) -> None:
    first = NullSink(*SINK)
    assert first.other_source == "mic.monitor"
    pulse.pactl("set-default-source", first.source)
    second = NullSink(*SINK)
    assert second.other_source not in {first.source, f"{first.name}.monitor", second.source}
    second.close()
    first.close()
    pulse.pactl("set-default-source", "mic.monitor")


def test_a_mark_ends_with_its_process() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        mark = owner(process.pid)
        assert mark.split(".")[:2] == [owner(os.getpid()).split(".")[0], str(process.pid)]
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        # A zombie.
        assert owner(process.pid) == ""
    assert owner(process.pid) == ""


@pytest.mark.parametrize("platform", [*DRIVERS, "sunos"])
def test_without_a_driver_one_line_says_where_to_get_it(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("realtime.audio_io.sound_server.virtual_mic.list_devices", lambda **_: [])
    with pytest.raises(DeviceError, match="https://" if platform in DRIVERS else "no driver"):
        open_virtual_mic()


def test_without_a_sound_server_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nonexistent")
    with pytest.raises(DeviceError, match="sound server"):
        NullSink(*SINK)
