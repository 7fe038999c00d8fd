"""Output of native code is hidden, and nothing else is."""

import pytest

from tests.helpers.cli import python

HEAD = (
    "import os, sys, threading\n"
    "from realtime.audio_io.silence_native_stderr import silence_native_stderr\n"
    "def native(line): os.write(2, line.encode() + b'\\n')\n"
    "def python(line): print(line, file=sys.stderr)\n"
)


def stderr_of(code: str, **environment: str) -> list[str]:
    done = python(HEAD + code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def test_only_native_messages_are_hidden_and_only_inside() -> None:
    code = (
        "native('before')\n"
        "with silence_native_stderr():\n    native('hidden')\n    python('shown')\n"
        "native('after')\npython('after too')\n"
        "try:\n    with silence_native_stderr():\n        raise OSError\n"
        "except OSError:\n    native('after an error')\n"
    )
    assert stderr_of(code) == ["before", "shown", "after", "after too", "after an error"]


def test_a_device_name_with_an_accent_is_printed_in_the_c_locale() -> None:
    code = "with silence_native_stderr():\n    python('Micr\\xf3fono')\n"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert stderr_of(code, **ascii_only) == ["Micr\\xf3fono"]


def test_the_last_of_several_callers_ends_the_silence() -> None:
    code = (
        "inside, over = threading.Event(), threading.Event()\n"
        "def other():\n"
        "    with silence_native_stderr():\n        inside.set()\n        over.wait(10)\n"
        "thread = threading.Thread(target=other)\n"
        "with silence_native_stderr():\n    thread.start()\n    inside.wait(10)\n"
        "native('hidden')\npython('shown')\n"
        "over.set()\nthread.join()\nnative('after')\n"
    )
    assert stderr_of(code) == ["shown", "after"]


@pytest.mark.parametrize("stderr", ["None", "io.StringIO()"])
def test_without_a_terminal_of_its_own_nothing_is_changed(stderr) -> None:
    inside = "with silence_native_stderr():\n    native('as before')\n"
    code = f"import io\nsys.stderr = {stderr}\n{inside}"
    assert stderr_of(code) == ["as before"]
