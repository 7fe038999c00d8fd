"""The stage after the training: mirrored harmonics, and what it may change."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from models.networks.unet import UNet
from scripts.unet import mirror_tones
from scripts.unet.mirror_tones import (
    CHORD_SAMPLES,
    lines_to_noise,
    mirrored_lines,
    train_last_block,
)


def test_mirrored_harmonics_are_lines_and_others_are_not() -> None:
    hz = np.array([[261.63, 329.63]])
    lines = mirrored_lines(hz)
    t = torch.arange(CHORD_SAMPLES, dtype=torch.float64) / 44_100
    noise = 1e-3 * torch.randn(1, CHORD_SAMPLES, generator=torch.Generator().manual_seed(0))
    mirrored, own = (
        0.1 * torch.sin(2 * torch.pi * at * t)[None].float() + noise
        for at in (22_050 - 38 * 261.63, 46 * 261.63)
    )
    assert lines_to_noise(mirrored, lines) > 2
    assert lines_to_noise(own, lines) < -2


def test_only_the_last_block_is_trained(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SEGMENTS", "CHORDS", "BATCH", "CHORD_BATCH", "STEPS"):
        monkeypatch.setattr(mirror_tones, name, 2)
    monkeypatch.setattr(mirror_tones, "SEGMENT_SAMPLES", 8_192)
    soundfile.write(tmp_path / "noise.wav", 0.1 * rng.standard_normal(60_000), 44_100)
    network = UNet(width=2).eval().requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    train_last_block(network, tmp_path)
    changed = {n for n, v in network.state_dict().items() if not torch.equal(v, before[n])}
    assert {"final.weight", "up.6.conv.0.weight", "up.6.conv.4.weight"} <= changed
    assert all(name.startswith(("up.6.conv.", "final.")) for name in changed)
    assert not any("running" in name for name in changed)
