"""Fixtures that every test may ask for, and what `.ci/run` demands of the suite."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tqdm import tqdm

from tests.helpers.leaks import no_threads_or_files_left, remember_where_threads_start
from tests.helpers.servers import (
    PulseServer,
    display_server,
    missing_for_pipewire,
    missing_for_pulse,
    pipewire_server,
    pulse_server,
)

# `TOPOCTAVE_REQUIRE=pulse,pipewire,display`: tests with these marks must run; a skip is a failure.
REQUIRED = frozenset(filter(None, os.environ.get("TOPOCTAVE_REQUIRE", "").split(",")))
PASSED: set[str] = set()

# Files with these marks form one group: it runs first, on one worker, so that no two tests of real
# time run side by side.
REAL_TIME = re.compile(r"pytest\.mark\.(pulse|display)\b")

remember_where_threads_start()
# tqdm's watcher of slow bars is a thread that lives as long as the process.
tqdm.monitor_interval = 0


@pytest.fixture(autouse=True)
def at_rest() -> Iterator[None]:
    """A test ends its threads and closes its files."""
    with no_threads_or_files_left():
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """The same random numbers in every run."""
    return np.random.default_rng(20_260)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speeds that tests measure on a busy machine stay out of the user's cache.

    matplotlib's list of fonts is the user's, because it takes seconds to make.
    """
    before = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if "MPLCONFIGDIR" not in os.environ:
        monkeypatch.setenv("MPLCONFIGDIR", str(before / "matplotlib"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(
    scope="session", params=["pulseaudio", pytest.param("pipewire", marks=pytest.mark.pipewire)]
)
def pulse_session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PulseServer]:
    """One PulseAudio, and one PipeWire in its place, with null sinks for all tests."""
    pipewire = request.param == "pipewire"
    if missing := missing_for_pipewire() if pipewire else missing_for_pulse():
        pytest.skip(f"missing {missing}")
    run = pipewire_server if pipewire else pulse_server
    with run(tmp_path_factory.mktemp("pulse")) as server:
        yield server


@pytest.fixture
def pulse(pulse_session: PulseServer, monkeypatch: pytest.MonkeyPatch) -> PulseServer:
    """A sound server for one test: its variables are set, for this process and its children."""
    for name, value in pulse_session.environment.items():
        monkeypatch.setenv(name, value)
    return pulse_session


@pytest.fixture(scope="session")
def display_session() -> Iterator[str]:
    """One Xvfb for all tests; the value for ``DISPLAY``."""
    if not shutil.which("Xvfb"):
        pytest.skip("missing Xvfb")
    with display_server() as name:
        yield name


@pytest.fixture
def display(display_session: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A display for one test: ``DISPLAY`` is set, for this process and its children."""
    monkeypatch.setenv("DISPLAY", display_session)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    return display_session


@pytest.fixture(autouse=True)
def qt_at_rest(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of the window ends its timers and threads."""
    if {"qapp", "qtbot"}.isdisjoint(request.fixturenames):
        yield
        return
    from tests.helpers.gui.qt_leaks import nothing_of_qt_left_running

    with nothing_of_qt_left_running():
        yield


@pytest.fixture(autouse=True)
def processor_state() -> Iterator[None]:
    """Undo what binds a thread to a network: it would leak into every later test.

    Flushed denormals break hypothesis, and the number of threads the timing of others.
    """
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else None
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)
        if threads is not None:
            torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Trainings of a few steps draw no curves, which would take longer than the training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.training.log.curves", lambda _rows: None)
        patch.setattr("models.training.log.png", lambda _figure: b"")
        yield


@pytest.fixture
def project() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parent.parent


def is_real_time(file: Path) -> bool:
    """A test file plays through PulseAudio or opens windows on Xvfb."""
    return REAL_TIME.search(file.read_text(encoding="utf-8")) is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the group of real-time tests first, because it takes longest."""
    real_time = {file: is_real_time(file) for file in {item.path for item in items}}
    items.sort(key=lambda item: not real_time[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers, a test file runs on one worker, as does the real-time group."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return "real time" if is_real_time(config.rootpath / file) else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn the skip of a required test into a failure."""
    report = yield
    missed = REQUIRED.intersection(mark.name for mark in item.iter_markers())
    if report.skipped and missed:
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{'/'.join(sorted(missed))} is required here, but: {reason}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note which required marks passed."""
    if report.when == "call" and report.passed:
        PASSED.update(REQUIRED & report.keywords.keys())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run from which the required tests were left out."""
    on_worker = hasattr(session.config, "workerinput")
    if (absent := REQUIRED - PASSED) and not on_worker:
        line = f"required, but no such test passed: {', '.join(sorted(absent))}"
        session.config.get_terminal_writer().line(f"\n{line}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
