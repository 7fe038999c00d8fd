"""Makes assets/demo.wav with espeak-ng, which synthesises at 22.05 kHz.

The sentences are full of s, sh, f and t, whose energy lies above 11 kHz. Run it from any folder:
``python scripts/make_demo.py``.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

TEXT = (
    "Sixty swift ships slipped past the misty shore. "
    "She whispers softly: fresh fish, sharp scissors, thick thistles. "
    "This speech stops short; switch, and listen to its crispness."
)
VOICE = "en-gb"
WORDS_PER_MINUTE = 168
PITCH = 42
SAMPLE_RATE_HZ = 22_050
PEAK_DB = -3.0
PAUSE_SAMPLES = SAMPLE_RATE_HZ // 5


def speak(path: Path) -> None:
    """Let espeak-ng write a 22.05 kHz WAV."""
    command = ["espeak-ng", "-v", VOICE, "-s", str(WORDS_PER_MINUTE), "-p", str(PITCH)]
    subprocess.run([*command, "-w", str(path), TEXT], check=True)


def main() -> int:
    """Write the clip; returns the exit code."""
    target = Path(__file__).resolve().parent.parent / "assets" / "demo.wav"
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        try:
            speak(spoken)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"espeak-ng failed: {error}", file=sys.stderr)
            return 2
        audio, rate = soundfile.read(spoken)
    if rate != SAMPLE_RATE_HZ or audio.ndim != 1:
        print(f"espeak-ng gave {rate} Hz, {audio.ndim} axes", file=sys.stderr)
        return 2
    loud = np.flatnonzero(np.abs(audio) > 1e-3)
    audio = np.pad(audio[loud[0] : loud[-1] + 1], PAUSE_SAMPLES)
    audio *= 10 ** (PEAK_DB / 20) / np.abs(audio).max()
    # Rounded here, because libsndfile versions may round differently.
    samples = np.round(audio * 32_767).astype(np.int16)
    soundfile.write(target, samples, rate, subtype="PCM_16")
    print(f"{target.name}: {len(samples) / rate:.2f} s at {rate} Hz")
    return 0


if __name__ == "__main__":
    sys.exit(main())
