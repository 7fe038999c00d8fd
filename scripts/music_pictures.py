"""Draws what models make of synthesised music: kaiser_fast, each model, the recording.

    .venv/bin/python -m scripts.music_pictures docs/music.png [MODEL ...]

Without models, all that are shipped. Prints what the tests demand: LSD, and the line above
11.5 kHz that stands out most of what was added.
"""

import sys
from pathlib import Path

from models.data.front_end import halved
from models.evaluation.methods import kaiser, model
from models.evaluation.metrics import score
from models.evaluation.plots import png, spectrogram_grid
from realtime.errors import TopoctaveError
from realtime.inference.model_file import find_model, shipped_models
from tests.helpers.signals import MUSIC
from tests.helpers.tonality import loudest_tone

FROM_HZ = 11_500.0


def main() -> int:
    """Draw; returns the exit code."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        infos = [find_model(name) for name in sys.argv[2:]] or shipped_models()
        methods = [kaiser("kaiser_fast"), *(model(i, compute="cpu", threads=1) for i in infos)]
    except TopoctaveError as error:
        print(error, file=sys.stderr)
        return 2
    rows = {}
    for name, make in MUSIC.items():
        recording = make()
        low = halved(recording)
        made = {method.name: method.upsample(low) for method in methods}
        rows[name] = made | {"recording": recording}
        for method, audio in made.items():
            tone = loudest_tone(audio - made["kaiser_fast"], from_hz=FROM_HZ)
            said = f", tone {tone.to_noise_db:.0f} dB in noise at {tone.hz:.0f} Hz" if tone else ""
            print(f"{name} {method}: LSD {score(recording, audio)['lsd']:.2f}{said}")
    Path(sys.argv[1]).write_bytes(png(spectrogram_grid(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
