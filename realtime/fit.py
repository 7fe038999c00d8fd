"""How many CPU threads a network runs on: measured once per machine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from realtime.measurements import Measurements, measurement_key
from realtime.model_file import ModelInfo


class Fittable(Protocol):
    """A network that can be warmed up."""

    threads: int
    call_s: float

    def warm_up(self, channels: int, samples: int, *, pause_s: float = 0.0) -> None:
        """Run until the speed is steady, and choose the threads."""


Network = TypeVar("Network", bound=Fittable)


@dataclass(frozen=True, kw_only=True)
class Calls:
    """What will be asked of a network: the calls of a session."""

    channels: int
    samples: int
    """Length of a call, at the rate of the network's input."""
    pause_s: float
    """Between two calls."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user or the caller decides; the rest is measured.

    Attributes:
        threads: CPU threads, or None.
        dtype: ``float32``, ``tf32`` or ``bfloat16``; None for the device's default.
    """

    threads: int | None = None
    dtype: str | None = None


def fit(
    make: Callable[[Wish], Network],
    info: ModelInfo,
    calls: Calls,
    wish: Wish,
    *,
    device: str,
    measurements: Measurements | None,
) -> Network:
    """A network that is warm, on the number of threads that is fastest.

    Args:
        make: loads the network with a number format and threads.
        info: the model file.
        calls: what will be asked of it.
        wish: what is decided already.
        device: ``cpu`` or the GPU's name.
        measurements: where the result is looked up and kept; None measures each time.

    Raises:
        ModelFileError: if the network cannot be loaded or breaks its contract.
        ValueError: if a wish cannot be.
    """
    key = measurement_key("threads", info, device=device, wish=wish, calls=calls)
    known = _known_threads(measurements, key)
    network = make(wish if known is None else replace(wish, threads=known))
    network.warm_up(calls.channels, calls.samples, pause_s=calls.pause_s)
    if measurements is not None and known is None:
        measurements.put(key, network.threads)
    return network


def _known_threads(measurements: Measurements | None, key: str) -> int | None:
    threads = measurements.number(key) if measurements else None
    return int(threads) if threads is not None and threads in range(1, 257) else None
