"""The documents match the program: every path, command, option and target they name exists."""

import re
from pathlib import Path

import pytest

from topoctave import main

# Lines longer than this wrap in a terminal or a side-by-side view of a change.
MAX_COLUMNS = 120
# A longer README is not read to its end.
MAX_README_LINES = 130
ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "gui/help.md", *sorted((ROOT / "docs").glob("*.md"))]
PACKAGES = ("gui", "models", "realtime")
FOLDERS = (*PACKAGES, "assets", "configs", "docs", "scripts", "tests")
# A path from the repository's root; other folders of the same name (``../shared/data``) are not.
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./*-]*")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
# A call of the program, up to the end of the inline code or of the line.
CALL = re.compile(
    r"(?:(?<![\w=])topoctave|\brun ARGS=\")(?: (?P<command>[a-z]+))?(?P<rest>[^`\n#]*)"
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
CLASS = re.compile(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`")

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str]) -> dict[str, set[str]]:
    """Every subcommand with the options that its help lists."""
    listed = help_of(capsys).partition("COMMAND\n")[2]
    names = re.findall(r"^ {4}([a-z][a-z-]*)", listed, re.MULTILINE)
    assert {"live", "enhance", "bench"} <= set(names)
    return {name: set(OPTION.findall(help_of(capsys, name))) for name in names}


def calls(text: str) -> list[tuple[str, set[str]]]:
    """Every subcommand that a text calls, with the options it gives."""
    return [
        (call["command"], set(OPTION.findall(call["rest"])))
        for call in CALL.finditer(text)
        # The program alone opens the window; ``topoctave[train]`` is a package with an extra.
        if call["command"]
    ]


def code_of(text: str) -> str:
    """Inline code and code blocks alone, one piece per line."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```", "", text, flags=re.M | re.S))
    return "\n".join(blocks + inline)


@documents
def test_no_line_is_too_long_and_the_readme_is_short(document) -> None:
    lines = document.read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS] == []
    assert document.name != "README.md" or len(lines) <= MAX_README_LINES


@documents
def test_every_path_class_and_make_target_exists(document) -> None:
    text = document.read_text(encoding="utf-8")
    named = {path.rstrip(".") for path in PATH.findall(text)}
    assert sorted(path for path in named if not list(ROOT.glob(path.rstrip("/")))) == []
    linked = set(LINK.findall(text))
    assert sorted(link for link in linked if not (document.parent / link).exists()) == []
    sources = [p.read_text("utf-8") for folder in PACKAGES for p in (ROOT / folder).rglob("*.py")]
    classes = set(re.findall(r"^class (\w+)", "\n".join(sources), re.MULTILINE))
    assert set(CLASS.findall(text)) - classes == set()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", code_of(text), re.MULTILINE)) <= targets


@documents
def test_every_command_and_option_exists(document, commands) -> None:
    code = code_of(document.read_text(encoding="utf-8"))
    for name, options in calls(code):
        assert name in commands, f"topoctave {name}"
        assert options <= commands[name], f"topoctave {name}: {sorted(options - commands[name])}"
    # An option that stands alone in inline code belongs to any command.
    every = set().union(*commands.values())
    alone = {m for line in code.splitlines() if line.startswith("--") for m in OPTION.findall(line)}
    assert alone <= every, sorted(alone - every)


def test_the_readme_names_every_command(commands) -> None:
    named = {name for name, _ in calls(code_of((ROOT / "README.md").read_text(encoding="utf-8")))}
    assert named == set(commands)


def test_the_checks_find_what_they_look_for() -> None:
    text = "`topoctave live --speed 2` and `realtime/engine/nothing.py`, not `../shared/data/x`"
    assert calls(code_of(text)) == [("live", {"--speed"})]
    assert PATH.findall(text) == ["realtime/engine/nothing.py"]
