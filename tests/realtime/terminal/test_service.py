"""The service: what it tells systemd, and how it takes a systemd that refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.errors import TopoctaveError
from realtime.terminal.service import install, status, uninstall, unit_path, unit_text
from topoctave import main


class Systemd:
    """A ``systemctl`` on the path that notes its calls."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log, self.program = folder / "calls", folder / "bin" / "systemctl"
        self.program.parent.mkdir()
        self.answer()
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        monkeypatch.setenv("PATH", f"{self.program.parent}:{os.environ['PATH']}")

    def answer(self, output: str = "", code: int = 0) -> None:
        self.program.write_text(
            f'#!/bin/sh\necho "$@" >>"{self.log}"\necho {output}\necho {output} >&2\nexit {code}\n'
        )
        self.program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    return Systemd(tmp_path, monkeypatch)


def test_install_status_and_uninstall(systemd: Systemd, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "status"]) == 4
    assert main(["service", "install", "--input", "Mic 1", "--block", "512"]) == 0
    unit = unit_path().read_text()
    assert '"live" "--virtual-mic" "--input" "Mic 1" "--block" "512"\n' in unit
    assert "Restart=on-failure" in unit
    assert "After=pipewire.service" in unit
    assert systemd.calls == [
        "--user daemon-reload",
        "--user enable topoctave.service",
        "--user restart topoctave.service",
    ]
    systemd.answer("active")
    capsys.readouterr()
    assert main(["service", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "active"
    systemd.answer("failed", 3)
    assert main(["service", "status"]) == 3
    systemd.answer()
    assert main(["service", "uninstall"]) == 0
    assert not unit_path().exists()
    assert "--user disable --now topoctave.service" in systemd.calls
    assert main(["service", "uninstall"]) == 0


def test_a_systemd_that_refuses_is_one_line_and_leaves_no_unit(
    systemd: Systemd, capsys: pytest.CaptureFixture[str]
) -> None:
    systemd.answer("Failed to connect to bus", 1)
    assert main(["service", "install"]) == 2
    said = capsys.readouterr().err
    assert "Failed to connect to bus" in said
    assert said.count("\n") == 1
    assert not unit_path().exists()


def test_without_systemd_one_line_says_so(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(TopoctaveError, match="systemd cannot be reached"):
        install([])
    assert not unit_path().exists()
    assert status()["state"] == "not installed"
    assert not uninstall()


def test_every_character_of_a_name_is_quoted_for_systemd(tmp_path: Path) -> None:
    assert '"a \\"b\\" 50%% $$HOME \\\\ c"' in unit_text(["--input", 'a "b" 50% $HOME \\ c'])
    with pytest.raises(TopoctaveError, match="printable"):
        unit_text(["--input", "a\nExecStartPre=b"])
    if not shutil.which("systemd-analyze"):
        pytest.skip("missing systemd-analyze")
    unit = tmp_path / "topoctave.service"
    unit.write_text(unit_text(["--input", 'a "b" 50% $HOME']).replace(sys.executable, "/bin/sh"))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)], capture_output=True, text=True
    )
    assert "topoctave.service" not in done.stderr
