"""The project's own files: what is packaged, what is pinned, and the clip that comes with it."""

import importlib
import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import soundfile

MAX_LINES = 300
MAX_FILES = 14


@pytest.fixture
def pyproject(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def canonical(requirement: str) -> str:
    name = re.split(r"[<>=!\[; ]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_pinned(project, pyproject) -> None:
    lines = (project / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    extras = pyproject["project"]["optional-dependencies"].values()
    wanted = [*pyproject["project"]["dependencies"], *(r for extra in extras for r in extra)]
    assert {canonical(r) for r in wanted} <= {canonical(line) for line in pins}
    assert all("==" in line and "+" not in line for line in pins)


def test_every_asset_is_package_data(project, pyproject) -> None:
    patterns = pyproject["tool"]["setuptools"]["package-data"]["assets"]
    names = [p.name for p in (project / "assets").iterdir() if p.suffix not in ("", ".py", ".tmp")]
    assert [n for n in names if not any(fnmatch(n, pattern) for pattern in patterns)] == []


def test_the_console_script_exists(pyproject) -> None:
    module, _, function = pyproject["project"]["scripts"]["topoctave"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("folder", ["realtime", "gui", "models", "tests", "scripts"])
def test_no_folder_is_crowded_and_no_file_long(project, folder) -> None:
    """A newcomer finds a file in a folder at a glance, and reads it at a sitting."""
    files = list((project / folder).rglob("*.py"))
    long = {p.name: n for p in files if (n := len(p.read_text().splitlines())) > MAX_LINES}
    assert long == {}
    crowded = {p.parent: len(list(p.parent.glob("*.py"))) for p in files}
    assert {p.name: n for p, n in crowded.items() if n > MAX_FILES} == {}


@pytest.mark.parametrize("script", ["scripts/setup.sh", ".ci/run"])
def test_shell_scripts_are_executable_and_parse(project, script) -> None:
    assert os.access(project / script, os.X_OK)
    subprocess.run(["bash", "-n", script], cwd=project, check=True)


def test_the_demo_is_a_clip_of_22_khz(project) -> None:
    info = soundfile.info(project / "assets" / "demo.wav")
    assert (info.samplerate, info.channels, info.subtype) == (22_050, 1, "PCM_16")
    assert 8 <= info.duration <= 12
