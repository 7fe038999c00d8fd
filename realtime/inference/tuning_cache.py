"""Keeps what was measured on this machine, so that it is measured once."""

import contextlib
import json
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import platformdirs

from realtime.inference.cpu_info import cpu_name
from realtime.inference.model_file import ModelInfo, finite_number

FILE_NAME = "tuning.json"

# The newest are kept. A machine with many models and block sizes needs dozens.
MAX_ENTRIES = 500


def cache_key(what: str, info: ModelInfo, **conditions: object) -> str:
    """Key of a measurement: the machine, the model file, the program's version and conditions."""
    try:
        stat = info.path.stat()
        file = f"{info.path.name} {stat.st_size} {stat.st_mtime_ns}"
    except OSError:
        file = str(info.path)
    given = ", ".join(f"{k} {v}" for k, v in sorted(conditions.items()))
    versions = ", ".join(f"{name} {_version(name)}" for name in ("topoctave", "torch"))
    return "; ".join([what, file, given, cpu_name(), versions])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


class TuningCache:
    """Numbers by key, in a file.

    A file that is missing, damaged or read-only is no error: the numbers are measured again. If two
    processes write at once, the later one wins. By default it is in the user's cache folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        folder = platformdirs.user_cache_path("topoctave", appauthor=False)
        # Without a home it begins with a tilde.
        self._path = path or (folder / FILE_NAME if folder.is_absolute() else None)

    def number(self, key: str) -> float | None:
        """A measured number, or None."""
        return finite_number(self._read().get(key))

    def put(self, key: str, value: float) -> None:
        """Keep a number, if the file can be written."""
        values = self._read()
        values.pop(key, None)
        values[key] = value
        self._write(dict(list(values.items())[-MAX_ENTRIES:]))

    def _read(self) -> dict[str, Any]:
        try:
            text = self._path.read_text(encoding="utf-8") if self._path else ""
            values = json.loads(text)
        # RecursionError: a file of brackets.
        except (OSError, ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}

    def _write(self, values: dict[str, Any]) -> None:
        if self._path is None:
            return
        # Renamed when it is whole: no reader sees half a file.
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")
                temporary.replace(self._path)
            finally:
                temporary.unlink(missing_ok=True)
