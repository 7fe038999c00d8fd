"""The training configuration: a TOML file checked against dataclasses."""

import dataclasses
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the recordings are and how pairs are made of them."""

    train: str
    """Folder of 44.1 kHz recordings, searched recursively."""
    validation: str
    also: str = ""
    """Folder of other recordings, music for instance, or none."""
    also_share: float = 0.1
    """Share of the segments that are cut from them."""
    segment_samples: int = 88_192
    """Length of a training segment at 44.1 kHz; a multiple of 128 (2 s are 689 x 128)."""
    validation_clips: int = 60
    degradation: str = "random"
    """``random`` (low-passes, gain, equalisation and noise floors) or ``thesis`` (one low-pass)."""
    pool: int = 0
    """How many random filters are drawn in advance; 0 draws fresh ones for every segment."""


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """The U-Net of the thesis; see :class:`models.unet.UNet`."""

    kind: str = "unet"
    width: int = 16
    align_corners: bool = False


@dataclass(frozen=True, kw_only=True)
class OctaveConfig:
    """The generator of the octave: the fields that the constructor of its network takes."""

    kind: str = "octave"
    width: int = 160
    blocks: int = 6


NetworkConfig = UNetConfig | OctaveConfig


@dataclass(frozen=True, kw_only=True)
class ThesisObjectiveConfig:
    """The objective of the thesis; see :class:`models.losses.Objective`."""

    kind: str = "thesis"
    mse_weight: float = 100.0


@dataclass(frozen=True, kw_only=True)
class OctaveObjectiveConfig:
    """The objective of the octave: the fields that its constructor takes."""

    kind: str = "octave"


ObjectiveConfig = ThesisObjectiveConfig | OctaveObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """Adam and its schedule: linear warm-up, constant, decay to zero at the end."""

    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 1e-5
    decoupled_weight_decay: bool = False
    """AdamW's (Loshchilov and Hutter, 2019), in proportion to the learning rate."""
    gradient_norm: float = 10.0
    warmup_steps: int = 0
    decay_steps: int = 0
    """How many of the last steps the learning rate falls to zero over."""
    decay: str = "linear"
    """How it falls: ``linear`` or ``cosine``."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Length, batch and bookkeeping of one training."""

    folder: str
    """Where checkpoints and the log go."""
    steps: int
    batch_size: int = 16
    """Of all processes together: a recipe stays the same on several GPUs."""
    seed: int = 0
    ema_decay: float = 0.0
    """Decay per step of the averaged weights; 0 keeps none."""
    bf16: bool = False
    """Forward and backward in bfloat16 where torch's autocast allows it."""
    bf16_backward: bool = False
    """Convolutions exact forward, their gradients in bfloat16; see :mod:`models.precision`."""
    tf32: bool = True
    """On CUDA devices: products of 11-bit numbers in float32 arithmetic."""
    validate_every: int = 1000
    patience: int = 0
    """Stop after so many validations without a lower spectral convergence (or loss, where
    the objective has none); 0 never does."""
    device: str = "auto"
    loaders: int = 0
    """Threads that make batches ahead, for GPUs; 0 makes each when it is asked for."""
    tensorboard: bool = True
    """Scalars, audio and spectrograms for TensorBoard, where that is installed."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything a training needs."""

    data: DataConfig
    run: RunConfig
    network: NetworkConfig = field(default_factory=UNetConfig)
    objective: ObjectiveConfig = field(default_factory=ThesisObjectiveConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


# By section, and there by `kind`; the first one is what a section without a kind is.
_SECTIONS: dict[str, dict[str, type]] = {
    "data": {"": DataConfig},
    "run": {"": RunConfig},
    "network": {"unet": UNetConfig, "octave": OctaveConfig},
    "objective": {"thesis": ThesisObjectiveConfig, "octave": OctaveObjectiveConfig},
    "optimiser": {"": OptimiserConfig},
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
    if not 0.0 <= config.data.also_share <= 1.0:
        raise ValueError(f"{where}: data.also_share must be in [0, 1]")
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
    }
    not_negative = {
        "run.seed": run.seed,
        "run.patience": run.patience,
        "run.loaders": run.loaders,
        "data.pool": config.data.pool,
        "optimiser.weight_decay": optimiser.weight_decay,
        "optimiser.warmup_steps": optimiser.warmup_steps,
        "optimiser.decay_steps": optimiser.decay_steps,
    }
    for name in ("network", "objective"):
        numbers = dataclasses.asdict(getattr(config, name)).items()
        not_negative |= {f"{name}.{k}": v for k, v in numbers if isinstance(v, int | float)}
    # TOML knows nan and inf, and nan is neither below nor above anything.
    for name, value in positive.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{where}: {name} must be positive, got {value}")
    for name, value in not_negative.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{where}: {name} must not be negative, got {value}")
    if not all(0.0 <= beta < 1.0 for beta in optimiser.betas):
        raise ValueError(f"{where}: optimiser.betas must be in [0, 1), got {optimiser.betas}")
    if not 0.0 <= run.ema_decay < 1.0:
        raise ValueError(f"{where}: run.ema_decay must be in [0, 1), got {run.ema_decay}")
