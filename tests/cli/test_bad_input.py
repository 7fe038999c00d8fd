"""Every bad input is one clear line and exit code 2, and leaves no file."""

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.helpers.cli import Shell, refusal, store
from tests.helpers.networks import NotANumber, Smooth, metadata, write_model


def bad_input(folder: Path, what: str) -> Path:
    path = folder / "bad.wav"
    if what == "empty":
        path.write_bytes(b"")
    elif what == "8 kHz":
        store(path, rate=8_000)
    elif what == "not a number":
        soundfile.write(path, np.array([0.0, np.nan, 0.0]), 22_050, subtype="FLOAT")
    elif what == "text":
        path.write_text("I am not audio")
    elif what == "no samples":
        store(path, 0)
    elif what == "long name":
        path = folder / ("a" * 300 + ".wav")
    return path


BAD_INPUTS = ["empty", "8 kHz", "not a number", "text", "no samples", "missing", "long name"]


@pytest.mark.parametrize("what", BAD_INPUTS)
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_input_files(shell: Shell, model: Path, command: str, what: str) -> None:
    path = bad_input(shell.folder, what)
    before = shell.files()
    ran = shell.restore(command, path, "out.wav", model)
    line = refusal(ran)
    assert path.name[:30] in line
    assert shell.files() == before


def bad_model(folder: Path, what: str) -> str:
    path = folder / "bad.ts"
    if what == "corrupt":
        data = bytearray(write_model(path, Smooth(), metadata()).read_bytes())
        path.write_bytes(bytes(data[: len(data) // 2]))
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "text":
        path.write_text("I am not a model")
    elif what == "another archive":
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("a.txt", "hello")
    elif what == "wrong metadata":
        write_model(path, Smooth(), metadata(kind="magic"))
    elif what == "unknown name":
        return "unet-enormous"
    return str(path)


@pytest.mark.parametrize(
    "what", ["corrupt", "empty", "text", "another archive", "wrong metadata", "missing",
             "unknown name"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_models(shell: Shell, song: Path, command: str, what: str) -> None:
    name = bad_model(shell.folder, what)
    before = shell.files()
    ran = shell.restore(command, song, "out.wav", name)
    assert Path(name).name in refusal(ran)
    assert shell.files() == before


@pytest.mark.parametrize("command", ["live", "enhance"])
def test_a_network_that_returns_no_numbers(shell: Shell, song: Path, command: str) -> None:
    path = write_model(shell.folder / "nan.ts", NotANumber(), metadata())
    before = shell.files()
    ran = shell.restore(command, song, "out.wav", path)
    assert ran.code == 2
    assert ran.out == ""
    assert "not numbers" in ran.err.splitlines()[-1]
    assert shell.files() == before


@pytest.mark.parametrize("target", ["nowhere/out.wav", "out.mp3", "./out", "/proc/out.wav"])
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_outputs(shell: Shell, model: Path, song: Path, command: str, target: str) -> None:
    if target.startswith("/proc") and not sys.platform.startswith("linux"):
        pytest.skip("only Linux has a folder that no user can write to")
    before = shell.files()
    ran = shell.restore(command, song, target, model)
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert ran.err.splitlines()[-1].startswith("topoctave: ")
    assert "Traceback" not in ran.err
    assert shell.files() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "no such microphone"], "topoctave"),
        (["--output", "no such loudspeaker"], "topoctave"),
        (["--block", "100"], "multiple of 128"),
        (["--block", "0"], "multiple of 128"),
        (["--compute", "gpu"], "compute"),
        (["--threads", "0"], "threads"),
        (["--dtype", "float16"], "dtype must be one of float32, tf32, bfloat16"),
        (["--dtype", "tf32", "--compute", "cpu"], "the CPU cannot compute in tf32"),
        (["--mix", "2"], "mix"),
        (["--mix", "nan"], "mix"),
        (["--seconds", "-1"], "seconds"),
        (["--seconds", "nan"], "seconds"),
    ],
)
def test_bad_options_of_live(
    shell: Shell, model: Path, song: Path, arguments: list[str], message: str
) -> None:
    before = shell.files()
    chosen = ["--input", song, "--output", "out.wav", "--model", model, *arguments]
    ran = shell("live", *chosen)
    assert ran.code == 2
    assert ran.out == ""
    assert message in ran.err.splitlines()[-1]
    assert "Traceback" not in ran.err
    assert shell.files() == before


@pytest.mark.parametrize(
    "arguments",
    [["live", "--block", "many"], ["live", "--nonsense"], ["enhance"], ["enhance", "a"],
     ["dance"], ["evaluate"], ["train"], ["models", "extra"], ["live", "--threads", "1.5"]],
)  # fmt: skip
def test_bad_usage(shell: Shell, arguments: list[str]) -> None:
    ran = shell(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert "usage: topoctave" in ran.err
    assert shell.files() == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "missing.toml"],
        ["train", "."],
        ["export", "missing.pt", "out.ts"],
        ["evaluate", "--data", "missing"],
        ["evaluate", "--data", "."],
        ["enhance", ".", "out"],
    ],
)
def test_commands_without_anything_to_work_on(shell: Shell, arguments: list[str]) -> None:
    refusal(shell(*arguments))
    assert shell.files() == set()
