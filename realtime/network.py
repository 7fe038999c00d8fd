"""Runs TorchScript networks: the only place in the engine with torch."""

import os
import time
from collections.abc import Sequence
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
SHORT_LEAD_SAMPLES = 2


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
        module: torch.jit.ScriptModule = torch.jit.load(str(path), map_location=device).eval()
    except (RuntimeError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else "no reason"
        raise ModelFileError(f"{path} cannot be loaded: {reason}") from error
    return module


class ScriptNetwork:
    """What both ways of running a network share: loading, device, threads and the warm-up.

    Args:
        info: the model file.
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads; None for what measures fastest in the warm-up.
        methods: of the module besides ``forward`` that will be called.

    Raises:
        ModelFileError: if the file cannot be loaded or lacks a method.
        ValueError: if compute or threads are wrong.
    """

    def __init__(
        self,
        info: ModelInfo,
        *,
        compute: str = "auto",
        threads: int | None = None,
        methods: Sequence[str] = (),
    ) -> None:
        self._device = choose_compute(compute)
        self._choices = thread_choices(threads)
        self.threads = self._choices[0]
        self._path = info.path
        module = load_script(info.path, self._device)
        if missing := [m for m in methods if not hasattr(module, m)]:
            raise ModelFileError(f"{info.path} says that it streams, but has no {missing[0]}")
        # Freezing folds constants into the graph: a third of the time of a short call.
        self._module = torch.jit.freeze(module, preserved_attrs=list(methods))

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

    def warm_up(self, channels: int, samples: int, *, pause_s: float = 0.0) -> None:
        """Run on noise until the graph is compiled, check the contract, and choose the threads.

        Args:
            channels: of the calls that will come.
            samples: their length.
            pause_s: time between two calls in the run to come. It decides how many threads pay:
                threads that slept for a block's time take longer to wake than a short block to
                compute.

        Raises:
            ModelFileError: if the network fails, or does not return finite samples alike.
        """
        noise = np.random.default_rng(0).normal(0.0, 0.05, (channels, samples))
        x = noise.astype(np.float32)
        self.bind_thread()
        for _ in range(WARM_UP_CALLS):
            try:
                y = self(x)
            except (RuntimeError, torch.jit.Error) as error:
                reason = str(error).strip().splitlines()[-1][:160]
                raise ModelFileError(f"{self._path} fails on audio: {reason}") from error
            if y.shape != x.shape:
                raise ModelFileError(
                    f"{self._path} must return as many samples as it gets, {x.shape}, got {y.shape}"
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
        """Run the network once."""
        raise NotImplementedError

    def _to_device(self, x: Audio) -> torch.Tensor:
        return torch.from_numpy(x).unsqueeze(1).to(self._device)

    @staticmethod
    def _to_numpy(y: torch.Tensor) -> Audio:
        out: Audio = y.squeeze(1).float().cpu().numpy()
        return out


class WindowNetwork(ScriptNetwork):
    """A network's ``forward`` on windows of one length, channels as a batch.

    Shape:
        - Input: ``[C, W]``
        - Output: ``[C, W]``
    """

    def __call__(self, x: Audio) -> Audio:
        """Run one window."""
        with torch.inference_mode():
            return self._to_numpy(self._module(self._to_device(x)))


class StreamNetwork(ScriptNetwork):
    """A network's ``stream``, with its state, channels as a batch.

    Attributes:
        block_multiple: a call's length is a multiple of this.
        lead_samples: how far behind a line of the network's grid every call ends. Networks that
            take a lead in ``initial_state`` are the faster, the shorter it is; 2 is the least
            that a whole sample at 22.05 kHz makes.
        latency_samples: how late the output is, with that lead.

    Shape:
        - Input: ``[C, n]``, n a multiple of ``block_multiple``
        - Output: ``[C, n]``
    """

    def __init__(
        self, info: ModelInfo, *, compute: str = "auto", threads: int | None = None
    ) -> None:
        super().__init__(
            info, compute=compute, threads=threads, methods=("initial_state", "stream")
        )
        self.block_multiple = info.block_multiple
        self._takes_lead = len(self._module.initial_state.schema.arguments) > 2
        self.lead_samples = SHORT_LEAD_SAMPLES if self._takes_lead else info.block_multiple
        # What the file says is with a lead of a whole step.
        self.latency_samples = info.latency_samples - (info.block_multiple - self.lead_samples)
        self.start(1)

    def start(self, channels: int) -> None:
        """Forget the past: there was silence."""
        lead = (self.lead_samples,) if self._takes_lead else ()
        with torch.inference_mode():
            self._state = self._module.initial_state(channels, *lead)

    def warm_up(self, channels: int, samples: int, *, pause_s: float = 0.0) -> None:
        """As for any network; forgets the noise afterwards."""
        self.start(channels)
        super().warm_up(channels, samples, pause_s=pause_s)
        self.start(channels)

    def __call__(self, x: Audio) -> Audio:
        """Go on with the next samples."""
        with torch.inference_mode():
            y, self._state = self._module.stream(self._to_device(x), self._state)
            return self._to_numpy(y)
