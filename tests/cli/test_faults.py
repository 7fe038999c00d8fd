"""Faults of the program: one line and exit code 1, and the traceback with --debug."""

import pytest

from tests.helpers.cli import Shell


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with a programming error."""

    def shipped_models() -> list[object]:
        raise ValueError("3 is not\n4")

    monkeypatch.setattr("realtime.inference.model_file.shipped_models", shipped_models)


@pytest.mark.parametrize("arguments", [("models",), ("--debug", "models"), ("models", "--debug")])
def test_a_fault_of_the_program_is_not_blamed_on_the_user(
    shell: Shell, faulty: None, arguments: tuple[str, ...]
) -> None:
    ran = shell(*arguments)
    line = "topoctave: internal error: ValueError: 3 is not 4"
    assert (ran.code, ran.out) == (1, "")
    if "--debug" in arguments:
        assert "Traceback" in ran.err
        assert "in shipped_models" in ran.err
        assert ran.err.splitlines()[-1] == line
    else:
        assert ran.err == f"{line} (run with --debug for the traceback)\n"


def test_debug_shows_the_traceback_of_bad_input_too(shell: Shell) -> None:
    ran = shell("enhance", "nothing.wav", "out.wav", "--debug")
    assert ran.code == 2
    assert "Traceback" in ran.err
    assert ran.err.splitlines()[-1] == "topoctave: there is no file or folder nothing.wav"
