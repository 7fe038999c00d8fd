"""Exports of every kind of network: gain, silence, and the octave's own exportable."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.export.export import PARITY, export
from models.export.exportable import OCTAVE_HZ, ExportableOctave
from realtime.inference.model_file import find_model
from tests.helpers.models.checkpoints import octave
from tests.helpers.models.unets import assert_delayed, noise, streamed
from tests.models.export.conftest import Exported

# Digital silence: far below half a step of 24 bits.
SILENCE = 1e-8
# Gains are clamped and weights rounded; both effects are inaudible.
GAIN_ERROR_DB = 0.02


def above_db(x: Tensor, y: Tensor) -> float:
    return 10 * float(ExportableOctave(octave()).added(x, y).square().mean().log10())


def test_the_octaves_file_is_the_network_whole_and_streamed(octave_file: Exported) -> None:
    path, metadata = octave_file
    assert metadata["parity"] <= PARITY
    loaded = torch.jit.load(str(path))
    x = 0.3 * noise(2, 1, 40 * 128)
    expected = octave()(x)
    assert expected.shape == (2, 1, 2 * x.shape[2])
    torch.testing.assert_close(loaded(x), expected, rtol=0, atol=PARITY)
    for block in (128, 5 * 128):
        found = streamed(loaded, x, block)
        assert_delayed(found, expected, metadata["latency_samples"], atol=PARITY, skip=0)


def test_the_octaves_metadata_follows_the_design(octave_file: Exported) -> None:
    network, path = octave(), octave_file[0]
    info = find_model(str(path))
    assert (info.front_end, info.kind, info.ratio) == ("none", "streaming", 2)
    assert (info.block_multiple, info.latency_samples) == (256, 448)
    assert info.context_samples == (172 * 256, 512)
    assert info.parameters == sum(p.numel() for p in network.parameters())
    assert info.title == "Octave, width 24"
    assert "| Input | 22050 Hz |" in path.with_suffix(".md").read_text()


def test_the_octaves_16_bit_weights_are_smaller_and_silent(
    octave_file: Exported, tmp_path: Path
) -> None:
    full, metadata = octave_file
    assert metadata["stored"] == "32-bit weights"
    half = export(full.with_name("best.pt"), tmp_path / "half.ts")
    assert half["stored"].startswith("16-bit weights")
    assert (tmp_path / "half.ts").stat().st_size < full.stat().st_size
    loaded = torch.jit.load(str(tmp_path / "half.ts"))
    silence = torch.zeros(1, 1, 4_096)
    assert float(loaded(silence).abs().max()) < SILENCE
    assert float(streamed(loaded, silence, 512).abs().max()) < SILENCE


@pytest.mark.parametrize("gain_db", [-1.0, 0.5])
def test_a_gain_scales_what_the_u_net_adds(tmp_path: Path, exported: Path, gain_db: float) -> None:
    metadata = export(
        exported.with_name("best.pt"), tmp_path / "new.ts", half=False, added_gain_db=gain_db
    )
    assert metadata["added_gain_db"] == gain_db
    assert f"| Gain of what it adds | {gain_db:g} dB |" in (tmp_path / "new.md").read_text()
    old, new = (torch.jit.load(str(path)) for path in (exported, tmp_path / "new.ts"))
    x = 0.3 * noise(1, 1, 12_800)
    gain = 10 ** (gain_db / 20)
    torch.testing.assert_close(new(x) - x, gain * (old(x) - x), rtol=0, atol=PARITY)


def test_a_gain_scales_what_the_octave_adds_and_nothing_below(
    octave_file: Exported, tmp_path: Path
) -> None:
    path = octave_file[0]
    export(path.with_name("best.pt"), tmp_path / "new.ts", half=False, added_gain_db=-2.0)
    x = 0.3 * noise(1, 1, 12_800)
    old, new = (torch.jit.load(str(p))(x) for p in (path, tmp_path / "new.ts"))
    change_db = above_db(x, new) - above_db(x, old)
    assert change_db == pytest.approx(-2.0, abs=GAIN_ERROR_DB)
    hz = torch.fft.rfftfreq(x.shape[2] * 2, 1 / 44_100)
    difference = torch.fft.rfft(new - old)[0, 0].abs()
    assert float(difference[hz < 8_000].mean() / difference[hz > OCTAVE_HZ].mean()) < 1e-2
