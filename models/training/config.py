"""The training configuration: its fields with their ranges, and how it is read from TOML."""

import dataclasses
import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from models.errors import ConfigError


def _range(words: str, holds: Callable[[float], bool]) -> AfterValidator:
    """A check of a number; the error message is "KEY must WORDS"."""

    def check(value: float) -> float:
        if not holds(value):
            raise PydanticCustomError("range", words)
        return value

    return AfterValidator(check)


# TOML has nan and inf: no range includes them.
_POSITIVE = _range("be positive", lambda x: 0 < x < math.inf)
_NOT_NEGATIVE = _range("not be negative", lambda x: 0 <= x < math.inf)

# Strict: whole numbers become floats, and nothing else is converted.
PositiveInt = Annotated[StrictInt, _POSITIVE]
PositiveFloat = Annotated[StrictFloat, _POSITIVE]
NotNegativeInt = Annotated[StrictInt, _NOT_NEGATIVE]
NotNegativeFloat = Annotated[StrictFloat, _NOT_NEGATIVE]
Share = Annotated[StrictFloat, _range("be in [0, 1]", lambda x: 0 <= x <= 1)]
Decay = Annotated[StrictFloat, _range("be in [0, 1)", lambda x: 0 <= x < 1)]
Betas = tuple[Decay, Decay]
SegmentLength = Annotated[
    StrictInt, _range("be a multiple of 128 from 2048 on", lambda x: x >= 2048 and x % 128 == 0)
]
CutoffHz = Annotated[StrictFloat, _range("be between 1000 and 20000", lambda x: 1_000 < x < 20_000)]
CropLength = Annotated[StrictInt, _range("be 0 or from 4096 on", lambda x: x == 0 or x >= 4096)]


class _Section:
    """A table of the file; unknown keys are errors."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class DataConfig(_Section):
    """The recordings, and how training pairs are made from them."""

    train: StrictStr
    """Folder of 44.1 kHz recordings, searched recursively."""
    validation: StrictStr
    also: StrictStr = ""
    """Folder of additional recordings, music for instance; empty for none."""
    also_share: Share = 0.1
    """Share of the segments cut from the additional recordings."""
    tones_share: Share = 0.0
    """Share of the segments that are synthetic tones."""
    segment_samples: SegmentLength = 88_192
    """Segment length at 44.1 kHz; a multiple of 128 (689 x 128 is 2 s)."""
    validation_clips: PositiveInt = 60
    degradation: Literal["random", "thesis"] = "random"
    """``random``: low-pass, level, equaliser and noise floor vary. ``thesis``: one low-pass."""
    pool: NotNegativeInt = 0
    """Number of random filters drawn in advance; 0 draws new ones for every segment."""
    variety: PositiveFloat = 1.0
    """Factor on the spread of equalisers and noise floors."""
    air_db: NotNegativeFloat = 0.0
    """Mean tilt of the equalisers above 11 kHz, in dB per octave."""


@dataclass(frozen=True, kw_only=True)
class UNetConfig(_Section):
    """The U-Net of the thesis; see :class:`models.networks.unet.UNet`."""

    kind: Literal["unet"] = "unet"
    width: PositiveInt = 16
    align_corners: StrictBool = False


@dataclass(frozen=True, kw_only=True)
class OctaveConfig(_Section):
    """The arguments of :class:`models.networks.octave.Octave`."""

    kind: Literal["octave"] = "octave"
    width: PositiveInt = 64
    kernel: PositiveInt = 2
    pointwise: NotNegativeInt = 1
    expansion: PositiveInt = 2


NetworkConfig = Annotated[UNetConfig | OctaveConfig, Discriminator("kind")]


@dataclass(frozen=True, kw_only=True)
class ThesisObjectiveConfig(_Section):
    """The objective of the thesis; see :class:`models.losses.stft.Objective`."""

    kind: Literal["thesis"] = "thesis"
    mse_weight: NotNegativeFloat = 100.0


@dataclass(frozen=True, kw_only=True)
class OctaveObjectiveConfig(_Section):
    """The objective of the octave; see :class:`models.losses.octave.OctaveObjective`."""

    kind: Literal["octave"] = "octave"


ObjectiveConfig = Annotated[ThesisObjectiveConfig | OctaveObjectiveConfig, Discriminator("kind")]


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig(_Section):
    """Adam and its schedule: linear warm-up, constant rate, decay to zero at the end."""

    learning_rate: PositiveFloat = 1e-4
    betas: Betas = (0.9, 0.999)
    weight_decay: NotNegativeFloat = 1e-5
    decoupled_weight_decay: StrictBool = False
    """Use AdamW (Loshchilov and Hutter, 2019) instead of Adam."""
    gradient_norm: PositiveFloat = 10.0
    warmup_steps: NotNegativeInt = 0
    decay_steps: NotNegativeInt = 0
    """Number of steps at the end over which the learning rate falls to zero."""
    decay: Literal["linear", "cosine"] = "linear"


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig(_Section):
    """The adversarial phase; without this section there is none."""

    start_step: NotNegativeInt
    """First step with discriminators; they are not trained before it."""
    adversarial_weight: NotNegativeFloat = 1.0
    feature_weight: NotNegativeFloat = 2.0
    generator_factor: NotNegativeFloat = 1.0
    """Factor on the network's learning rate during the phase."""
    learning_rate: NotNegativeFloat = 2e-4
    """Learning rate of the discriminators; it decays with the network's."""
    betas: Betas = (0.8, 0.99)
    gradient_norm: NotNegativeFloat = 10.0
    from_hz: CutoffHz = 9_000.0
    """Lower end of the discriminators' band."""
    period_channels: NotNegativeInt = 8
    """First channel count of the multi-period discriminators (HiFi-GAN: 32); 0 for none."""
    band_channels: NotNegativeInt = 16
    """Channels of the spectral discriminators; 0 for none."""
    crop_samples: CropLength = 16_384
    """Length of the crop the discriminators see; 0 for the whole segment."""

    def __post_init__(self) -> None:
        """Pydantic turns the ValueError into an error of the section."""
        if not (self.period_channels or self.band_channels):
            raise ValueError("period_channels or band_channels must be positive")


@dataclass(frozen=True, kw_only=True)
class RunConfig(_Section):
    """Length, batch size, precision and output of a training."""

    folder: StrictStr
    """Folder of checkpoints and log."""
    steps: PositiveInt
    batch_size: PositiveInt = 16
    """Segments per step, of all processes together."""
    seed: NotNegativeInt = 0
    ema_decay: Decay = 0.0
    """Decay per step of the averaged weights; 0 for no averaging."""
    bf16: StrictBool = False
    """Run forward and backward under torch's bfloat16 autocast."""
    bf16_backward: StrictBool = False
    """Float32 forward, bfloat16 gradients; see :mod:`models.training.bf16_backward`."""
    tf32: StrictBool = True
    """Allow TF32 (11-bit significands) in float32 products on CUDA devices."""
    validate_every: PositiveInt = 1000
    patience: NotNegativeInt = 0
    """Validations without a lower spectral convergence (or total loss, where the objective has
    none) before the training stops; 0 for no limit."""
    device: StrictStr = "auto"
    loaders: NotNegativeInt = 0
    """Threads that prepare batches in advance; 0 prepares each on demand."""
    tensorboard: StrictBool = True
    """Write scalars, audio and spectrograms for TensorBoard, if installed."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(_Section):
    """Everything a training needs."""

    data: DataConfig
    run: RunConfig
    network: NetworkConfig = field(default_factory=UNetConfig)
    objective: ObjectiveConfig = field(default_factory=ThesisObjectiveConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    adversarial: AdversarialConfig | None = None


# By pydantic's location of an error: the section and its kind, if it has kinds.
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
    """Read and check a training configuration from a TOML file.

    Raises:
        ConfigError: if the file is missing, not TOML, or has a wrong key or value.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    for section, kind in (("network", "unet"), ("objective", "thesis")):
        if isinstance(tables.get(section), dict):
            tables[section].setdefault("kind", kind)
    try:
        return TypeAdapter(TrainConfig).validate_python(tables)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_message(error.errors())}") from error


def _message(errors: list[ErrorDetails]) -> str:
    """The first error in words; a misspelt key precedes the missing key it stands for."""
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
    if kind in ("dataclass_type", "model_attributes_type"):
        return f"[{key}] must be a table"
    if kind == "union_tag_invalid":
        allowed = error["ctx"]["expected_tags"].replace("'", "").replace(", ", " or ")
        return f"{key}.kind must be {allowed}, got {value['kind']!r}"
    if kind == "value_error":  # of a section as a whole
        return f"{key}.{error['ctx']['error']}"
    # The location also holds a list's index or a section's kind.
    name = f"{place[0]}.{place[2] if place[:2] in _TABLES else place[1]}"
    if kind in ("tuple_type", "too_long", "missing"):
        return f"{name} must be a list of 2, got {value!r}"
    if kind == "literal_error":
        return f"{name} must be {error['ctx']['expected'].replace(chr(39), '')}, got {value!r}"
    if kind in _TYPES:
        return f"{name} must be {_TYPES[kind]}, got {value!r}"
    return f"{name} must {error['msg']}, got {value!r}"
