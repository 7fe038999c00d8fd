"""The training configuration, with ranges beside its fields."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
)
from pydantic_core import PydanticCustomError


def _range(words: str, holds: Callable[[float], bool]) -> AfterValidator:
    """A check of a number; ``words`` go on after "must"."""

    def check(value: float) -> float:
        if not holds(value):
            raise PydanticCustomError("range", words)
        return value

    return AfterValidator(check)


# TOML knows nan and inf: no range includes them.
_POSITIVE = _range("be positive", lambda x: 0 < x < math.inf)
_NOT_NEGATIVE = _range("not be negative", lambda x: 0 <= x < math.inf)
_BELOW_ONE = _range("be in [0, 1)", lambda x: 0 <= x < 1)

# Strict: whole numbers become floats, and nothing else is converted.
PositiveInt = Annotated[StrictInt, _POSITIVE]
PositiveFloat = Annotated[StrictFloat, _POSITIVE]
NotNegativeInt = Annotated[StrictInt, _NOT_NEGATIVE]
NotNegativeFloat = Annotated[StrictFloat, _NOT_NEGATIVE]
Share = Annotated[StrictFloat, _range("be in [0, 1]", lambda x: 0 <= x <= 1)]
Decay = Annotated[StrictFloat, _BELOW_ONE]
Betas = tuple[Decay, Decay]
SegmentLength = Annotated[
    StrictInt, _range("be a multiple of 128 from 2048 on", lambda x: x >= 2048 and x % 128 == 0)
]
CutoffHz = Annotated[StrictFloat, _range("be between 1000 and 20000", lambda x: 1_000 < x < 20_000)]
CropLength = Annotated[StrictInt, _range("be 0 or from 4096 on", lambda x: x == 0 or x >= 4096)]


class _Section:
    """A table of the file; unknown keys are refused."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


def _kind(default: str) -> Discriminator:
    """The class of a section by its ``kind``."""

    def kind(section: Any) -> Any:
        if isinstance(section, dict):
            return section.get("kind", default)
        return getattr(section, "kind", None)

    return Discriminator(kind)


@dataclass(frozen=True, kw_only=True)
class DataConfig(_Section):
    """Where the recordings are and how pairs are made of them."""

    train: StrictStr
    """Folder of 44.1 kHz recordings, searched recursively."""
    validation: StrictStr
    also: StrictStr = ""
    """Folder of other recordings, music for instance, or none."""
    also_share: Share = 0.1
    """Share of the segments that are cut from them."""
    tones_share: Share = 0.0
    """Share of the segments that are lone tones, made on the spot."""
    segment_samples: SegmentLength = 88_192
    """Length of a training segment at 44.1 kHz; a multiple of 128 (2 s are 689 x 128)."""
    validation_clips: PositiveInt = 60
    degradation: Literal["random", "thesis"] = "random"
    """``random`` (low-passes, gain, equalisation and noise floors) or ``thesis`` (one low-pass)."""
    pool: NotNegativeInt = 0
    """How many random filters are drawn in advance; 0 draws fresh ones for every segment."""
    variety: PositiveFloat = 1.0
    """How much microphones and rooms differ; see :class:`models.data.degrade.Degrader`."""
    air_db: NotNegativeFloat = 0.0
    """Mean tilt of microphones above 11 kHz, in dB per octave; see :mod:`models.data.degrade`."""


@dataclass(frozen=True, kw_only=True)
class UNetConfig(_Section):
    """The U-Net of the thesis; see :class:`models.networks.unet.UNet`."""

    kind: Literal["unet"] = "unet"
    width: PositiveInt = 16
    align_corners: StrictBool = False


@dataclass(frozen=True, kw_only=True)
class OctaveConfig(_Section):
    """The generator of the octave: the fields that the constructor of its network takes."""

    kind: Literal["octave"] = "octave"
    width: PositiveInt = 64
    kernel: PositiveInt = 2
    pointwise: NotNegativeInt = 1
    expansion: PositiveInt = 2


NetworkConfig = Annotated[
    Annotated[UNetConfig, Tag("unet")] | Annotated[OctaveConfig, Tag("octave")], _kind("unet")
]


@dataclass(frozen=True, kw_only=True)
class ThesisObjectiveConfig(_Section):
    """The objective of the thesis; see :class:`models.losses.stft.Objective`."""

    kind: Literal["thesis"] = "thesis"
    mse_weight: NotNegativeFloat = 100.0


@dataclass(frozen=True, kw_only=True)
class OctaveObjectiveConfig(_Section):
    """The objective of the octave: the fields that its constructor takes."""

    kind: Literal["octave"] = "octave"


ObjectiveConfig = Annotated[
    Annotated[ThesisObjectiveConfig, Tag("thesis")]
    | Annotated[OctaveObjectiveConfig, Tag("octave")],
    _kind("thesis"),
]


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig(_Section):
    """Adam and its schedule: linear warm-up, constant, decay to zero at the end."""

    learning_rate: PositiveFloat = 1e-4
    betas: Betas = (0.9, 0.999)
    weight_decay: NotNegativeFloat = 1e-5
    decoupled_weight_decay: StrictBool = False
    """AdamW's (Loshchilov and Hutter, 2019), in proportion to the learning rate."""
    gradient_norm: PositiveFloat = 10.0
    warmup_steps: NotNegativeInt = 0
    decay_steps: NotNegativeInt = 0
    """How many of the last steps the learning rate falls to zero over."""
    decay: Literal["linear", "cosine"] = "linear"
    """How it falls: ``linear`` or ``cosine``."""


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig(_Section):
    """The adversarial phase; there is none in a configuration without this section."""

    start_step: NotNegativeInt
    """First step that hears discriminators; before it they do not learn either."""
    adversarial_weight: NotNegativeFloat = 1.0
    feature_weight: NotNegativeFloat = 2.0
    generator_factor: NotNegativeFloat = 1.0
    """Of the network's learning rate, while the phase lasts."""
    learning_rate: NotNegativeFloat = 2e-4
    """Of the discriminators; it decays with that of the network."""
    betas: Betas = (0.8, 0.99)
    gradient_norm: NotNegativeFloat = 10.0
    from_hz: CutoffHz = 9_000.0
    """The discriminators see what lies above."""
    period_channels: NotNegativeInt = 8
    """Size of the multi-period discriminators (HiFi-GAN has 32); 0 leaves them out."""
    band_channels: NotNegativeInt = 16
    """Size of the spectral discriminators; 0 leaves them out."""
    crop_samples: CropLength = 16_384
    """Length of the piece of each segment that is judged; 0 judges all of it."""

    def __post_init__(self) -> None:
        """At least one kind of discriminators.

        Raises:
            ValueError: if there is none.
        """
        if not (self.period_channels or self.band_channels):
            raise ValueError("period_channels or band_channels must be positive")


@dataclass(frozen=True, kw_only=True)
class RunConfig(_Section):
    """Length, batch and bookkeeping of one training."""

    folder: StrictStr
    """Where checkpoints and the log go."""
    steps: PositiveInt
    batch_size: PositiveInt = 16
    """Of all processes together: a recipe stays the same on several GPUs."""
    seed: NotNegativeInt = 0
    ema_decay: Decay = 0.0
    """Decay per step of the averaged weights; 0 keeps none."""
    bf16: StrictBool = False
    """Forward and backward in bfloat16 where torch's autocast allows it."""
    bf16_backward: StrictBool = False
    """Convolutions exact forward, gradients in bfloat16; :mod:`models.training.bf16_backward`."""
    tf32: StrictBool = True
    """On CUDA devices: products of 11-bit numbers in float32 arithmetic."""
    validate_every: PositiveInt = 1000
    patience: NotNegativeInt = 0
    """Stop after so many validations without a lower spectral convergence (or loss, where
    the objective has none); 0 never does."""
    device: StrictStr = "auto"
    loaders: NotNegativeInt = 0
    """Threads that make batches ahead, for GPUs; 0 makes each when it is asked for."""
    tensorboard: StrictBool = True
    """Scalars, audio and spectrograms for TensorBoard, where that is installed."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(_Section):
    """Everything a training needs."""

    data: DataConfig
    run: RunConfig
    network: NetworkConfig = field(default_factory=UNetConfig)
    objective: ObjectiveConfig = field(default_factory=ThesisObjectiveConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    adversarial: AdversarialConfig | None = None
