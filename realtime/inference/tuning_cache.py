"""What was measured on this machine before, so that it is measured once."""

import json
import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import platformdirs

from realtime.inference.cpu_info import machine_name
from realtime.inference.model_file import ModelInfo, finite_number

FILE_NAME = "measurements.json"

# The newest are kept; a machine with many models and block sizes needs dozens.
MAX_ENTRIES = 500


def measurement_key(what: str, info: ModelInfo, **conditions: object) -> str:
    """A name for one measurement: another machine, program or model file is another one.

    Args:
        what: is measured.
        info: of the model.
        conditions: everything else that the result depends on.
    """
    try:
        stat = info.path.stat()
        file = f"{info.path.name} {stat.st_size} {stat.st_mtime_ns}"
    except OSError:
        file = str(info.path)
    given = ", ".join(f"{k} {v}" for k, v in sorted(conditions.items()))
    versions = ", ".join(f"{name} {_version(name)}" for name in ("topoctave", "torch"))
    return "; ".join([what, file, given, machine_name(), versions])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


class Measurements:
    """Results by name, in a file.

    Nothing depends on the file: where it is missing, damaged or cannot be written, things are
    measured again. Of two processes that write at once the later one wins.

    Args:
        path: of the file; in the user's cache folder by default.
    """

    def __init__(self, path: Path | None = None) -> None:
        folder = platformdirs.user_cache_path("topoctave", appauthor=False)
        # For a user without a home it begins with a tilde.
        self._path = path or (folder / FILE_NAME if folder.is_absolute() else None)

    def number(self, key: str) -> float | None:
        """A measured number, or None."""
        return finite_number(self._read().get(key))

    def record(self, key: str) -> dict[str, Any] | None:
        """Several measured values by name, or None."""
        value = self._read().get(key)
        return value if isinstance(value, dict) else None

    def put(self, key: str, value: float | dict[str, Any]) -> None:
        """Remember a result, if that is possible."""
        values = self._read()
        values.pop(key, None)
        values[key] = value
        self._write(dict(list(values.items())[-MAX_ENTRIES:]))

    def _read(self) -> dict[str, Any]:
        try:
            text = self._path.read_text(encoding="utf-8") if self._path else ""
            values = json.loads(text)
        # RecursionError: a file of brackets. A damaged file is as good as none.
        except (OSError, ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}

    def _write(self, values: dict[str, Any]) -> None:
        if self._path is None:
            return
        temporary = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Written beside and renamed, so that no reader ever sees half of it.
            handle, name = tempfile.mkstemp(dir=self._path.parent, suffix=".tmp")
            temporary = Path(name)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(values, file, indent=1)
            temporary.replace(self._path)
        except OSError:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
