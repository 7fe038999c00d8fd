"""Settings of a live session."""

from dataclasses import dataclass

from realtime.inference.tuning import Requested

VIRTUAL_MIC = "virtual-mic"
"""The output that other programs see as a microphone."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings that need a new engine when they change."""

    input: str = "default"
    """``default``, ``demo``, an audio file, or a device by name, part of a name or index."""
    output: str = "default"
    """``default``, ``null``, ``virtual-mic``, a ``.wav`` or ``.flac`` file, or a device."""
    model: str = "auto"
    """A shipped model's name, the path of a ``.ts`` file, or ``auto``."""
    model_b: str = ""
    """A second network, which bypass plays instead of the upsampled input; empty for none."""
    block_samples: int = 1024
    """Output samples per block; a multiple of 128."""
    compute: str = "auto"
    """``auto``, ``cpu`` or ``cuda``."""
    threads: int | None = None
    """CPU threads of the network; None chooses."""
    dtype: str | None = None
    """``float32``, ``tf32`` (GPUs) or ``bfloat16``; None for tf32 on GPUs, float32 on CPUs."""
    loop: bool = False
    """Repeat a file input."""

    @property
    def requested(self) -> Requested:
        """The options of the network."""
        return Requested(compute=self.compute, threads=self.threads, dtype=self.dtype)
