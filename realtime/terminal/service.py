"""``topoctave service``: the virtual microphone as a user's service of systemd."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.errors import TopoctaveError, error_line

NAME = "topoctave.service"
# On failure: the sound server may not run yet, and a microphone may be plugged in again. Exit code
# 130: it was stopped while it loaded.
UNIT = """\
[Unit]
Description=Topoctave: a microphone with its top octave restored
After=pipewire.service wireplumber.service pipewire-pulse.service pulseaudio.service

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=5
SuccessExitStatus=130

[Install]
WantedBy=default.target
"""


def unit_path() -> Path:
    """Where the unit lies."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "systemd" / "user" / NAME


def unit_text(options: Sequence[str]) -> str:
    """The unit that runs ``topoctave live --virtual-mic`` with these options."""
    command = [sys.executable, "-m", "topoctave", "live", "--virtual-mic", *options]
    return UNIT.format(command=" ".join(_quoted(word) for word in command))


def _quoted(word: str) -> str:
    """A word of a command, as systemd.service(5) and systemd.syntax(7) want it."""
    if not word.isprintable():
        raise TopoctaveError(f"a service's options must be printable, got {word!r}")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _systemctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["systemctl", "--user", *arguments], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise TopoctaveError(f"systemd cannot be reached: {error_line(error)}") from error


def _must(*arguments: str) -> None:
    done = _systemctl(*arguments)
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise TopoctaveError(f"systemctl --user {' '.join(arguments)} failed: {reason}")


def install(options: Sequence[str]) -> None:
    """Write the unit and start it, now and at every login; replaces an installed one.

    Raises:
        TopoctaveError: if there is no systemd, or it refuses; the unit is not kept then.
    """
    path = unit_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unit_text(options), encoding="utf-8")
    try:
        _must("daemon-reload")
        _must("enable", NAME)
        _must("restart", NAME)
    except TopoctaveError:
        path.unlink()
        raise


def uninstall() -> bool:
    """Stop the service and remove its unit; returns False if there was none.

    Raises:
        TopoctaveError: if systemd refuses.
    """
    if not unit_path().exists():
        return False
    _must("disable", "--now", NAME)
    unit_path().unlink()
    _must("daemon-reload")
    return True


def status() -> dict[str, Any]:
    """The object of ``topoctave service status --json``."""
    installed = unit_path().exists()
    state = _systemctl("is-active", NAME).stdout.strip() if installed else ""
    return {"unit": str(unit_path()), "installed": installed, "state": state or "not installed"}
