"""Finds how a network runs best on this machine: number format and threads, by measurement."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from realtime.errors import ModelFileError
from realtime.machine import has_bfloat16
from realtime.measurements import Measurements, measurement_key
from realtime.model_file import ModelInfo
from realtime.precision import Measurable, error_allows
from realtime.processor import Audio

# Fewer bits have to save this factor to be worth their error.
WORTH_FEWER_BITS = 1.3

# Smaller networks spend their time around the products, not in them: bfloat16 makes a U-Net of
# 1.1 M parameters half as fast at short blocks and no faster at long ones.
MANY_PARAMETERS = 4_000_000


class Fittable(Measurable, Protocol):
    """A network that can be warmed up and timed."""

    threads: int
    dtype: str
    call_s: float

    def warm_up(self, channels: int, samples: int, *, pause_s: float = 0.0) -> None:
        """Run until the speed is steady, and choose the threads."""

    def time_call(self, x: Audio, pause_s: float) -> float:
        """Median duration of a call."""


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
        dtype: ``float32``, ``tf32``, ``bfloat16``, or ``auto``.
    """

    threads: int | None = None
    dtype: str = "auto"


def rougher_dtypes(info: ModelInfo, device: str) -> tuple[str, ...]:
    """Number formats of fewer bits that are worth a trial, on ``cpu`` or a GPU."""
    if info.parameters < MANY_PARAMETERS:
        return ()
    if device != "cpu":
        return ("tf32", "bfloat16")
    return ("bfloat16",) if has_bfloat16() else ()


def fit(
    make: Callable[[Wish], Network],
    info: ModelInfo,
    calls: Calls,
    wish: Wish,
    *,
    device: str,
    measurements: Measurements | None,
) -> Network:
    """A network that is warm, in the fastest way that is exact enough.

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
    key = measurement_key("fit", info, device=device, wish=wish, calls=calls)
    known = _known(measurements, key)
    if known is not None:
        network = make(known)
        network.warm_up(calls.channels, calls.samples, pause_s=calls.pause_s)
        return network
    network = make(Wish(threads=wish.threads, dtype="float32" if _open(wish) else wish.dtype))
    network.warm_up(calls.channels, calls.samples, pause_s=calls.pause_s)
    if _open(wish):
        network = _roughest_allowed(network, make, info, calls, wish, device)
    if measurements is not None:
        measurements.put(key, {"threads": network.threads, "dtype": network.dtype})
    return network


def _open(wish: Wish) -> bool:
    return wish.dtype == "auto"


def _known(measurements: Measurements | None, key: str) -> Wish | None:
    record = measurements.record(key) if measurements else None
    if record is None:
        return None
    threads, dtype = record.get("threads"), record.get("dtype")
    valid = type(threads) is int and 1 <= threads <= 256
    if not valid or dtype not in ("float32", "tf32", "bfloat16"):
        return None
    return Wish(threads=threads, dtype=dtype)


def _roughest_allowed(
    exact: Network,
    make: Callable[[Wish], Network],
    info: ModelInfo,
    calls: Calls,
    wish: Wish,
    device: str,
) -> Network:
    """The exact network, or a rougher one that pays and whose error can be neglected."""
    best = exact
    noise = np.random.default_rng(0).normal(0.0, 0.05, (calls.channels, calls.samples))
    x = noise.astype(np.float32)
    for dtype in rougher_dtypes(info, device):
        try:
            rough = make(Wish(threads=wish.threads, dtype=dtype))
            rough.warm_up(calls.channels, calls.samples, pause_s=calls.pause_s)
        # RuntimeError: no room on the device for a second copy.
        except (ModelFileError, RuntimeError):
            # People's own networks need not know other formats than their own.
            continue
        # Timed in turn: a machine that slows down meanwhile slows both.
        now_s, then_s = (n.time_call(x, calls.pause_s) for n in (best, rough))
        if then_s * WORTH_FEWER_BITS <= now_s and error_allows(
            exact, rough, calls.channels, calls.samples
        ):
            best = rough
    return best
