"""What every training here starts from."""

from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """``train`` and ``val`` with short full-band sounds."""
    for name, count in (("train", 3), ("val", 2)):
        (tmp_path / name).mkdir()
        for i in range(count):
            audio = rng.normal(0.0, 0.1, 8_000 + 1_000 * i) * np.hanning(8_000 + 1_000 * i)
            soundfile.write(tmp_path / name / f"{i}.wav", audio, 44_100, subtype="FLOAT")
    return tmp_path
