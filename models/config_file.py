"""A training configuration from a TOML file, checked against its dataclasses."""

import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin

from models.config import (
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

# By section, and there by `kind`; the first one is what a section without a kind is.
_SECTIONS: dict[str, dict[str, type]] = {
    "data": {"": DataConfig},
    "run": {"": RunConfig},
    "network": {"unet": UNetConfig, "octave": OctaveConfig},
    "objective": {"thesis": ThesisObjectiveConfig, "octave": OctaveObjectiveConfig},
    "optimiser": {"": OptimiserConfig},
    "adversarial": {"": AdversarialConfig},
}


def _dataclass(name: str, table: dict[str, Any], where: Path) -> type:
    """The dataclass of a section."""
    kinds = _SECTIONS[name]
    if len(kinds) == 1:
        return next(iter(kinds.values()))
    kind = table.get("kind", next(iter(kinds)))
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"{where}: {name}.kind must be {' or '.join(kinds)}, got {kind!r}")
    return kinds[kind]


def _value(value: Any, wanted: Any) -> Any:
    """A value of TOML as the type that a field wants.

    Raises:
        ValueError: if it is none.
    """
    if get_origin(wanted) is tuple:
        types = get_args(wanted)
        if type(value) is not list or len(value) != len(types):
            raise ValueError(f"a list of {len(types)}")
        return tuple(_value(v, t) for v, t in zip(value, types, strict=True))
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ValueError(wanted.__name__)
    return value


def _section(name: str, table: Any, where: Path) -> Any:
    if not isinstance(table, dict):
        raise ValueError(f"{where}: [{name}] must be a table")
    kind = _dataclass(name, table, where)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            raise ValueError(f"{where}: unknown key {name}.{key}; known are {', '.join(fields)}")
        try:
            values[key] = _value(value, fields[key].type)
        except ValueError as error:
            raise ValueError(f"{where}: {name}.{key} must be {error}, got {value!r}") from error
    required = {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}
    if missing := sorted(required - values.keys()):
        raise ValueError(f"{where}: [{name}] lacks {', '.join(missing)}")
    return kind(**values)


def load_config(path: Path) -> TrainConfig:
    """Read and check a training configuration.

    Raises:
        ValueError: if the file is missing, is not TOML, or a key or value is wrong; the message
            names it.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    if unknown := sorted(tables.keys() - _SECTIONS.keys()):
        raise ValueError(
            f"{path}: unknown section [{unknown[0]}]; known are {', '.join(_SECTIONS)}"
        )
    if missing := sorted({"data", "run"} - tables.keys()):
        raise ValueError(f"{path}: section [{missing[0]}] is missing")
    config = TrainConfig(**{name: _section(name, t, path) for name, t in tables.items()})
    _check_ranges(config, path)
    return config


def _check_ranges(config: TrainConfig, where: Path) -> None:
    if config.data.segment_samples < 2048 or config.data.segment_samples % 128:
        raise ValueError(
            f"{where}: data.segment_samples must be a multiple of 128 from 2048 on, "
            f"got {config.data.segment_samples}"
        )
    if config.data.degradation not in ("random", "thesis"):
        raise ValueError(
            f"{where}: data.degradation must be random or thesis, got {config.data.degradation!r}"
        )
    for name in ("also_share", "tones_share"):
        if not 0.0 <= getattr(config.data, name) <= 1.0:
            raise ValueError(f"{where}: data.{name} must be in [0, 1]")
    if config.optimiser.decay not in ("linear", "cosine"):
        raise ValueError(
            f"{where}: optimiser.decay must be linear or cosine, got {config.optimiser.decay!r}"
        )
    run, optimiser = config.run, config.optimiser
    positive = {
        "run.steps": run.steps,
        "run.batch_size": run.batch_size,
        "run.validate_every": run.validate_every,
        "network.width": config.network.width,
        "optimiser.learning_rate": optimiser.learning_rate,
        "optimiser.gradient_norm": optimiser.gradient_norm,
        "data.validation_clips": config.data.validation_clips,
        "data.variety": config.data.variety,
    }
    not_negative = {
        "run.seed": run.seed,
        "run.patience": run.patience,
        "run.loaders": run.loaders,
        "data.pool": config.data.pool,
        "data.air_db": config.data.air_db,
        "optimiser.weight_decay": optimiser.weight_decay,
        "optimiser.warmup_steps": optimiser.warmup_steps,
        "optimiser.decay_steps": optimiser.decay_steps,
    }
    for name in ("network", "objective", "adversarial"):
        section = getattr(config, name)
        numbers = dataclasses.asdict(section).items() if section else []
        not_negative |= {f"{name}.{k}": v for k, v in numbers if isinstance(v, int | float)}
    # TOML knows nan and inf, and nan is neither below nor above anything.
    for name, value in positive.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{where}: {name} must be positive, got {value}")
    for name, value in not_negative.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{where}: {name} must not be negative, got {value}")
    for name, betas in _betas(config).items():
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"{where}: {name}.betas must be in [0, 1), got {betas}")
    if config.adversarial:
        _check_adversarial(config.adversarial, where)
    if not 0.0 <= run.ema_decay < 1.0:
        raise ValueError(f"{where}: run.ema_decay must be in [0, 1), got {run.ema_decay}")


def _betas(config: TrainConfig) -> dict[str, tuple[float, float]]:
    """By section."""
    found = {"optimiser": config.optimiser.betas}
    return found | ({"adversarial": config.adversarial.betas} if config.adversarial else {})


def _check_adversarial(config: AdversarialConfig, where: Path) -> None:
    if not 1_000 < config.from_hz < 20_000:
        raise ValueError(
            f"{where}: adversarial.from_hz must be between 1000 and 20000, got {config.from_hz}"
        )
    if not (config.period_channels or config.band_channels):
        raise ValueError(f"{where}: adversarial.period_channels or band_channels must be positive")
    if config.crop_samples and config.crop_samples < 4096:
        raise ValueError(
            f"{where}: adversarial.crop_samples must be 0 or from 4096 on, "
            f"got {config.crop_samples}"
        )
