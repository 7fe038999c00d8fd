"""Which package may import which, and which imports load neither torch nor Qt."""

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGES = ("realtime", "gui", "models")
# What each part of realtime may import from the others; the longest name that fits counts. Imports
# go one way, from the command line down to arithmetic.
BASE = {"realtime.errors", "realtime.sample_rates", "realtime.assets", "realtime.guarded_thread"}
DSP = {*BASE, "realtime.dsp"}
INFERENCE = {*DSP, "realtime.inference"}
AUDIO_IO = {*DSP, "realtime.files.audio_file", "realtime.audio_io"}
ENGINE = {*INFERENCE, *AUDIO_IO, "realtime.engine"}
REALTIME = {
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
HEAVY = ("torch", "PySide6", "pyqtgraph", "matplotlib", "sounddevice", "resampy", "numba")


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


def files(project: Path) -> list[Path]:
    return [project / "topoctave.py", *(p for n in PACKAGES for p in (project / n).rglob("*.py"))]


def users(project: Path, library: str) -> set[str]:
    """Files of the project, ``folder/name.py``, that import a library."""
    return {
        file.relative_to(project).as_posix()
        for file in files(project)
        if any(name.split(".")[0] == library for name in imported_modules(file))
    }


def within(files: set[str], package: str) -> set[str]:
    return {name for name in files if name.startswith(f"{package}/")}


def test_the_walk_sees_imports_inside_functions(tmp_path: Path) -> None:
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
def test_a_library_stays_where_it_belongs(
    project: Path, library: str, packages: set[str], in_realtime: int
) -> None:
    found = users(project, library)
    assert {name.split("/")[0] for name in found} == packages
    assert len(within(found, "realtime")) <= in_realtime


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("realtime", {"gui", "models"}),
        ("gui", {"models", "topoctave"}),
        ("models", {"gui", "topoctave"}),
    ],
)
def test_packages_depend_as_drawn(project: Path, package: str, forbidden: set[str]) -> None:
    for other in forbidden:
        assert not within(users(project, other), package), f"{package} imports {other}"


def part(module: str, parts: Collection[str]) -> str:
    """The longest of the names that a module is, or lies in."""
    inside = [p for p in parts if module == p or module.startswith(f"{p}.")]
    return max(inside, key=len, default=module)


def test_imports_inside_realtime_go_one_way(project: Path) -> None:
    wrong = set()
    for path in (project / "realtime").rglob("*.py"):
        module = ".".join(path.relative_to(project).with_suffix("").parts)
        allowed = REALTIME[part(module, REALTIME)]
        for name in imported_modules(path):
            own = name.split(".")[0] == "realtime"
            if own and part(name, {*REALTIME, *BASE}) not in allowed:
                wrong.add(f"{module} imports {name}")
    assert wrong == set()


def test_torchscript_is_called_in_two_files(project: Path) -> None:
    calls = ("torch.jit.script", "torch.jit.trace", "torch.jit.load", "torch.jit.save")
    found = {
        file.relative_to(project).as_posix()
        for file in files(project)
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(calls)
    }
    assert found <= {"models/export/export.py", "realtime/inference/network.py"}


@pytest.mark.parametrize(
    "code",
    [
        "import realtime; realtime.__all__",
        "import realtime.dsp.parameters, realtime.engine.snapshot, realtime.dsp.processor",
        "import topoctave",
    ],
)
def test_imports_load_nothing_heavy(project: Path, code: str) -> None:
    loaded = run(project, f"{code}; import sys; print(*sys.modules)").split()
    assert not set(HEAVY).intersection(loaded)


def test_window_loads_neither_torch_nor_portaudio_before_it_is_used(project: Path) -> None:
    code = (
        "import sys, gui.app, gui.main_window, gui.engine_interface\n"
        "services = gui.engine_interface.real_services()\n"
        "services.list_models()\n"
        "print(*sys.modules)"
    )
    loaded = run(project, code).split()
    assert "PySide6" in loaded
    assert not {"torch", "sounddevice", "matplotlib", "numba"}.intersection(loaded)


def test_help_loads_nothing_heavy(project: Path) -> None:
    code = (
        "import sys, topoctave\n"
        "sys.argv = ['topoctave', '--help']\n"
        "try:\n    code = topoctave.main()\n"
        "except SystemExit as end:\n    code = end.code\n"
        "print('MODULES', code or 0, *sys.modules)"
    )
    text, _, modules = run(project, code).rpartition("MODULES")
    assert "live" in text
    exit_code, *loaded = modules.split()
    assert exit_code == "0"
    assert not set(HEAVY).intersection(loaded)


def run(project: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
