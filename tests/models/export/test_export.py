"""Exported model files: the network as trained, its metadata, and all or nothing."""

import json
import math
import re
import zipfile
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
from models.export.half_precision import error_db, round_bits
from models.export.remove_dc import dc_offset, without_dc
from models.networks.unet import UNet
from models.training.checkpoint import save_atomically
from realtime.errors import ModelFileError
from realtime.files.enhance import render
from realtime.inference.load import load_chain
from realtime.inference.model_file import find_model, read_metadata
from tests.models.networks.test_unet import noise, trained_like

# Standard deviation of what the tests' network adds to noise; unet-small adds 1e-3 to 3e-3.
ADDED = 2e-3
# A third of half a step of 24 bits; what is left is rounding, another on every kind of processor.
SILENCE = 2e-8

# What model files name. torch 2.11 does not load a file with torch 2.13's upsample_lanczos2d, which
# torch.nn.functional.interpolate brings along.
OPERATORS = """
abs add add_ addcmul addcmul_ addr append arange as_strided baddbmm bitwise_and bmm cat clamp
contiguous conv1d device div eq expand expm1 fft_irfft fft_rfft flatten floordiv format gt
index_select layer_norm le len lerp linear log10 log1p lt max_pool1d mm mul narrow ne neg
new_zeros nn.functional.pad nn.functional.relu pad permute pop relu relu_ remainder
repeat_interleave reshape select sigmoid size slice split square storage_offset sub sum t to
transpose unfold unsqueeze upsample_linear1d view view_as_complex view_as_real zeros zeros_like
"""
KNOWN_TO_TORCH_2_6 = set(OPERATORS.split())


def unet(seed: int = 6, width: int = 4, align_corners: bool = False) -> UNet:
    """A network with weights as if trained, whose residual is as loud as real ones.

    Random networks are often dead, or multiply rounding a hundredfold; this seed's does neither.
    """
    torch.manual_seed(seed)
    network = trained_like(UNet(width=width, align_corners=align_corners), seed)
    x = 0.3 * noise(1, 1, 4_096)
    with torch.no_grad():
        added = (network(x) - x)[..., 1_000:3_000].std()
        network.final.weight.mul_(ADDED / added)
    return network.requires_grad_(False)


def write_checkpoint(path: Path, trained: UNet, **changes: Any) -> Path:
    state = {
        "network": UNet(width=trained.width).state_dict(),
        "averaged": trained.state_dict(),
        "optimiser": {},
        "step": 1234,
        "best": 1.0,
        "config": {
            "network": {"width": trained.width, "align_corners": trained.align_corners},
            "data": {"train": "../shared/data/speech44/train"},
        },
        "validation": {"step": 1234, "val/lsd": 1.0, "val/loss/mse": 2.0, "train/mse": 3.0},
    }
    save_atomically(state | changes, path)
    return path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "best.pt", unet())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``unet()`` as a model file; not to be changed."""
    folder = tmp_path_factory.mktemp("exported")
    export(write_checkpoint(folder / "best.pt", unet()), folder / "tiny.ts", half=False)
    return folder / "tiny.ts"


@pytest.mark.parametrize("length", [70, 128, 1_000, 12_800])
def test_the_model_file_is_the_network_as_trained(exported: Path, length: int) -> None:
    x = 0.3 * noise(2, 1, length)
    loaded = torch.jit.load(str(exported))
    expected = without_dc(unet())(x)
    assert float((expected - x).std()) > ADDED / 10  # the network does something
    torch.testing.assert_close(loaded(x), expected, rtol=0, atol=PARITY)


@pytest.mark.parametrize("windowed", [False, True], ids=["streaming", "windowed"])
@pytest.mark.parametrize("block", [256, 1_024])
def test_digital_silence_gives_digital_silence_from_the_first_sample_on(
    exported: Path, windowed: bool, block: int
) -> None:
    assert abs(dc_offset(unet())) > 1e-3  # as trained it hums
    loaded = load_chain(
        find_model(str(exported)),
        block_samples=block,
        compute="cpu",
        threads=1,
        dtype="float32",
        windowed=windowed,
    )
    loaded.bind_thread()
    out = render(loaded.chain, np.zeros((1, 6_000), np.float32), block_samples=block)
    assert out.shape == (1, 12_000)
    assert np.abs(out).max() < SILENCE


def test_silence_behind_a_sound_is_silent_again(exported: Path, rng: np.random.Generator) -> None:
    loaded = load_chain(
        find_model(str(exported)), block_samples=512, compute="cpu", threads=1, dtype="float32"
    )
    loaded.bind_thread()
    x = np.zeros((1, 8_000), np.float32)
    x[0, :4_000] = rng.normal(0.0, 0.1, 4_000)
    out = render(loaded.chain, x, block_samples=512)
    assert np.abs(out[:, :8_000]).max() > 0.1
    # Network (764 samples) and filter (46) look back at the sound no longer.
    assert np.abs(out[:, 8_000 + 764 + 46 :]).max() < SILENCE


def test_aligned_corners_cannot_stream_and_are_exported_windowed(tmp_path: Path) -> None:
    network = unet(align_corners=True)
    metadata = export(
        write_checkpoint(tmp_path / "c.pt", network), tmp_path / "thesis.ts", half=False
    )
    assert (metadata["kind"], metadata["latency_samples"]) == ("windowed", 640)
    x = 0.3 * noise(1, 1, 1_000)
    loaded = torch.jit.load(str(tmp_path / "thesis.ts"))
    torch.testing.assert_close(loaded(x), without_dc(network)(x), rtol=0, atol=PARITY)


@pytest.mark.parametrize("block", [128, 384, 1_024])
def test_the_exported_stream_is_the_whole_signal_637_samples_late(
    exported: Path, block: int
) -> None:
    loaded = torch.jit.load(str(exported))
    x = 0.3 * noise(1, 1, 12 * block)
    state, parts = loaded.initial_state(1), []
    for part in x.split(block, dim=2):
        y, state = loaded.stream(part, state)
        parts.append(y)
    late = find_model(str(exported)).latency_samples
    assert late == 637
    streamed = torch.cat(parts, dim=2)[..., late:][..., 764:]
    expected = without_dc(unet())(x)[..., : x.shape[2] - late][..., 764:]
    assert streamed.shape == expected.shape
    torch.testing.assert_close(streamed, expected, rtol=0, atol=PARITY)


def test_averaged_weights_are_exported_where_there_are_some(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(
        tmp_path / "c.pt", unet(), network=unet(seed=7).state_dict(), averaged=None
    )
    export(checkpoint, tmp_path / "tiny.ts", half=False)
    x = 0.3 * noise(1, 1, 1_000)
    loaded = torch.jit.load(str(tmp_path / "tiny.ts"))
    torch.testing.assert_close(loaded(x), without_dc(unet(seed=7))(x), rtol=0, atol=PARITY)


def test_batch_norm_is_gone_and_the_network_untouched() -> None:
    network = unet()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    folded = fold_batch_norm(network)
    assert not any(isinstance(m, nn.BatchNorm1d) for m in folded.modules())
    assert all(p.dtype == torch.float32 for p in folded.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_metadata_follows_the_design(checkpoint: Path, tmp_path: Path) -> None:
    returned = export(checkpoint, tmp_path / "tiny.ts", title="Tiny", metrics={"set": {"lsd": 1}})
    metadata = read_metadata(tmp_path / "tiny.ts")
    assert metadata is not None
    assert returned.pop("parity") <= PARITY
    assert returned == metadata
    created_by = metadata.pop("created_by")
    assert "1234" in created_by
    assert metadata == {
        "format": 1,
        "name": "tiny",
        "title": "Tiny",
        "sample_rate_in": 22_050,
        "sample_rate_out": 44_100,
        "front_end": "kaiser_fast",
        "kind": "streaming",
        "block_multiple": 128,
        "latency_samples": 637,
        "context_samples": [768, 640],
        "crossfade_samples": 128,
        "parameters": sum(p.numel() for p in unet().parameters()),
        "licence": "CC BY-NC-SA 4.0 (non-commercial)",
        "trained_on": "RAVDESS (Livingstone and Russo 2018)",
        "stored": metadata["stored"],
        "added_gain_db": 0.0,
        "metrics": {"set": {"lsd": 1}},
    }


def test_the_engine_finds_it(exported: Path) -> None:
    info = find_model(str(exported))
    assert (info.name, info.context_samples, info.crossfade_samples) == ("tiny", (768, 640), 128)


def test_figures_of_the_last_validation_are_the_default(exported: Path) -> None:
    assert find_model(str(exported)).metrics == {"validation": {"lsd": 1.0}}


@pytest.mark.parametrize(
    ("path", "trained_on", "licence"),
    [
        ("/data/VCTK-Corpus-0.92/train", "VCTK (Yamagishi, Veaux and MacDonald 2019)", "CC BY 4.0"),
        ("/home/somebody/my/voices", "my/voices", "unknown"),
    ],
)
def test_the_corpus_decides_the_licence_unless_it_is_given(
    tmp_path: Path, path: str, trained_on: str, licence: str
) -> None:
    config = {"network": {"width": 4, "align_corners": False}, "data": {"train": path}}
    checkpoint = write_checkpoint(tmp_path / "c.pt", unet(), config=config)
    metadata = export(checkpoint, tmp_path / "t.ts", licence="unknown")
    assert (metadata["trained_on"], metadata["licence"]) == (trained_on, licence)
    given = export(checkpoint, tmp_path / "t.ts", licence="CC0", trained_on="me")
    assert (given["trained_on"], given["licence"]) == ("me", "CC0")


def test_16_bit_weights_make_the_file_smaller_and_change_next_to_nothing(
    checkpoint: Path, exported: Path, tmp_path: Path
) -> None:
    metadata = export(checkpoint, tmp_path / "half.ts")
    decibels = re.fullmatch(r"16-bit weights, (\d+) dB below .*", metadata["stored"])
    assert decibels is not None
    # 19 of 32 bits, a little for what is no weight, and matrices that mix two weights.
    assert (tmp_path / "half.ts").stat().st_size < 0.7 * exported.stat().st_size
    half, full = (torch.jit.load(str(p)) for p in (tmp_path / "half.ts", exported))
    # Run as ever; whole numbers are no weights.
    assert {b.dtype for b in half.buffers()} <= {torch.float32, torch.int32}
    x = 0.3 * noise(1, 1, 8_000)
    error, added = half(x) - full(x), full(x) - x
    assert 0.0 < float(error.std()) < 10**-2.5 * float(added.std())


def test_weights_stay_in_32_bits_where_rounding_would_be_heard(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.export.export, "error_db", lambda *_: -49.0)
    assert export(checkpoint, tmp_path / "t.ts")["stored"] == "32-bit weights"
    loaded = torch.jit.load(str(tmp_path / "t.ts"))
    x = 0.3 * noise(1, 1, 1_000)
    torch.testing.assert_close(loaded(x), without_dc(unet())(x), rtol=0, atol=PARITY)


def test_the_error_is_measured_against_what_is_added() -> None:
    x = noise(1, 1, 5_000)
    assert math.isinf(error_db(x, x, 0.1 * x))
    assert error_db(1.101 * x, 1.1 * x, 0.1 * x) == pytest.approx(-40.0, abs=0.1)
    assert not error_db(x * math.nan, x, 0.1 * x) <= -50


def test_rounding_keeps_11_bits_of_any_size() -> None:
    exact = noise(4, 1_000) * torch.tensor([1e-30, 1e-6, 1.0, 1e30])[:, None]
    rounded = round_bits(exact)
    error = (rounded / exact - 1).abs()
    assert 0.0 < float(error.max()) <= 2**-11
    mantissa = torch.frexp(rounded).mantissa * 2**11
    assert torch.equal(mantissa, mantissa.round())


@pytest.mark.parametrize("windowed", [False, True], ids=["streaming", "windowed"])
def test_16_bit_weights_are_silent_too(checkpoint: Path, tmp_path: Path, windowed: bool) -> None:
    assert export(checkpoint, tmp_path / "half.ts")["stored"].startswith("16-bit")
    loaded = load_chain(
        find_model(str(tmp_path / "half.ts")),
        block_samples=512,
        compute="cpu",
        threads=1,
        dtype="float32",
        windowed=windowed,
    )
    loaded.bind_thread()
    out = render(loaded.chain, np.zeros((1, 4_000), np.float32), block_samples=512)
    assert np.abs(out).max() < SILENCE


def test_a_model_card_says_what_the_file_says(checkpoint: Path, tmp_path: Path) -> None:
    metrics = {"vctk_dev": {"lsd": 1.04321, "visqol": None}, "other": {"snr_db": 25}}
    export(checkpoint, tmp_path / "tiny.ts", title="Tiny", metrics=metrics)
    card = (tmp_path / "tiny.md").read_text()
    assert card.startswith("# tiny\n")
    for text in ("Tiny", "CC BY-NC-SA 4.0", "RAVDESS", "637 samples, 14.4 ms", "16-bit weights"):
        assert text in card, text
    assert "| | vctk_dev | other |" in card
    assert "| LSD | 1.043 | - |" in card
    assert "| SNR, dB | - | 25.000 |" in card
    assert "ViSQOL" not in card


def test_a_card_without_figures_says_so(checkpoint: Path, tmp_path: Path) -> None:
    export(checkpoint, tmp_path / "tiny.ts", metrics={})
    assert "Nothing was measured." in (tmp_path / "tiny.md").read_text()


def test_no_path_of_the_machine_gets_into_the_file(exported: Path, project: Path) -> None:
    with zipfile.ZipFile(exported) as archive:
        for name in archive.namelist():
            assert str(project).encode() not in archive.read(name), name


def operators(model: Path) -> set[str]:
    """Names of torch's functions in a model file's code, called or not: a load looks for all."""
    with zipfile.ZipFile(model) as archive:
        code = [archive.read(n).decode() for n in archive.namelist() if n.endswith(".py")]
    return {n for text in code for n in re.findall(r"\b(?:torch|aten)\.([a-z][\w.]*)\(", text)}


@pytest.mark.parametrize("name", ["octave", "unet-small"])
def test_shipped_files_name_operators_of_old_only(name: str) -> None:
    unknown = operators(find_model(name).path) - KNOWN_TO_TORCH_2_6
    assert not unknown, "is this in torch 2.6? An older torch does not load the file otherwise"


def test_exported_files_name_operators_of_old_only(exported: Path, tmp_path: Path) -> None:
    export(write_checkpoint(tmp_path / "c.pt", unet(align_corners=True)), tmp_path / "aligned.ts")
    for model in (exported, tmp_path / "aligned.ts"):
        assert operators(model) <= KNOWN_TO_TORCH_2_6, model


def test_the_same_checkpoint_gives_the_same_bytes(checkpoint: Path, tmp_path: Path) -> None:
    export(checkpoint, tmp_path / "one.ts", name="x")
    export(checkpoint, tmp_path / "two.ts", name="x")
    assert (tmp_path / "one.ts").read_bytes() == (tmp_path / "two.ts").read_bytes()


def test_a_network_that_came_out_different_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "tiny.ts"
    out.write_bytes(b"the old one")
    other = models.export.exportable.StreamingUNet(unet(seed=5))
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
    network = unet()
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


def test_metrics_that_json_does_not_know_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="JSON"):
        export(checkpoint, tmp_path / "t.ts", metrics={"lsd": math.nan})
    assert not (tmp_path / "t.ts").exists()


def test_weights_that_do_not_fit_their_configuration_are_refused(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "c.pt", unet(), averaged=unet(width=1).state_dict())
    with pytest.raises(CheckpointError, match="do not fit"):
        export(checkpoint, tmp_path / "t.ts")


def test_metadata_is_readable_by_people(exported: Path) -> None:
    with zipfile.ZipFile(exported) as archive:
        text = archive.read("tiny/extra/topoctave.json").decode()
    assert len(text.splitlines()) >= len(json.loads(text))
