"""``make train-gpu`` in miniature, on the CPU."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import models.export.pruning
from realtime.inference.model_file import read_model_info
from scripts.unet.train import main


def test_a_training_ends_with_a_scored_model_file(
    tmp_path: Path,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(models.export.pruning, "SEGMENTS", 2)
    monkeypatch.setattr(models.export.pruning, "SEGMENT_SAMPLES", 8_192)
    recordings = tmp_path / "recordings" / "studio"
    recordings.mkdir(parents=True)
    for i in range(2):
        soundfile.write(recordings / f"{i}.wav", 0.1 * rng.standard_normal(60_000), 44_100)
    folder = tmp_path / "run"
    arguments = ["--device", "cpu", "--width", "2", "--batch", "2", "--segment", "8192"]
    arguments += ["--minutes", "0.05", "--folder", str(folder), "--studios"]
    main([*arguments, str(recordings.parent), "1", "--validation", str(recordings)])
    info = read_model_info(folder / "unet.ts")
    assert info.kind == "streaming"
    assert "RAVDESS" in info.licence
    assert torch.load(folder / "final.pt", weights_only=True)["step"] > 0
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert np.isfinite(rows[-1]["val/loss/total"])
    assert "kaiser_fast" in capsys.readouterr().out
