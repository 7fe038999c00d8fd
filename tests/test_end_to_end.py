"""The whole program with real devices: PortAudio on a private PulseAudio with null sinks."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile

from tests.helpers.servers import PulseServer, missing_for_pulse, pulse_server

pytestmark = [pytest.mark.pulse, pytest.mark.timeout(600)]

# The virtual cable is digital. The engine follows clocks that drift: a piece in which it does so is
# off by up to half a sample. Measured: 0.983 to 0.995, and 0.997 without drift.
MIN_CORRELATION = 0.97
PIECE_SAMPLES = 2_048
MAX_DRIFT_SAMPLES = 8
PAUSE = 0.01
MAX_BAND_DIFFERENCE_DB = 3.0
# Output samples per block of each take: 1024 is the default. A take that fails is repeated with
# longer blocks, which wait for a busy machine; 8192 last 186 ms.
BLOCKS = (1_024, 1_024, 4_096, 8_192)
# A sink of PulseAudio that slept may begin to play two seconds late: earlier audio is lost.
WAKE_S = 3.0
# Interruptions of the program, in seconds.
STALLS, STALL_S, BETWEEN_STALLS_S = 40, 0.02, 0.15
RECORD = ["--format=float32le", "--rate=44100", "--channels=2", "--latency-msec=20"]


def topoctave(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "topoctave", *arguments]


def environment(pulse: PulseServer, project: Path) -> dict[str, str]:
    return {**os.environ, **pulse.environment, "PYTHONPATH": str(project)}


@contextmanager
def running(env: dict[str, str], folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``topoctave live`` in a process of its own, from when its devices are open."""
    live = subprocess.Popen(
        topoctave("live", *options),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    try:
        assert live.stderr is not None
        # Printed when the devices are open and the model is warm.
        while "Ctrl-C stops" not in (line := live.stderr.readline()):
            assert line, "topoctave live ended early"
        yield live
    finally:
        live.kill()


def band_level_db(audio: np.ndarray, low_hz: float, high_hz: float) -> float:
    hz, power = scipy.signal.welch(audio, 44_100, nperseg=2048)
    return float(10 * np.log10(power[(hz > low_hz) & (hz < high_hz)].mean()))


def followed(recorded: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The part of ``recorded`` most like ``wanted``, piece by piece: the clocks drift."""
    correlation = scipy.signal.correlate(recorded, wanted, "valid", method="fft")
    at = int(np.argmax(np.abs(correlation)))
    pieces = []
    for start in range(0, len(wanted), PIECE_SAMPLES):
        piece = wanted[start : start + PIECE_SAMPLES]
        first = max(at + start - MAX_DRIFT_SAMPLES, 0)
        near = recorded[first : at + start + len(piece) + MAX_DRIFT_SAMPLES]
        # A pause has no position.
        if np.abs(piece).max() > PAUSE:
            at = first + int(np.argmax(scipy.signal.correlate(near, piece, "valid"))) - start
        pieces.append(recorded[at + start : at + start + len(piece)])
    return np.concatenate(pieces)


def play_demo(
    pulse: PulseServer, project: Path, folder: Path, block: int
) -> tuple[dict[str, Any], np.ndarray]:
    """The summary of one run of ``topoctave live`` on the demo clip, and what it played."""
    env = environment(pulse, project)
    raw = folder / "speaker.raw"
    with raw.open("wb") as out:
        recorder = subprocess.Popen(
            ["parec", "-d", pulse.speaker_source, *RECORD], env=env, stdout=out
        )
        try:
            with running(env, folder, "--json", "--block", str(block)) as live:
                time.sleep(WAKE_S)
                play = ["paplay", "-d", pulse.mic_sink, str(project / "assets" / "demo.wav")]
                subprocess.run(play, env=env, check=True)
                time.sleep(0.5)
                live.terminate()
                summary, _ = live.communicate(timeout=30)
        finally:
            recorder.terminate()
            recorder.wait()
    assert live.returncode == 0
    return json.loads(summary), np.fromfile(raw, np.float32).reshape(-1, 2)


def test_a_virtual_microphone_comes_out_of_the_virtual_speaker_restored(
    pulse, project, tmp_path
) -> None:
    enhanced = tmp_path / "enhanced.wav"
    command = topoctave("enhance", str(project / "assets" / "demo.wav"), str(enhanced))
    subprocess.run(command, env=environment(pulse, project), check=True, cwd=tmp_path)
    wanted, _ = soundfile.read(enhanced, dtype="float32")
    for block in BLOCKS:
        summary, recorded = play_demo(pulse, project, tmp_path, block)
        np.testing.assert_array_equal(recorded[:, 0], recorded[:, 1])
        got = followed(recorded[:, 0], wanted)
        correlation = np.corrcoef(got, wanted)[0, 1]
        # On a busy machine the engine counts faults, or the sound server's clocks jump.
        if correlation >= MIN_CORRELATION and not any(summary["xruns"].values()):
            break
    assert correlation >= MIN_CORRELATION, summary
    difference = band_level_db(got, 12_000, 16_000) - band_level_db(wanted, 12_000, 16_000)
    assert abs(difference) <= MAX_BAND_DIFFERENCE_DB
    assert summary["latency_ms"]["device_in"] > 0


def test_devices_lists_those_of_the_sound_server(pulse, project) -> None:
    command, env = topoctave("devices", "--json"), environment(pulse, project)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    devices = {d["name"]: d for d in json.loads(done.stdout)["devices"]}
    assert devices["pulse"]["accepts_22050_in"]
    assert devices["pulse"]["accepts_44100_out"]
    assert devices["pulse"]["host_api"] == "ALSA"
    assert done.stderr == ""


def test_a_lost_sound_server_ends_in_one_line(project, tmp_path) -> None:
    if missing := missing_for_pulse():
        pytest.skip(f"missing {missing}")
    (tmp_path / "server").mkdir()
    with ExitStack() as server:
        pulse = server.enter_context(pulse_server(tmp_path / "server"))
        env = environment(pulse, project)
        with running(env, tmp_path, "--input", "pulse", "--output", "null") as live:
            time.sleep(1.0)
            # As when a device is pulled out.
            server.close()
            _, rest = live.communicate(timeout=30)
    assert live.returncode == 2
    assert rest == "topoctave: pulse went away\n"


def test_a_program_that_is_interrupted_again_and_again_plays_on(pulse, project, tmp_path) -> None:
    """Each interruption is longer than a short block's prefill. The device's buffer plays on."""
    options = ("--model", "octave", "--block", "512", "--json")
    with running(environment(pulse, project), tmp_path, *options) as live:
        time.sleep(WAKE_S)
        for _ in range(STALLS):
            time.sleep(BETWEEN_STALLS_S)
            live.send_signal(signal.SIGSTOP)
            time.sleep(STALL_S)
            live.send_signal(signal.SIGCONT)
        time.sleep(BETWEEN_STALLS_S)
        live.terminate()
        summary, _ = live.communicate(timeout=30)
    done = json.loads(summary)
    # Without that buffer every third interruption would be a fault. A busy machine may add a few.
    assert done["xruns"]["ring_underrun"] <= STALLS // 8, done
