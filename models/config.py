"""The training configuration; :mod:`models.config_file` reads it from TOML."""

from dataclasses import dataclass, field


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
    tones_share: float = 0.0
    """Share of the segments that are lone tones, made on the spot."""
    segment_samples: int = 88_192
    """Length of a training segment at 44.1 kHz; a multiple of 128 (2 s are 689 x 128)."""
    validation_clips: int = 60
    degradation: str = "random"
    """``random`` (low-passes, gain, equalisation and noise floors) or ``thesis`` (one low-pass)."""
    pool: int = 0
    """How many random filters are drawn in advance; 0 draws fresh ones for every segment."""
    variety: float = 1.0
    """How much microphones and rooms differ; see :class:`models.degrade.Degrader`."""
    air_db: float = 0.0
    """Mean tilt of microphones above 11 kHz, per octave; see :class:`models.degrade.Degrader`."""


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
    width: int = 64
    kernel: int = 2
    pointwise: int = 1
    expansion: int = 2


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
class AdversarialConfig:
    """The adversarial phase; there is none in a configuration without this section."""

    start_step: int
    """First step that hears discriminators; before it they do not learn either."""
    adversarial_weight: float = 1.0
    feature_weight: float = 2.0
    generator_factor: float = 1.0
    """Of the network's learning rate, while the phase lasts."""
    learning_rate: float = 2e-4
    """Of the discriminators; it decays with that of the network."""
    betas: tuple[float, float] = (0.8, 0.99)
    gradient_norm: float = 10.0
    from_hz: float = 9_000.0
    """The discriminators see what lies above."""
    period_channels: int = 8
    """Size of the multi-period discriminators (HiFi-GAN has 32); 0 leaves them out."""
    band_channels: int = 16
    """Size of the spectral discriminators; 0 leaves them out."""
    crop_samples: int = 16_384
    """Length of the piece of each segment that is judged; 0 judges all of it."""


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
    adversarial: AdversarialConfig | None = None
