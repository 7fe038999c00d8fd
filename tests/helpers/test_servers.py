"""The private sound server and display work as the end-to-end tests need."""

import subprocess
import sys
import textwrap

import pytest

from tests.helpers.servers import PulseServer

# Distance of the bins of a 4410-point FFT at 22.05 kHz.
BIN_HZ = 5.0


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.pulse
def test_portaudio_captures_at_22050_hz_and_plays_at_44100_hz(pulse: PulseServer) -> None:
    out = run_python(
        """
        import sounddevice
        names = [device["name"] for device in sounddevice.query_devices()]
        assert "pulse" in names, names
        with sounddevice.InputStream(device="pulse", samplerate=22050, channels=1) as stream:
            block, overflowed = stream.read(2205)
            assert block.shape == (2205, 1)
            print(stream.samplerate)
        with sounddevice.OutputStream(device="pulse", samplerate=44100, channels=1) as stream:
            stream.write(block)
            print(stream.samplerate)
        """
    )
    assert out.split() == ["22050.0", "44100.0"]


@pytest.mark.pulse
def test_sinks_run_at_the_rates_of_the_live_path(pulse: PulseServer) -> None:
    sinks = pulse.pactl("list", "short", "sinks")
    rates = {line.split("\t")[1]: line.split("\t")[3] for line in sinks.splitlines()}
    assert rates["mic"].endswith("1ch 22050Hz")
    assert rates["speaker"].endswith("2ch 44100Hz")


@pytest.mark.pulse
def test_what_is_played_into_the_microphone_is_captured(pulse: PulseServer) -> None:
    out = run_python(
        f"""
        import subprocess
        import numpy as np
        import sounddevice

        tone = 8000 * np.sin(2 * np.pi * 441 / 22050 * np.arange(4 * 22050))
        play = ["pacat", "--device={pulse.mic_sink}", "--rate=22050", "--channels=1",
                "--format=s16le", "--latency-msec=50"]
        player = subprocess.Popen(play, stdin=subprocess.PIPE)
        player.stdin.write(tone.astype("<i2").tobytes())
        player.stdin.flush()
        with sounddevice.InputStream(device="pulse", samplerate=22050, channels=1) as stream:
            block = np.concatenate([stream.read(2205)[0][:, 0] for _ in range(15)])
        player.kill()
        player.wait()
        print(np.abs(np.fft.rfft(block[-4410:])).argmax() * 22050 / 4410)
        """
    )
    assert abs(float(out) - 441.0) <= BIN_HZ


@pytest.mark.display
def test_qt_opens_a_real_window(display: str) -> None:
    out = run_python(
        """
        from PySide6.QtWidgets import QApplication, QLabel
        app = QApplication([])
        label = QLabel("top octave")
        label.show()
        app.processEvents()
        print(app.platformName(), app.primaryScreen().size().toTuple())
        """
    )
    assert out.strip() == "xcb (1920, 1080)"
