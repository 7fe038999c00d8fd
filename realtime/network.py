"""Runs TorchScript networks; with its streaming twin the only place in the engine with torch."""

import os
from pathlib import Path

import numpy as np
import torch

from realtime.errors import ModelFileError
from realtime.model_file import ModelInfo
from realtime.processor import Audio

COMPUTE = ("auto", "cpu", "cuda")

# TorchScript profiles its first calls and compiles in the next; after these it is steady.
WARM_UP_CALLS = 4


def choose_compute(name: str) -> torch.device:
    """The device to run on.

    Raises:
        ValueError: if the name is unknown, or CUDA is asked for where there is none.
    """
    if name not in COMPUTE:
        raise ValueError(f"compute must be one of {', '.join(COMPUTE)}, got {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no CUDA device here; use compute cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_threads(threads: int | None) -> int:
    """How many threads a CPU network runs on: as asked, else the cores at hand, at most 4.

    Raises:
        ValueError: if fewer than 1 or more than 256 are asked for.
    """
    if threads is None:
        return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else
                   os.cpu_count() or 1)
    if not 1 <= threads <= 256:
        raise ValueError(f"threads must be from 1 to 256, got {threads}")
    return threads


def load_script(path: Path, device: torch.device) -> torch.jit.ScriptModule:
    """A TorchScript module, ready to run.

    Raises:
        ModelFileError: if torch cannot load it.
    """
    try:
        return torch.jit.load(str(path), map_location=device).eval()
    except (RuntimeError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else "no reason"
        raise ModelFileError(f"{path} cannot be loaded: {reason}") from error


class WindowNetwork:
    """A network's ``forward`` on windows of one length, channels as a batch.

    Args:
        info: the model file.
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads; None for a good number.

    Shape:
        - Input: ``[C, W]``
        - Output: ``[C, W]``

    Raises:
        ModelFileError: if the file cannot be loaded.
        ValueError: if compute or threads are wrong.
    """

    def __init__(self, info: ModelInfo, *, compute: str = "auto", threads: int | None = None) -> None:
        self._device = choose_compute(compute)
        self.threads = choose_threads(threads)
        self._path = info.path
        self._module = load_script(info.path, self._device)
        self.bind_thread()
        self._module = torch.jit.freeze(self._module)

    @property
    def compute(self) -> str:
        """``cpu`` or the name of the CUDA device."""
        if self._device.type == "cuda":
            return torch.cuda.get_device_name(self._device)
        return "cpu"

    def bind_thread(self) -> None:
        """Make the calling thread the one that runs the network: threads and denormals."""
        torch.set_num_threads(self.threads)
        torch.set_flush_denormal(True)

    def warm_up(self, channels: int, window_samples: int) -> None:
        """Run on noise until the graph is compiled, and check that it keeps the contract.

        Raises:
            ModelFileError: if the network fails, or does not return finite samples alike.
        """
        noise = np.random.default_rng(0).normal(0.0, 0.05, (channels, window_samples))
        x = noise.astype(np.float32)
        for _ in range(WARM_UP_CALLS):
            try:
                y = self(x)
            except RuntimeError as error:
                reason = str(error).strip().splitlines()[-1][:160]
                raise ModelFileError(f"{self._path} fails on audio: {reason}") from error
            if y.shape != x.shape:
                raise ModelFileError(
                    f"{self._path} must return [{channels}, 1, {window_samples}] for a window "
                    f"like it, got {y.shape}"
                )
            if not np.isfinite(y).all():
                raise ModelFileError(f"{self._path} returns samples that are not numbers")

    def __call__(self, x: Audio) -> Audio:
        """Run one window."""
        with torch.inference_mode():
            window = torch.from_numpy(x).unsqueeze(1).to(self._device)
            out: Audio = self._module(window).squeeze(1).float().cpu().numpy()
        return out
