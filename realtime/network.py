"""Runs TorchScript networks; with its streaming twin the only place in the engine with torch."""

import os
import time
from pathlib import Path

import numpy as np
import torch

from realtime.errors import ModelFileError
from realtime.model_file import ModelInfo
from realtime.processor import Audio

COMPUTE = ("auto", "cpu", "cuda")

# TorchScript profiles its first calls and compiles in the next; after these it is steady.
WARM_UP_CALLS = 4
# Calls per number of threads when choosing it, and how much of the time more threads must save.
TRIAL_CALLS = 7
WORTH_MORE_THREADS = 0.85
LONGEST_PAUSE_S = 0.03


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


def core_count() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_choices(threads: int | None) -> list[int]:
    """Numbers of threads worth trying, the smallest first; one if a number is asked for.

    Raises:
        ValueError: if fewer than 1 or more than 256 are asked for.
    """
    if threads is None:
        return [n for n in (1, 2, 4, 8) if n <= core_count()]
    if not 1 <= threads <= 256:
        raise ValueError(f"threads must be from 1 to 256, got {threads}")
    return [threads]


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
        threads: CPU threads; None for what measures fastest in the warm-up.

    Shape:
        - Input: ``[C, W]``
        - Output: ``[C, W]``

    Raises:
        ModelFileError: if the file cannot be loaded.
        ValueError: if compute or threads are wrong.
    """

    def __init__(self, info: ModelInfo, *, compute: str = "auto", threads: int | None = None) -> None:
        self._device = choose_compute(compute)
        self._choices = thread_choices(threads)
        self.threads = self._choices[0]
        self._path = info.path
        # Freezing folds constants into the graph: a third of the time of a short call.
        self._module = torch.jit.freeze(load_script(info.path, self._device))

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

    def warm_up(self, channels: int, window_samples: int, *, pause_s: float = 0.0) -> None:
        """Run on noise until the graph is compiled, check the contract, and choose the threads.

        Args:
            channels: of the windows that will come.
            window_samples: their length.
            pause_s: time between two calls in the run to come. It decides how many threads pay:
                threads that slept for a block's time take longer to wake than a short block to
                compute.

        Raises:
            ModelFileError: if the network fails, or does not return finite samples alike.
        """
        noise = np.random.default_rng(0).normal(0.0, 0.05, (channels, window_samples))
        x = noise.astype(np.float32)
        self.bind_thread()
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

        if len(self._choices) > 1 and self._device.type == "cpu":
            self.threads = self._fastest(x, min(pause_s, LONGEST_PAUSE_S))
            self.bind_thread()

    def _fastest(self, x: Audio, pause_s: float) -> int:
        """The number of threads with the shortest median call; more only where they pay."""
        best, best_s = 0, float("inf")
        for threads in self._choices:
            self.threads = threads
            self.bind_thread()
            durations_s = []
            for _ in range(TRIAL_CALLS):
                time.sleep(pause_s)
                begin = time.perf_counter()
                self(x)
                durations_s.append(time.perf_counter() - begin)
            median_s = float(np.median(durations_s))
            if median_s < best_s * WORTH_MORE_THREADS:
                best, best_s = threads, median_s
        return best

    def __call__(self, x: Audio) -> Audio:
        """Run one window."""
        with torch.inference_mode():
            window = torch.from_numpy(x).unsqueeze(1).to(self._device)
            out: Audio = self._module(window).squeeze(1).float().cpu().numpy()
        return out
