"""Runs TorchScript networks. With ``stream_network.py``, the only file in realtime with torch."""

import io
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Unpack

import numpy as np
import torch

from realtime.dsp.processor import Audio
from realtime.errors import ModelFileError, SettingsError, error_line
from realtime.inference.model_file import ModelInfo
from realtime.inference.tuning import Requested, noise, thread_choices

COMPUTE = ("auto", "cpu", "cuda")

# tf32 is float32 with products of 11-bit numbers, on CUDA devices.
DTYPES = ("float32", "tf32", "bfloat16")

# TorchScript profiles its first calls and compiles in the next. Then the speed is steady.
WARM_UP_CALLS = 4


def choose_compute(name: str) -> torch.device:
    """The device to run on.

    Raises:
        SettingsError: if the name is unknown, or there is no CUDA device.
    """
    if name not in COMPUTE:
        raise SettingsError(f"compute must be one of {', '.join(COMPUTE)}, got {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise SettingsError("there is no CUDA device here; use compute cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_dtype(name: str | None, compute: str) -> str:
    """The number format on ``cpu`` or ``cuda``; None: tf32 on GPUs that have it, else float32.

    Raises:
        SettingsError: if the name is unknown or the device cannot compute in it.
    """
    if name is not None and name not in DTYPES:
        raise SettingsError(f"dtype must be one of {', '.join(DTYPES)}, got {name!r}")
    # NVIDIA's compute capability 8.0 (Ampere) was the first with tf32.
    has_tf32 = compute == "cuda" and torch.cuda.get_device_capability() >= (8, 0)
    if name is None:
        return "tf32" if has_tf32 else "float32"
    if name == "tf32" and not has_tf32:
        where = "this GPU" if compute == "cuda" else "the CPU"
        raise SettingsError(f"{where} cannot compute in tf32; use dtype float32 or bfloat16")
    return name


def device_name(compute: str) -> str:
    """``cpu`` or the name of the CUDA device, for a value of ``compute``."""
    device = choose_compute(compute)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


@contextmanager
def thread_settings_kept() -> Iterator[None]:
    """Restore what ``bind_thread`` sets on CPUs: the number of threads, flushed denormals."""
    threads = torch.get_num_threads()
    # torch can set this and not tell it.
    flushed = bool(np.float32(1e-39) * np.float32(0.5) == 0.0)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)


def freeze(module: torch.jit.ScriptModule, methods: Sequence[str]) -> torch.jit.ScriptModule:
    """A copy with constants folded into its graph: a third of the time of a short call.

    The copy keeps ``forward`` and these methods. It is saved and loaded, because torch's frozen
    module refers to functions that freezing has freed. It may crash when it reports an error inside
    one (seen with torch 2.11 and 2.13).
    """
    written = io.BytesIO()
    torch.jit.save(torch.jit.freeze(module, preserved_attrs=list(methods)), written)
    written.seek(0)
    frozen: torch.jit.ScriptModule = torch.jit.load(written).eval()
    return frozen


class ScriptNetwork:
    """Base class of both ways to run a network: loading, device, threads and warm-up.

    ``METHODS`` of the module are called, or ``forward``. Without ``threads`` there is one.

    Attributes:
        ratio: output samples per input sample.
        compute: ``cpu`` or the name of the CUDA device.
        threads: CPU threads.
        dtype: ``float32``, ``tf32`` or ``bfloat16``.
        latency_samples: delay of the output within the calls, in output samples.
        call_s: duration of the shortest call in the warm-up.

    Raises:
        ModelFileError: if the file cannot be loaded or lacks a method.
        SettingsError: if compute, threads or dtype are wrong.
    """

    METHODS: tuple[str, ...] = ()
    latency_samples = 0

    def __init__(self, info: ModelInfo, **requested: Unpack[Requested]) -> None:
        self._device = choose_compute(requested.get("compute", "auto"))
        self._on_cpu = self._device.type == "cpu"
        self.compute = device_name(self._device.type)
        self.threads = thread_choices(requested.get("threads"))[0]
        self.dtype = choose_dtype(requested.get("dtype"), self._device.type)
        self.ratio = info.ratio
        self.call_s = 0.0
        self._path = info.path
        try:
            self._loaded = torch.jit.load(str(info.path), map_location=self._device).eval()
        except (RuntimeError, OSError, ValueError) as error:
            raise ModelFileError(f"{info.path} cannot be loaded: {error_line(error)}") from error
        if missing := [m for m in self.METHODS if not hasattr(self._loaded, m)]:
            raise ModelFileError(f"{info.path} has kind streaming, but no {missing[0]}")
        if self.dtype == "bfloat16":
            self._loaded = self._loaded.to(torch.bfloat16)
        self._module = freeze(self._loaded, [m for m in self.METHODS if m != "initial_state"])

    def bind_thread(self) -> None:
        """Prepare the calling thread to run the network: threads, denormals, tf32."""
        torch.set_num_threads(self.threads)
        torch.set_flush_denormal(True)
        if self._device.type == "cuda":
            tf32 = self.dtype == "tf32"
            torch.set_float32_matmul_precision("high" if tf32 else "highest")
            torch.backends.cudnn.allow_tf32 = tf32

    def start(self, channels: int) -> None:
        """Forget the past; a network without a state has none."""

    def warm_up(self, channels: int, samples: int) -> None:
        """Run on noise of the calls' shape until the graph is compiled, and check the output.

        Raises:
            ModelFileError: if the network fails, or returns a wrong shape or non-finite samples.
        """
        x = noise(channels, samples)
        self.bind_thread()
        self.call_s = math.inf
        for _ in range(WARM_UP_CALLS):
            begin = time.perf_counter()
            try:
                y = self(x)
            except (RuntimeError, torch.jit.Error) as error:
                # The last line: TorchScript's traceback comes first.
                reason = error_line(error, -1)
                raise ModelFileError(f"{self._path} fails on audio: {reason}") from error
            wanted = (channels, self.ratio * samples)
            if y.shape != wanted:
                many = "twice as many" if self.ratio == 2 else "as many"
                raise ModelFileError(
                    f"{self._path} must return {many} samples as it gets, {wanted}, got {y.shape}"
                )
            if not np.isfinite(y).all():
                raise ModelFileError(f"{self._path} returns samples that are not numbers")
            self.call_s = min(self.call_s, time.perf_counter() - begin)

    def __call__(self, x: Audio) -> Audio:
        """Run the network once."""
        raise NotImplementedError

    # In short blocks a microsecond counts: an operator of the network takes two. numpy is faster
    # than torch at what both can do.

    def _to_device(self, x: Audio) -> torch.Tensor:
        tensor = torch.from_numpy(x[:, None])
        return tensor if self._on_cpu else tensor.to(self._device)

    def _to_numpy(self, y: torch.Tensor) -> Audio:
        if not isinstance(y, torch.Tensor):
            raise RuntimeError(f"it returns a {type(y).__name__}, not a tensor")
        if not self._on_cpu or y.dtype != torch.float32:
            y = y.float().cpu()
        out: Audio = y.numpy()
        return out[:, 0] if out.ndim == 3 and out.shape[1] == 1 else out


class WindowNetwork(ScriptNetwork):
    """A network's ``forward`` on windows of one length; channels are a batch.

    Shape:
        - Input: ``[C, W]``
        - Output: ``[C, ratio * W]``
    """

    def __call__(self, x: Audio) -> Audio:
        """Run one window."""
        with torch.inference_mode():
            return self._to_numpy(self._module(self._to_device(x)))
