"""Bad input is one clear line and exit code 2, and leaves no file.

Which files and models are bad is the subject of the tests of ``realtime/files`` and ``inference``.
"""

from pathlib import Path

import pytest

from tests.helpers.cli import Shell, refusal
from tests.helpers.networks import NOT_A_NUMBER, Smooth, metadata, write_model


@pytest.mark.parametrize(
    ("source", "model_name", "message"),
    [
        ("missing.wav", "test.ts", "missing.wav"),
        ("text.wav", "test.ts", "text.wav"),
        ("song.wav", "text.wav", "text.wav"),
        ("song.wav", "unet-enormous", "unet-enormous"),
        ("song.wav", "magic.ts", "magic.ts"),
        ("song.wav", "nan.ts", "not numbers"),
    ],
)
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_files_and_models(
    shell: Shell, song: Path, model: Path, command: str, source: str, model_name: str, message: str
) -> None:
    (shell.folder / "text.wav").write_text("I am neither audio nor a model")
    write_model(shell.folder / "magic.ts", Smooth(), metadata(kind="magic"))
    write_model(shell.folder / "nan.ts", NOT_A_NUMBER, metadata())
    before = shell.files()
    ran = shell.restore(command, source, "out.wav", model_name)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err.splitlines()[-1]
    assert "Traceback" not in ran.err
    assert shell.files() == before


@pytest.mark.parametrize("target", ["nowhere/out.wav", "./out"])
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_outputs(shell: Shell, model: Path, song: Path, command: str, target: str) -> None:
    before = shell.files()
    ran = shell.restore(command, song, target, model)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith("topoctave: ")
    assert "Traceback" not in ran.err
    assert shell.files() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "no such microphone"], "topoctave"),
        (["--output", "no such loudspeaker"], "topoctave"),
        (["--block", "100"], "multiple of 128"),
        (["--compute", "gpu"], "compute"),
        (["--threads", "0"], "threads"),
        (["--dtype", "float16"], "dtype must be one of float32, tf32, bfloat16"),
        (["--dtype", "tf32", "--compute", "cpu"], "the CPU cannot compute in tf32"),
        (["--mix", "nan"], "mix"),
        (["--seconds", "-1"], "seconds"),
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
