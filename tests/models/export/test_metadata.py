"""A model file's metadata, its model card, and the operators that it uses."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from models.export.export import PARITY, export
from models.export.model_card import model_card
from realtime.inference.model_file import find_model, read_metadata
from tests.helpers.models.checkpoints import METRICS, quiet_unet, write_checkpoint
from tests.models.export.conftest import Exported

# Operators of model files. torch 2.11 does not load a file with torch 2.13's upsample_lanczos2d,
# which torch.nn.functional.interpolate adds.
KNOWN_TO_TORCH_2_6 = """
abs add add_ addcmul addcmul_ addr append arange as_strided baddbmm bitwise_and bmm cat clamp
contiguous conv1d device div eq expand expm1 fft_irfft fft_rfft flatten floordiv format gt
index_select layer_norm le len lerp linear log10 log1p lt max_pool1d mm mul narrow ne neg
new_zeros nn.functional.pad nn.functional.relu pad permute pop relu relu_ remainder
repeat_interleave reshape select sigmoid size slice split square storage_offset sub sum t to
transpose unfold unsqueeze upsample_linear1d view view_as_complex view_as_real zeros zeros_like
"""


def test_metadata_follows_the_design(half: Exported) -> None:
    path, returned = half[0], dict(half[1])
    metadata = read_metadata(path)
    assert metadata is not None
    assert returned.pop("parity") <= PARITY
    assert returned == metadata
    assert "1234" in metadata.pop("created_by")
    assert metadata.pop("stored")
    expected = {"format": 1, "name": "tiny", "title": "Tiny", "metrics": METRICS}
    expected |= {"sample_rate_in": 22_050, "sample_rate_out": 44_100, "front_end": "kaiser_fast"}
    expected |= {"kind": "streaming", "block_multiple": 128, "latency_samples": 637}
    expected |= {"context_samples": [768, 640], "crossfade_samples": 128, "added_gain_db": 0.0}
    expected["parameters"] = sum(p.numel() for p in quiet_unet().parameters())
    expected["licence"] = "CC BY-NC-SA 4.0 (non-commercial)"
    expected["trained_on"] = "RAVDESS (Livingstone and Russo 2018)"
    assert metadata == expected


def test_figures_of_the_last_validation_are_the_default(exported: Path) -> None:
    assert find_model(str(exported)).metrics == {"validation": {"lsd": 1.0}}


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("VCTK-Corpus-0.92/train", {}, ("CC BY 4.0", "VCTK (Yamagishi, Veaux and MacDonald 2019)")),
        ("/home/somebody/my/voices", {}, ("unknown", "my/voices")),
        ("vctk", {"licence": "CC0", "trained_on": "me"}, ("CC0", "me")),
    ],
)
def test_the_corpus_decides_the_licence_unless_it_is_given(
    tmp_path: Path, path: str, given: dict[str, str], expected: tuple[str, str]
) -> None:
    config = {"network": {"width": 1, "align_corners": False}, "data": {"train": path}}
    checkpoint = write_checkpoint(tmp_path / "c.pt", quiet_unet(width=1), config=config)
    metadata = export(checkpoint, tmp_path / "t.ts", half=False, **given)
    assert (metadata["licence"], metadata["trained_on"]) == expected


def test_a_model_card_agrees_with_the_file(half: Exported) -> None:
    card = half[0].with_suffix(".md").read_text()
    assert card.startswith("# tiny\n")
    for text in ("Tiny", "CC BY-NC-SA 4.0", "RAVDESS", "637 samples, 14.4 ms", "16-bit weights"):
        assert text in card, text
    assert "| | vctk_dev | other |" in card
    assert "| LSD | 1.043 | - |" in card
    assert "| SNR, dB | - | 25.000 |" in card
    assert "ViSQOL" not in card

    assert "Nothing was measured." in model_card(half[1] | {"metrics": {}})


def test_the_file_is_readable_by_people_and_names_no_path_of_the_machine(
    exported: Path, project: Path
) -> None:
    with zipfile.ZipFile(exported) as archive:
        for name in archive.namelist():
            assert str(project).encode() not in archive.read(name), name
        text = archive.read("tiny/extra/topoctave.json").decode()
    assert len(text.splitlines()) >= len(json.loads(text))


def operators(model: Path) -> set[str]:
    """Names of torch's functions in a model file's code, called or not: a load looks for all."""
    with zipfile.ZipFile(model) as archive:
        code = [archive.read(n).decode() for n in archive.namelist() if n.endswith(".py")]
    return {n for text in code for n in re.findall(r"\b(?:torch|aten)\.([a-z][\w.]*)\(", text)}


def test_shipped_and_exported_files_name_operators_of_old_only(
    exported: Path, aligned: Exported
) -> None:
    shipped = [find_model(name).path for name in ("octave", "unet-small")]
    for model in (*shipped, exported, aligned[0]):
        unknown = operators(model) - set(KNOWN_TO_TORCH_2_6.split())
        assert not unknown, f"is this in torch 2.6? An older torch does not load {model.name}"
