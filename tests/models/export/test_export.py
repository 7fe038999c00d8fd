"""Exported model files: the trained network, whole and streamed; complete or not written."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import models.export.export
import models.export.exportable
from models.errors import CheckpointError
from models.export.export import PARITY, export
from models.export.fold_batch_norm import fold_batch_norm
from models.export.remove_dc import dc_offset, without_dc
from realtime.errors import ModelFileError
from realtime.inference.model_file import find_model
from tests.helpers.models.checkpoints import (
    ADDED,
    METRICS,
    quiet_unet,
    rendered,
    streamed,
    write_checkpoint,
)
from tests.helpers.models.unets import noise

# A third of half a step of 24 bits; what is left is rounding, another on every kind of processor.
SILENCE = 2e-8


@pytest.mark.parametrize("length", [70, 128, 1_000, 12_800])
def test_the_model_file_is_the_network_as_trained(exported: Path, length: int) -> None:
    x = 0.3 * noise(2, 1, length)
    loaded = torch.jit.load(str(exported))
    expected = without_dc(quiet_unet())(x)
    assert float((expected - x).std()) > ADDED / 10  # the network does something
    torch.testing.assert_close(loaded(x), expected, rtol=0, atol=PARITY)


@pytest.mark.parametrize("windowed", [False, True], ids=["streaming", "windowed"])
@pytest.mark.parametrize("block", [256, 1_024])
def test_digital_silence_gives_digital_silence_from_the_first_sample_on(
    exported: Path, windowed: bool, block: int
) -> None:
    assert abs(dc_offset(quiet_unet())) > 1e-3  # as trained it has a DC offset
    out = rendered(exported, np.zeros((1, 6_000), np.float32), block, windowed=windowed)
    assert out.shape == (1, 12_000)
    assert np.abs(out).max() < SILENCE


def test_silence_after_a_sound_is_silent_again(exported: Path, rng: np.random.Generator) -> None:
    x = np.zeros((1, 8_000), np.float32)
    x[0, :4_000] = rng.normal(0.0, 0.1, 4_000)
    out = rendered(exported, x, 512)
    assert np.abs(out[:, :8_000]).max() > 0.1
    # From here on neither network (764 samples) nor filter (46) reaches back to the sound.
    assert np.abs(out[:, 8_000 + 764 + 46 :]).max() < SILENCE


def test_aligned_corners_cannot_stream_and_are_exported_windowed(
    aligned: tuple[Path, dict[str, Any]],
) -> None:
    path, metadata = aligned
    assert (metadata["kind"], metadata["latency_samples"]) == ("windowed", 640)
    x = 0.3 * noise(1, 1, 1_000)
    expected = without_dc(quiet_unet(align_corners=True))(x)
    torch.testing.assert_close(torch.jit.load(str(path))(x), expected, rtol=0, atol=PARITY)


@pytest.mark.parametrize("block", [128, 384, 1_024])
def test_the_exported_stream_is_the_whole_signal_637_samples_late(
    exported: Path, block: int
) -> None:
    loaded = torch.jit.load(str(exported))
    x = 0.3 * noise(1, 1, 12 * block)
    late = find_model(str(exported)).latency_samples
    assert late == 637
    found = streamed(loaded, x, block)[..., late:][..., 764:]
    expected = without_dc(quiet_unet())(x)[..., : x.shape[2] - late][..., 764:]
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=0, atol=PARITY)


def test_averaged_weights_are_exported_where_there_are_some(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(
        tmp_path / "c.pt", quiet_unet(), network=quiet_unet(seed=7).state_dict(), averaged=None
    )
    export(checkpoint, tmp_path / "tiny.ts", half=False)
    x = 0.3 * noise(1, 1, 1_000)
    loaded = torch.jit.load(str(tmp_path / "tiny.ts"))
    torch.testing.assert_close(loaded(x), without_dc(quiet_unet(seed=7))(x), rtol=0, atol=PARITY)


def test_batch_norm_is_removed_and_the_network_unchanged() -> None:
    network = quiet_unet()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    folded = fold_batch_norm(network)
    assert not any(isinstance(m, nn.BatchNorm1d) for m in folded.modules())
    assert all(p.dtype == torch.float32 for p in folded.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_same_checkpoint_gives_the_same_bytes(
    half: tuple[Path, dict[str, Any]], checkpoint: Path, tmp_path: Path
) -> None:
    export(checkpoint, tmp_path / "two.ts", name="tiny", title="Tiny", metrics=METRICS)
    assert half[0].read_bytes() == (tmp_path / "two.ts").read_bytes()


def test_a_network_that_came_out_different_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "tiny.ts"
    out.write_bytes(b"the old one")
    other = models.export.exportable.StreamingUNet(quiet_unet(seed=5))
    monkeypatch.setattr(models.export.exportable, "StreamingUNet", lambda _: other)
    with pytest.raises(ModelFileError, match="differs from the trained one"):
        export(checkpoint, out)
    assert out.read_bytes() == b"the old one"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best.pt", "tiny.ts"]


def test_a_stream_that_is_out_of_step_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.export.exportable, "LOOK_AHEAD_SAMPLES", 636)
    with pytest.raises(ModelFileError, match="differs from the trained one"):
        export(checkpoint, tmp_path / "tiny.ts")
    assert not (tmp_path / "tiny.ts").exists()


def test_weights_that_are_not_numbers_are_not_written(tmp_path: Path) -> None:
    network = quiet_unet()
    with torch.no_grad():
        network.final.bias.fill_(math.nan)
    checkpoint = write_checkpoint(tmp_path / "c.pt", network)
    with pytest.raises(ModelFileError, match="differs"):
        export(checkpoint, tmp_path / "tiny.ts")
    assert not (tmp_path / "tiny.ts").exists()


@pytest.mark.parametrize("out", ["tiny.pt", "tiny", "Tiny.ts", "ti ny.ts", "nowhere/tiny.ts"])
def test_wrong_names_and_places_are_refused(checkpoint: Path, tmp_path: Path, out: str) -> None:
    with pytest.raises(ModelFileError, match=r"name\.ts|no folder"):
        export(checkpoint, tmp_path / out)


def test_weights_that_do_not_fit_their_configuration_are_refused(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(
        tmp_path / "c.pt", quiet_unet(), averaged=quiet_unet(width=1).state_dict()
    )
    with pytest.raises(CheckpointError, match="do not fit"):
        export(checkpoint, tmp_path / "t.ts")
