"""Puts a network on the device that it is to run on, with the processor behind it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic

from realtime.errors import ModelFileError
from realtime.fit import Calls, Network, Wish, fit
from realtime.measurements import Measurements
from realtime.model_file import ModelInfo

Make = Callable[[str, Wish], Network]
"""Loads a network on ``cpu`` or ``cuda``."""


@dataclass(frozen=True)
class Placed(Generic[Network]):
    """A network where it runs.

    Attributes:
        network: warm.
        backup: the same on the processor, warm; None where ``network`` is that.
        notice: empty, or what came otherwise than asked for.
    """

    network: Network
    backup: Network | None = None
    notice: str = ""


def usable_compute(compute: str) -> tuple[str, str]:
    """``cpu`` or ``cuda`` for what is asked for, and what came otherwise, in a line.

    Raises:
        ValueError: if it is none of ``auto``, ``cpu`` and ``cuda``.
    """
    # Imported here: loading torch takes seconds that no other command should pay.
    from realtime.network import choose_compute, cuda_available

    if compute == "cuda" and not cuda_available():
        return "cpu", "there is no CUDA device here: running on the CPU"
    return choose_compute(compute).type, ""


def place(
    make: "Make[Network]",
    info: ModelInfo,
    calls: Calls,
    wish: Wish,
    *,
    compute: str,
    measurements: Measurements | None,
) -> Placed[Network]:
    """Load a network where it is asked for, or on the processor where that fails.

    Args:
        make: loads it.
        info: the model file.
        calls: what will be asked of it.
        wish: what is decided already.
        compute: ``auto``, ``cpu`` or ``cuda``.
        measurements: where results are looked up and kept.

    Raises:
        ModelFileError: if the file cannot be loaded or breaks its contract.
        ValueError: if compute or a wish is wrong.
    """
    from realtime.network import choose_dtype, device_name

    compute, notice = usable_compute(compute)
    # tf32 is of GPUs: the processor behind one computes in float32.
    only_gpu = compute == "cuda" and wish.dtype == "tf32"
    cpu_dtype = choose_dtype(None if only_gpu else wish.dtype, "cpu")
    # On the processor first, also for a GPU: it has to be warm when the GPU is lost, and what is
    # wrong with a file is said here.
    on_cpu = fit(
        lambda w: make("cpu", w),
        info,
        calls,
        replace(wish, dtype=cpu_dtype),
        device="cpu",
        measurements=measurements,
    )
    if compute == "cpu":
        return Placed(on_cpu, notice=notice)
    try:
        gpu_dtype = choose_dtype(wish.dtype, "cuda")
        on_gpu = fit(
            lambda w: make("cuda", w),
            info,
            calls,
            Wish(threads=on_cpu.threads, dtype=gpu_dtype),
            device=device_name("cuda"),
            measurements=measurements,
        )
    # torch says "not compiled with CUDA" by an assertion.
    except (ModelFileError, RuntimeError, AssertionError) as error:
        lines = str(error).strip().splitlines()
        reason = lines[0][:160] if lines else type(error).__name__
        return Placed(on_cpu, notice=f"the GPU cannot be used ({reason}): running on the CPU")
    return Placed(on_gpu, on_cpu)
