"""Reads a training configuration from a TOML file."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from models.errors import ConfigError
from models.training.config import (
    AdversarialConfig,
    DataConfig,
    OctaveConfig,
    OctaveObjectiveConfig,
    OptimiserConfig,
    RunConfig,
    ThesisObjectiveConfig,
    TrainConfig,
    UNetConfig,
)

# By pydantic's location of an error: the section and, where it has kinds, the kind.
_TABLES: dict[tuple[int | str, ...], type[Any]] = {
    (): TrainConfig,
    ("data",): DataConfig,
    ("run",): RunConfig,
    ("network", "unet"): UNetConfig,
    ("network", "octave"): OctaveConfig,
    ("objective", "thesis"): ThesisObjectiveConfig,
    ("objective", "octave"): OctaveObjectiveConfig,
    ("optimiser",): OptimiserConfig,
    ("adversarial",): AdversarialConfig,
}
_TYPES = {"int_type": "int", "float_type": "float", "bool_type": "bool", "string_type": "str"}


def load_config(path: Path) -> TrainConfig:
    """Read and check a training configuration.

    Raises:
        ConfigError: if the file is missing, is not TOML, or a key or value is wrong; the message
            names it.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    try:
        return TypeAdapter(TrainConfig).validate_python(tables)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_message(error.errors())}") from error


def _message(errors: list[ErrorDetails]) -> str:
    """The first mistake in words; a misspelt key goes before the one that is missing for it."""
    error = min(errors, key=lambda e: e["type"] != "unexpected_keyword_argument")
    kind, place, value = error["type"], error["loc"], error["input"]
    table, key = place[:-1], place[-1]
    if kind == "unexpected_keyword_argument":
        known = ", ".join(f.name for f in dataclasses.fields(_TABLES[table]))
        what = f"key {table[0]}.{key}" if table else f"section [{key}]"
        return f"unknown {what}; known are {known}"
    if kind == "missing" and not table:
        return f"section [{key}] is missing"
    if kind == "missing" and table in _TABLES:
        lacking = [e["loc"] for e in errors if e["type"] == kind]
        missing = sorted(str(loc[-1]) for loc in lacking if loc[:-1] == table)
        return f"[{table[0]}] lacks {', '.join(missing)}"
    if kind in ("dataclass_type", "union_tag_not_found"):
        return f"[{key}] must be a table"
    if kind == "union_tag_invalid":
        allowed = error["ctx"]["expected_tags"].replace("'", "").replace(", ", " or ")
        return f"{key}.kind must be {allowed}, got {value['kind']!r}"
    if kind == "value_error":  # of a section as a whole
        return f"{key}.{error['ctx']['error']}"
    # Of lists and sections with kinds pydantic names the place or the kind, too.
    name = f"{place[0]}.{place[2] if place[:2] in _TABLES else place[1]}"
    if kind in ("tuple_type", "too_long", "missing"):
        return f"{name} must be a list of 2, got {value!r}"
    if kind == "literal_error":
        return f"{name} must be {error['ctx']['expected'].replace(chr(39), '')}, got {value!r}"
    if kind in _TYPES:
        return f"{name} must be {_TYPES[kind]}, got {value!r}"
    return f"{name} must {error['msg']}, got {value!r}"
