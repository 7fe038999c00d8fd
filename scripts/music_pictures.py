"""Draws spectrograms of synthetic music: kaiser_fast, each model, and the original.

    .venv/bin/python -m scripts.music_pictures docs/music.png [MODEL ...]

By default it takes all shipped models. It prints the measures that tests limit: LSD, and the most
prominent tone above 11.5 kHz in what a model added.
"""

import sys
from pathlib import Path

from models.data.front_end import halved
from models.evaluation.methods import kaiser, model
from models.evaluation.metrics import score
from models.evaluation.plots import png, spectrogram_grid
from realtime.errors import TopoctaveError
from realtime.inference.model_file import find_model, shipped_models
from tests.helpers.models.tonality import loudest_tone
from tests.helpers.signals import MUSIC

FROM_HZ = 11_500.0


def main() -> int:
    """Draw the picture; returns the exit code."""
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
            found = f", tone {tone.to_noise_db:.0f} dB in noise at {tone.hz:.0f} Hz" if tone else ""
            print(f"{name} {method}: LSD {score(recording, audio)['lsd']:.2f}{found}")
    Path(sys.argv[1]).write_bytes(png(spectrogram_grid(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
