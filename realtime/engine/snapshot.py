"""The engine's state at one moment, immutable, for the window and the terminal."""

from dataclasses import dataclass
from enum import StrEnum

from realtime.dsp.latency import Latency


class State(StrEnum):
    """Life of an engine."""

    READY = "ready"
    RUNNING = "running"
    FINISHED = "finished"
    """The input ended and everything was played."""
    STOPPED = "stopped"
    FAILED = "failed"
    """``Snapshot.error`` says why."""


@dataclass(frozen=True)
class Timing:
    """How long blocks take; ratios are seconds of audio per second of computing."""

    blocks: int
    ratio_median: float
    ratio_p01: float
    ratio_min: float
    block_ms_p50: float
    block_ms_p99: float
    block_ms_max: float


@dataclass(frozen=True)
class Faults:
    """Counts since the start or the last reset; events, except where samples are named."""

    input_overflow: int = 0
    """The input device lost samples before the engine saw them."""
    output_underflow: int = 0
    """The output device ran dry."""
    ring_overrun: int = 0
    """The engine was too slow and input was dropped."""
    ring_underrun: int = 0
    """The engine was late and silence was played."""
    dropped_samples: int = 0
    """Input samples, at 22.05 kHz, that the engine dropped."""
    bad_samples: int = 0
    """Input samples that were not finite and became silence."""
    late_blocks: int = 0
    """Output blocks that the device could wait for; no fault."""

    def __sub__(self, base: "Faults") -> "Faults":
        return Faults(**{k: n - getattr(base, k) for k, n in vars(self).items()})

    @property
    def total(self) -> int:
        """Device xruns and ring faults together."""
        return self.input_overflow + self.output_underflow + self.ring_overrun + self.ring_underrun


@dataclass(frozen=True)
class Level:
    """Level over the last tenth of a second, in dBFS; -inf for silence."""

    rms_db: float = float("-inf")
    peak_db: float = float("-inf")


@dataclass(frozen=True)
class Snapshot:
    """State, faults, levels and times of an engine at one moment."""

    state: State
    error: str
    """Empty, or one line for the user."""
    seconds: float
    """Audio that was processed, in seconds."""
    position_s: float
    """Position in a file input, in seconds; 0 for devices."""
    length_s: float
    """Length of a file input in seconds; 0 for devices."""
    input_name: str
    output_name: str
    input_rate_hz: int
    """The input's own rate, before any conversion to 22.05 kHz."""
    output_rate_hz: int
    model: str
    compute: str
    """``cpu`` or the name of the CUDA device."""
    threads: int
    block_samples: int
    latency: Latency
    timing: Timing
    """Over the whole run."""
    recent: Timing
    """Over the last three seconds."""
    faults: Faults
    input_level: Level
    output_level: Level
    model_reason: str = ""
    """Why this model was chosen, in one line."""
    dtype: str = "float32"
    """The network's number format: ``float32``, ``tf32`` or ``bfloat16``."""
    notice: str = ""
    """Empty, or one line: what differs from the settings, such as running on the CPU."""
    model_b: str = ""
    """The network that bypass plays; empty for the dry path."""
    fallback: str = ""
    """Why the dry path replaces the network that is listened to; empty while it does not."""
    fallbacks: int = 0
    """How often the dry path took over since the start, from any network."""
    fallback_s: float = 0.0
    """For how long, in seconds of audio."""
    looping: bool = False
    """A piece of audio replaces the input."""
