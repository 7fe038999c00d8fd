"""Which package may import which, and which imports load neither torch nor Qt."""

import ast
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.cli import printed

# What each part may import from the others; the longest name that fits counts. Imports go one way,
# from the command line down to arithmetic.
BASE = {"realtime.errors", "realtime.sample_rates", "realtime.assets", "realtime.guarded_thread"}
DSP = {*BASE, "realtime.dsp"}
INFERENCE = {*DSP, "realtime.inference"}
AUDIO_IO = {*DSP, "realtime.files.audio_file", "realtime.audio_io"}
ENGINE = {*INFERENCE, *AUDIO_IO, "realtime.engine"}
PARTS = {
    "realtime": BASE,
    "realtime.__init__": {"realtime.stream"},
    "realtime.stream": INFERENCE,
    "realtime.dsp": DSP,
    "realtime.inference": INFERENCE,
    "realtime.files.audio_file": DSP,
    "realtime.audio_io": AUDIO_IO,
    "realtime.engine": ENGINE,
    "realtime.files": {*INFERENCE, "realtime.files.audio_file"},
    "realtime.terminal": {*ENGINE, "realtime.files", "realtime.stream", "realtime.terminal"},
    "realtime.bench": {*ENGINE, "realtime.bench"},
}
ALL = {*PARTS, *BASE}
PARTS |= {"gui": {*ALL, "gui"}, "models": {*ALL, "models"}}
PARTS["topoctave"] = {*ALL, *PARTS}
HEAVY = {"torch", "PySide6", "pyqtgraph", "matplotlib", "sounddevice", "resampy", "numba"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_modules(path: Path) -> Iterator[str]:
    """Every module a file imports anywhere, also inside functions."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield node.module or ""
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant))


def modules(project: Path) -> dict[str, Path]:
    """Every file of the program, by the name of its module."""
    files = [project / "topoctave.py"]
    for package in ("realtime", "gui", "models"):
        files += (project / package).rglob("*.py")
    return {".".join(f.relative_to(project).with_suffix("").parts): f for f in files}


def part(module: str, parts: Collection[str]) -> str:
    """The longest of the names that a module is, or lies in."""
    inside = [p for p in parts if module == p or module.startswith(f"{p}.")]
    return max(inside, key=len, default="")


def test_the_walk_sees_imports_inside_functions(tmp_path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "def f():\n    import torch.nn\n    from scipy import fft\n"
        "    return importlib.import_module('resampy')\n"
    )
    assert list(imported_modules(path)) == ["torch.nn", "scipy", "resampy"]


@pytest.mark.parametrize(
    ("library", "packages", "in_realtime"),
    [
        # Of the engine: the file that runs networks and the one that records CUDA graphs.
        ("torch", {"models", "realtime"}, 2),
        ("sounddevice", {"realtime"}, 1),
        # The engine reads resampy's filter table without importing resampy.
        ("resampy", {"models"}, 0),
        ("PySide6", {"gui"}, 0),
        ("pyqtgraph", {"gui"}, 0),
    ],
)
def test_a_library_stays_where_it_belongs(project, library, packages, in_realtime) -> None:
    users = [
        module.split(".")[0]
        for module, file in modules(project).items()
        if any(name.split(".")[0] == library for name in imported_modules(file))
    ]
    assert set(users) == packages
    assert users.count("realtime") <= in_realtime


def test_imports_go_one_way(project) -> None:
    wrong = set()
    for module, path in modules(project).items():
        allowed = PARTS[part(module, PARTS)]
        for name in imported_modules(path):
            if (target := part(name, {*PARTS, *BASE})) and target not in allowed:
                wrong.add(f"{module} imports {name}")
    assert wrong == set()


def test_torchscript_is_called_in_two_files(project) -> None:
    calls = ("torch.jit.script", "torch.jit.trace", "torch.jit.load", "torch.jit.save")
    found = {
        module
        for module, file in modules(project).items()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(calls)
    }
    assert found <= {"models.export.export", "realtime.inference.network"}


WINDOW = """
import gui.app, gui.main_window, gui.control.engine_thread
gui.control.engine_thread.Services().list_models()
assert "PySide6" in sys.modules
"""
HELP = """
import contextlib, io, topoctave
sys.argv = ["topoctave", "--help"]
try:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        code = topoctave.main()
except SystemExit as end:
    code = end.code
assert not code and "live" in text.getvalue()
"""


@pytest.mark.parametrize(
    ("code", "unloaded"),
    [
        ("import realtime; realtime.__all__", HEAVY),
        ("import realtime.dsp.parameters, realtime.engine.snapshot", HEAVY),
        (HELP, HEAVY),
        (WINDOW, {"torch", "sounddevice", "matplotlib", "numba"}),
    ],
    ids=["realtime", "small modules", "help", "window"],
)
def test_what_is_heavy_is_loaded_only_when_it_is_used(code, unloaded) -> None:
    loaded = printed(f"import sys\n{code}\nprint(*sys.modules)").split()
    assert not unloaded.intersection(loaded)
