"""Latency by named parts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """Delay from input to output by named parts, in samples at 44.1 kHz.

    Constant from the start of the engine on. The device parts are the driver's estimates
    (with the rate converters, where some run); the others are exact.
    """

    device_in: int = 0
    block: int = 0
    front_end: int = 0
    model: int = 0
    crossfade: int = 0
    safety: int = 0
    """The prefill of the output queue."""
    device_out: int = 0

    @property
    def engine(self) -> int:
        """The engine's own part: everything but the devices."""
        return self.block + self.front_end + self.model + self.crossfade + self.safety

    @property
    def total(self) -> int:
        """All parts together."""
        return self.device_in + self.engine + self.device_out
