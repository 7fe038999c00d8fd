"""Exports of every kind of network: gain, silence, and the octave's own exportable."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.export.export import PARITY, export
from models.export.exportable import OCTAVE_HZ, ExportableOctave, ExportableUNet
from models.networks.registry import build_network
from models.training.config import OctaveConfig
from realtime.errors import SettingsError
from realtime.inference.model_file import find_model
from tests.helpers.models.checkpoints import (
    octave,
    octave_checkpoint,
    quiet_unet,
    streamed,
    write_checkpoint,
)
from tests.helpers.models.unets import noise

# Digital silence: far below half a step of 24 bits.
SILENCE = 1e-8
# Gains are clamped and weights rounded; both effects are inaudible.
GAIN_ERROR_DB = 0.02


def above_db(exportable: ExportableOctave, x: Tensor, y: Tensor) -> float:
    return 10 * float(exportable.added(x, y).square().mean().log10())


def test_the_octaves_file_is_the_network_whole_and_streamed(tmp_path: Path) -> None:
    network = octave()
    metadata = export(octave_checkpoint(tmp_path, network), tmp_path / "octave.ts", half=False)
    assert metadata["parity"] <= PARITY
    x = 0.3 * noise(2, 1, 40 * 128)
    loaded = torch.jit.load(str(tmp_path / "octave.ts"))
    expected = network(x)
    assert expected.shape == (2, 1, 2 * x.shape[2])
    torch.testing.assert_close(loaded(x), expected, rtol=0, atol=PARITY)
    late = metadata["latency_samples"]
    for block in (128, 5 * 128):
        got = streamed(loaded, x, block)[..., late:]
        torch.testing.assert_close(got, expected[..., :-late], rtol=0, atol=PARITY)


def test_the_octaves_metadata_follows_the_design(tmp_path: Path) -> None:
    network = octave()
    export(octave_checkpoint(tmp_path, network), tmp_path / "octave.ts")
    info = find_model(str(tmp_path / "octave.ts"))
    assert (info.front_end, info.kind, info.ratio) == ("none", "streaming", 2)
    assert info.block_multiple == network.block_multiple
    assert info.latency_samples == network.latency_samples
    assert info.context_samples[1] >= info.latency_samples
    assert all(n % info.block_multiple == 0 for n in info.context_samples)
    assert info.parameters == sum(p.numel() for p in network.parameters())
    assert info.title == "Octave, width 24"
    assert "| Input | 22050 Hz |" in (tmp_path / "octave.md").read_text()


def test_the_octaves_weights_are_stored_in_16_bits(tmp_path: Path) -> None:
    path = octave_checkpoint(tmp_path, octave())
    full = export(path, tmp_path / "full.ts", half=False)
    half = export(path, tmp_path / "half.ts")
    assert full["stored"] == "32-bit weights"
    assert half["stored"].startswith("16-bit weights")
    sizes = [(tmp_path / name).stat().st_size for name in ("half.ts", "full.ts")]
    assert sizes[0] < sizes[1]


def test_the_octave_answers_silence_by_silence(tmp_path: Path) -> None:
    export(octave_checkpoint(tmp_path, octave()), tmp_path / "octave.ts")
    loaded = torch.jit.load(str(tmp_path / "octave.ts"))
    silence = torch.zeros(1, 1, 4_096)
    assert float(loaded(silence).abs().max()) < SILENCE
    assert float(streamed(loaded, silence, 512).abs().max()) < SILENCE


@pytest.mark.parametrize("gain_db", [-1.0, 0.5])
def test_a_gain_scales_what_the_u_net_adds(tmp_path: Path, exported: Path, gain_db: float) -> None:
    old = torch.jit.load(str(exported))
    metadata = export(
        exported.with_name("best.pt"), tmp_path / "new.ts", half=False, added_gain_db=gain_db
    )
    assert metadata["added_gain_db"] == gain_db
    assert f"| Gain of what it adds | {gain_db:g} dB |" in (tmp_path / "new.md").read_text()
    new = torch.jit.load(str(tmp_path / "new.ts"))
    x = 0.3 * noise(1, 1, 12_800)
    gain = 10 ** (gain_db / 20)
    torch.testing.assert_close(new(x) - x, gain * (old(x) - x), rtol=0, atol=PARITY)
    late = metadata["latency_samples"]
    delayed = torch.nn.functional.pad(x, [late, 0])[..., :-late]
    ours, theirs = (streamed(m, x, 640) - delayed for m in (new, old))
    torch.testing.assert_close(ours, gain * theirs, rtol=0, atol=PARITY)


def test_a_gain_scales_what_the_octave_adds_and_nothing_below(tmp_path: Path) -> None:
    path = octave_checkpoint(tmp_path, octave())
    export(path, tmp_path / "old.ts", half=False)
    export(path, tmp_path / "new.ts", half=False, added_gain_db=-2.0)
    x = 0.3 * noise(1, 1, 12_800)
    old, new = (torch.jit.load(str(tmp_path / name))(x) for name in ("old.ts", "new.ts"))
    exportable = ExportableOctave(octave())
    change = above_db(exportable, x, new) - above_db(exportable, x, old)
    assert change == pytest.approx(-2.0, abs=GAIN_ERROR_DB)
    hz = torch.fft.rfftfreq(x.shape[2] * 2, 1 / 44_100)
    difference = torch.fft.rfft(new - old)[0, 0].abs()
    assert float(difference[hz < 8_000].mean() / difference[hz > OCTAVE_HZ].mean()) < 1e-2


def test_a_gain_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "c.pt", quiet_unet())
    with pytest.raises(SettingsError, match="added_gain_db must be finite"):
        export(path, tmp_path / "t.ts", added_gain_db=float("nan"))


def test_exportables_leave_their_network_as_it_is() -> None:
    for exportable in (ExportableUNet(quiet_unet()), ExportableOctave(octave())):
        before = {k: v.clone() for k, v in exportable.network.state_dict().items()}
        exportable.amplified(-3.0).rounded().without_dc().module()
        after = exportable.network.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_the_configuration_has_what_the_octave_takes() -> None:
    network = build_network(vars(OctaveConfig()))
    assert sum(p.numel() for p in network.parameters()) < 2_000_000
    x = np.zeros((1, 1, 300), np.float32)
    assert network(torch.from_numpy(x)).shape == (1, 1, 600)
