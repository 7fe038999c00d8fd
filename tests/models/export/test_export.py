"""Exported model files: the trained network, whole and streamed; complete or not written."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

import models.export.exportable
from models.errors import CheckpointError
from models.export.export import PARITY, export
from models.export.remove_dc import dc_offset, without_dc
from realtime.errors import ModelFileError, SettingsError
from tests.helpers.models.checkpoints import (
    ADDED,
    METRICS,
    quiet_unet,
    write_checkpoint,
)
from tests.helpers.models.unets import noise, streamed
from tests.models.export.conftest import Exported

# A third of half a step of 24 bits; what is left is rounding, another on every kind of processor.
SILENCE = 2e-8


@pytest.mark.parametrize("length", [70, 128, 12_800])
def test_the_model_file_is_the_network_as_trained(
    exported: Path, aligned: Exported, length: int
) -> None:
    x = 0.3 * noise(2, 1, length)
    for path, align_corners in ((exported, False), (aligned[0], True)):
        expected = without_dc(quiet_unet(align_corners=align_corners))(x)
        assert float((expected - x).std()) > ADDED / 10  # the network does something
        torch.testing.assert_close(torch.jit.load(str(path))(x), expected, rtol=0, atol=PARITY)


def test_aligned_corners_cannot_stream_and_are_exported_windowed(aligned: Exported) -> None:
    assert (aligned[1]["kind"], aligned[1]["latency_samples"]) == ("windowed", 640)
    assert not hasattr(torch.jit.load(str(aligned[0])), "stream")


def test_digital_silence_gives_digital_silence_from_the_first_sample_on(
    exported: Path, half: Exported
) -> None:
    assert abs(dc_offset(quiet_unet())) > 1e-3  # as trained it has a DC offset
    silence = torch.zeros(1, 1, 12_800)
    for path in (exported, half[0]):
        loaded = torch.jit.load(str(path))
        for out in (loaded(silence)[:, :, 1_000:-1_000], streamed(loaded, silence, 256)):
            assert out.abs().max() < SILENCE


def test_the_same_checkpoint_gives_the_same_bytes(
    half: Exported, checkpoint: Path, tmp_path: Path
) -> None:
    export(checkpoint, tmp_path / "two.ts", name="tiny", title="Tiny", metrics=METRICS)
    assert half[0].read_bytes() == (tmp_path / "two.ts").read_bytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StreamingUNet", lambda _: models.export.streaming_unet.StreamingUNet(quiet_unet(5))),
        ("LOOK_AHEAD_SAMPLES", 636),
    ],
    ids=["another network", "a stream out of step"],
)
def test_a_network_that_came_out_different_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    out = tmp_path / "tiny.ts"
    out.write_bytes(b"the old one")
    monkeypatch.setattr(models.export.exportable, name, value)
    with pytest.raises(ModelFileError, match="differs from the trained one"):
        export(checkpoint, out)
    assert out.read_bytes() == b"the old one"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best.pt", "tiny.ts"]


def test_weights_that_are_not_numbers_are_not_written(tmp_path: Path) -> None:
    network = quiet_unet()
    network.final.bias.fill_(math.nan)
    checkpoint = write_checkpoint(tmp_path / "c.pt", network)
    with pytest.raises(ModelFileError, match="differs"):
        export(checkpoint, tmp_path / "tiny.ts")
    assert not (tmp_path / "tiny.ts").exists()


@pytest.mark.parametrize("out", ["tiny.pt", "tiny", "Tiny.ts", "ti ny.ts", "nowhere/tiny.ts"])
def test_wrong_names_and_places_are_refused(tmp_path: Path, out: str) -> None:
    with pytest.raises(ModelFileError, match=r"name\.ts|no folder"):
        export(tmp_path / "best.pt", tmp_path / out)


def test_what_a_checkpoint_cannot_become_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.ts"
    with pytest.raises(SettingsError, match="added_gain_db must be finite"):
        export(checkpoint, out, added_gain_db=math.nan)
    with pytest.raises(ModelFileError, match="JSON"):
        export(checkpoint, out, metrics={"lsd": math.nan})
    narrower = quiet_unet(width=1).state_dict()
    with pytest.raises(CheckpointError, match="do not fit"):
        export(write_checkpoint(tmp_path / "c.pt", quiet_unet(), averaged=narrower), out)
    assert not out.exists()
