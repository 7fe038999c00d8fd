"""Bad input is one clear line and exit code 2, and leaves no file; a fault of the program is 1.

Which files and models are bad is the subject of the tests of ``realtime/files`` and ``inference``.
"""

import pytest

from tests.helpers.cli import Shell, refusal
from tests.helpers.networks import NOT_A_NUMBER, Smooth, metadata, write_model


def refused(shell: Shell, command: str, *arguments: object) -> str:
    """The last line of a command that fails with code 2 and leaves all files as they were."""
    before = shell.files()
    ran = shell(command, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err
    assert shell.files() == before
    return ran.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("source", "target", "model_name", "message"),
    [
        ("missing.wav", "out.wav", "test.ts", "missing.wav"),
        ("text.wav", "out.wav", "test.ts", "text.wav"),
        ("song.wav", "out.wav", "text.wav", "text.wav"),
        ("song.wav", "out.wav", "unet-enormous", "unet-enormous"),
        ("song.wav", "out.wav", "magic.ts", "magic.ts"),
        ("song.wav", "out.wav", "nan.ts", "not numbers"),
        ("song.wav", "nowhere/out.wav", "test.ts", "topoctave: "),
        ("song.wav", "./out", "test.ts", "topoctave: "),
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_bad_files_and_models(
    shell, song, model, live, source, target, model_name, message
) -> None:
    (shell.folder / "text.wav").write_text("I am neither audio nor a model")
    write_model(shell.folder / "magic.ts", Smooth(), metadata(kind="magic"))
    write_model(shell.folder / "nan.ts", NOT_A_NUMBER, metadata())
    files = ("--input", source, "--output", target) if live else (source, target)
    command = "live" if live else "enhance"
    assert message in refused(shell, command, *files, "--model", model_name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "no such microphone"], "topoctave"),
        (["--output", "no such loudspeaker"], "topoctave"),
        (["--block", "100"], "multiple of 128"),
        (["--compute", "gpu"], "compute must be one of auto, cpu, cuda"),
        (["--threads", "0"], "threads"),
        (["--dtype", "float16"], "dtype must be one of float32, tf32, bfloat16"),
        (["--dtype", "tf32", "--compute", "cpu"], "the CPU cannot compute in tf32"),
        (["--mix", "nan"], "mix"),
        (["--seconds", "-1"], "--seconds"),
        (["--seconds", "nan"], "--seconds"),
    ],
)
def test_bad_options_of_live(shell, model, song, arguments, message) -> None:
    chosen = ["--input", song, "--output", "out.wav", "--model", model, *arguments]
    assert message in refused(shell, "live", *chosen)


@pytest.mark.parametrize(
    "arguments",
    [["live", "--block", "many"], ["live", "--nonsense"], ["enhance"], ["enhance", "a"],
     ["dance"], ["evaluate"], ["train"], ["models", "extra"], ["live", "--threads", "1.5"]],
)  # fmt: skip
def test_bad_usage(shell, arguments) -> None:
    refused(shell, *arguments)
    assert "usage: topoctave" in shell(*arguments).err


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
def test_commands_without_anything_to_work_on(shell, arguments) -> None:
    refusal(shell(*arguments))
    assert refused(shell, *arguments).startswith("topoctave: ")


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with a programming error."""

    def shipped_models() -> list[object]:
        raise ValueError("3 is not\n4")

    monkeypatch.setattr("realtime.inference.model_file.shipped_models", shipped_models)


@pytest.mark.parametrize("arguments", [("models",), ("--debug", "models"), ("models", "--debug")])
def test_a_fault_of_the_program_is_not_blamed_on_the_user(shell, faulty, arguments) -> None:
    ran = shell(*arguments)
    line = "topoctave: internal error: ValueError: 3 is not 4"
    assert (ran.code, ran.out) == (1, "")
    if "--debug" in arguments:
        assert "Traceback" in ran.err
        assert "in shipped_models" in ran.err
        assert ran.err.splitlines()[-1] == line
    else:
        assert ran.err == f"{line} (run with --debug for the traceback)\n"


def test_debug_shows_the_traceback_of_bad_input_too(shell) -> None:
    ran = shell("enhance", "nothing.wav", "out.wav", "--debug")
    assert ran.code == 2
    assert "Traceback" in ran.err
    assert ran.err.splitlines()[-1] == "topoctave: there is no file or folder nothing.wav"
