"""Runs the command line: in this process, or in one of its own."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from topoctave import main

LIMIT_S = 100
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """Result of a command."""

    code: int
    out: str
    err: str


class Shell:
    """Runs commands in this process, in a folder of its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self.folder = folder

    def __call__(self, *arguments: object) -> Ran:
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)

    def restore(self, command: str, source: object, target: object, model: object) -> Ran:
        """Run ``live`` or ``enhance`` on a file."""
        live = command == "live"
        files = ("--input", source, "--output", target) if live else (source, target)
        return self(command, *files, "--model", model)

    def files(self) -> set[str]:
        return {
            str(p.relative_to(self.folder))
            for p in self.folder.rglob("*")
            if p.is_file() and "cache" not in p.parts
        }


def refusal(ran: Ran) -> str:
    """The line of a command that refused its input."""
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    lines = ran.err.splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("topoctave: ")
    return lines[0]


def store(path: Path, n: int = 2_205, *, rate: int = 22_050, channels: int = 1) -> Path:
    """A file of noise."""
    x = np.random.default_rng(2).uniform(-0.5, 0.5, (n, channels))
    soundfile.write(path, x, rate, subtype="FLOAT")
    return path


def process(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own, with warnings as errors."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONWARNINGS": "error,ignore:`torch.jit:DeprecationWarning",
    }
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore SIGINT, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The end of a process that ran some code in the repository's root."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def printed(code: str, **environment: str) -> str:
    """What some code prints in a process of its own, without an error."""
    done = python(code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
