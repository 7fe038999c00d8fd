"""A newcomer finds a file in a folder at a glance, and reads it at a sitting."""

from pathlib import Path

import pytest

MAX_LINES = 300
MAX_FILES = 14


@pytest.mark.parametrize("folder", ["realtime", "gui", "models", "tests", "scripts"])
def test_no_folder_is_crowded_and_no_file_long(project: Path, folder: str) -> None:
    files = list((project / folder).rglob("*.py"))
    long = {p.name: n for p in files if (n := len(p.read_text().splitlines())) > MAX_LINES}
    assert long == {}
    crowded = {p.parent: len(list(p.parent.glob("*.py"))) for p in files}
    assert {p.name: n for p, n in crowded.items() if n > MAX_FILES} == {}
