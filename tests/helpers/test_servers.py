"""The private sound server and display work as the end-to-end tests need."""

import pytest

from tests.helpers.cli import printed

# Distance of the bins of a 4410-point FFT at 22.05 kHz.
BIN_HZ = 5.0


@pytest.mark.pulse
def test_what_is_played_into_the_microphone_is_captured(pulse) -> None:
    sinks = [line.split("\t") for line in pulse.pactl("list", "short", "sinks").splitlines()]
    assert [(sink[1], sink[3].split()[-1]) for sink in sinks] == [
        ("mic", "22050Hz"),
        ("speaker", "44100Hz"),
    ]
    out = printed(
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
def test_qt_opens_a_real_window(display) -> None:
    out = printed(
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
