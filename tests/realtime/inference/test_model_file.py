"""Model files: their metadata is read and checked without torch."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import ModelFileError
from realtime.inference.model_file import (
    UNKNOWN,
    find_model,
    read_metadata,
    read_model_info,
    shipped_models,
)
from tests.helpers.networks import Smooth, metadata, write_model

MEMBER = "test/extra/topoctave.json"


def archive(path: Path, about: Any, *, code: bool = True) -> Path:
    """The part of a TorchScript archive that is read without torch; metadata may be bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        if code:
            out.writestr("test/constants.pkl", b"")
        out.writestr(MEMBER, about if isinstance(about, bytes) else json.dumps(about))
    return path


def refused(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        find_model(str(path))
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_metadata_of_a_real_archive_is_read(smooth_info) -> None:
    assert (smooth_info.name, smooth_info.path.name) == ("smooth", "smooth.ts")
    assert smooth_info.context_samples == (128, 128)
    assert (smooth_info.kind, smooth_info.front_end) == ("windowed", "kaiser_fast")
    assert json.loads(json.dumps(smooth_info.to_dict()))["licence"] == "CC0"


def test_an_archive_without_metadata_gets_careful_defaults(tmp_path) -> None:
    path = write_model(tmp_path / "theirs.ts", Smooth(), None)
    assert read_metadata(path) is None
    info = read_model_info(path)
    assert (info.name, info.kind, info.licence) == ("theirs", "windowed", "unknown")
    assert info.front_end == UNKNOWN["front_end"]
    assert info.block_multiple == 128
    assert min(info.context_samples) >= 1_024
    assert info.crossfade_samples > 0


def test_missing_keys_have_defaults_and_those_of_the_future_are_ignored(tmp_path) -> None:
    about = {"context_samples": [4, 4], "wings": 2}
    info = read_model_info(archive(tmp_path / "short.ts", about))
    assert info.name == "short"
    assert info.context_samples == (4, 4)


def damage(what: str) -> Callable[[Path], object]:
    """A valid archive whose bytes are changed."""

    def write(path: Path) -> None:
        data = bytearray(archive(path, metadata(title="x" * 5_000)).read_bytes())
        local, central = data.index(MEMBER.encode()), data.rindex(MEMBER.encode())
        if what == "cut off":
            del data[len(data) // 2 :]
        elif what == "flipped bytes":
            begin = local + len(MEMBER)
            data[begin : begin + 40] = bytes(b ^ 0xFF for b in data[begin : begin + 40])
        elif what == "encrypted":
            data[local - 24] |= 1
            data[central - 38] |= 1
        else:
            data[local - 22] = data[central - 36] = 99
        path.write_bytes(bytes(data))

    return write


NO_MODELS: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "folder": Path.mkdir,
    "zip without code": lambda path: archive(path, metadata(), code=False),
} | {what: damage(what) for what in ("cut off", "flipped bytes", "encrypted", "compressed")}


@pytest.mark.parametrize("what", NO_MODELS)
def test_files_that_are_no_models_are_reported_in_one_line(tmp_path, what) -> None:
    NO_MODELS[what](tmp_path / "a.ts")
    refused(tmp_path / "a.ts")


@pytest.mark.parametrize("name", ["a" * 300, "nowhere/a.ts"])
def test_paths_that_cannot_be_are_reported_in_one_line(tmp_path, name) -> None:
    refused(tmp_path / name)


WRONG: dict[str, list[object]] = {
    "kind": ["recurrent", None, ["windowed"]], "front_end": ["soxr", 7],
    "sample_rate_in": [16_000, "22050"], "sample_rate_out": [48_000],
    "block_multiple": [0, 1.5, "128", 10**9], "latency_samples": [-1, 1e3, True],
    "context_samples": [[1], [1, 2, 3], [-1, 2], ["1", "2"], "12", 5, None, [10**9, 10**9]],
    "crossfade_samples": [-1, None, 10**7], "parameters": ["many", -5],
    "name": [5, None, ""], "title": [["a"]], "licence": [4], "trained_on": [{}],
    "metrics": [[1, 2], None], "created_by": [1],
}  # fmt: skip


@pytest.mark.parametrize("key", WRONG)
def test_wrong_values_are_refused_by_name_of_the_file(tmp_path, key) -> None:
    for value in WRONG[key]:
        assert "metadata" in refused(archive(tmp_path / "a.ts", metadata(**{key: value})))


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe\x00", b"[1, 2]", b'"windowed"', b"7", b"[" * 100_000]
)
def test_metadata_that_is_no_json_object_is_refused(tmp_path, raw) -> None:
    assert "metadata" in refused(archive(tmp_path / "a.ts", raw))


def test_unknown_models_are_reported_with_the_known_ones() -> None:
    with pytest.raises(ModelFileError, match="shipped are") as caught:
        find_model("unet-enormous")
    assert "\n" not in str(caught.value)


def test_names_find_shipped_models_and_paths_find_files(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("realtime.inference.model_file.asset_folder", lambda: tmp_path)
    with pytest.raises(ModelFileError, match="shipped are none"):
        find_model("auto")
    archive(tmp_path / "b.ts", metadata(name="b"))
    archive(tmp_path / "a.ts", metadata(name="a"))
    assert [m.name for m in shipped_models()] == ["a", "b"]
    assert find_model("b").path == tmp_path / "b.ts"
    assert find_model("auto").name == "a"
    assert find_model(str(tmp_path / "b.ts")).name == "b"
    archive(tmp_path / "big.ts", metadata(name="big", parameters=9_000_000))
    assert find_model("auto").name == "big"  # its size is the only known figure in its favour
