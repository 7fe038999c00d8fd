"""A streaming network on a CUDA device: one graph of fixed shapes, replayed for every block."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from realtime.dsp.processor import Audio
from realtime.inference.model_file import ModelInfo
from realtime.inference.network import StreamNetwork

Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]

# Libraries choose kernels and allocate their work space in the first calls; none of that may
# happen while a graph is recorded.
EAGER_CALLS = 3


class Recorded(Protocol):
    """A step with buffers of its own for input, state and output."""

    def load(self, state: list[Tensor]) -> None:
        """Go on from this state."""

    def __call__(self, x: Audio) -> Audio:
        """Run one block; the output is overwritten by the next call."""


class GraphStep:
    """A streaming step as a CUDA graph: one launch per block in place of hundreds.

    Input and output cross between pinned host memory and fixed addresses on the device, on a
    stream of its own; the state never leaves the device.

    Args:
        step: from input and state to output and new state of the same shapes.
        state: where to begin, on the device.
        shape: of the input, ``[B, 1, n]``.

    Raises:
        RuntimeError: if the device fails, or the step does what cannot be recorded.
    """

    def __init__(self, step: Step, state: list[Tensor], shape: tuple[int, int, int]) -> None:
        device = state[0].device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's lack
        self._host_in = torch.zeros(shape, pin_memory=True)
        self._x = torch.zeros(shape, device=device)
        self._state = [s.clone() for s in state]
        self._stream.wait_stream(torch.cuda.current_stream(device))
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for _ in range(EAGER_CALLS):
                y, _ = step(self._x, self._state)
            # Contiguous, so that it crosses to the host in one piece.
            self._y = torch.zeros(y.shape, device=device)
            self._host_out = torch.zeros(y.shape, pin_memory=True)
            self._stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            # thread_local: what other threads do on the device meanwhile is not recorded.
            with torch.cuda.graph(
                self._graph, stream=self._stream, capture_error_mode="thread_local"
            ):
                y, after = step(self._x, self._state)
                self._y.copy_(y)
                for held, new in zip(self._state, after, strict=True):
                    held.copy_(new)
        self.load(state)

    def load(self, state: list[Tensor]) -> None:
        """Go on from this state."""
        self._stream.wait_stream(torch.cuda.current_stream(self._x.device))
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for held, new in zip(self._state, state, strict=True):
                held.copy_(new)
            self._stream.synchronize()

    def __call__(self, x: Audio) -> Audio:
        """Run one block; the output is overwritten by the next call."""
        self._host_in.copy_(torch.from_numpy(x).unsqueeze(1))
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            self._x.copy_(self._host_in, non_blocking=True)
            self._graph.replay()
            self._host_out.copy_(self._y, non_blocking=True)
        self._stream.synchronize()
        out: Audio = self._host_out.squeeze(1).numpy()
        return out


class GraphNetwork(StreamNetwork):
    """A streaming network whose step is recorded in the warm-up and replayed from then on.

    A network that cannot be recorded, and one for other channels than in the warm-up, runs as in
    :class:`realtime.inference.network.StreamNetwork`.

    Args:
        info: the model file.
        compute: ``auto``, ``cpu`` or ``cuda``; the CPU makes sense with another recorder only.
        threads: CPU threads.
        dtype: see :func:`realtime.inference.network.choose_dtype`.
        origin_samples: where in its input the network's grid begins.
        record: makes the recorded step.
    """

    def __init__(
        self,
        info: ModelInfo,
        *,
        compute: str = "cuda",
        threads: int | None = 1,
        dtype: str | None = None,
        origin_samples: int = 0,
        record: Callable[[Step, list[Tensor], tuple[int, int, int]], Recorded] = GraphStep,
    ) -> None:
        self._record = record
        self._recorded: Recorded | None = None
        self._shape = (0, 0)
        super().__init__(
            info, compute=compute, threads=threads, dtype=dtype, origin_samples=origin_samples
        )

    def start(self, channels: int) -> None:
        """Forget the past: there was silence."""
        super().start(channels)
        self._replays = self._recorded is not None and channels == self._shape[0]
        if self._recorded is not None and self._replays:
            self._recorded.load(self._state)

    def warm_up(self, channels: int, samples: int) -> None:
        """As for any network, then record, and time the recorded step."""
        self._recorded, self._replays = None, False
        # Twice: TorchScript compiles in the eager calls, and the recorded ones are checked alike.
        super().warm_up(channels, samples)
        self._shape = (channels, samples)
        shape = (channels, 1, samples)
        try:
            self._recorded = self._record(self.step, self.initial_state(channels), shape)
        except RuntimeError:
            # People's own networks may do what cannot be recorded, as looking at a sample's value.
            return
        super().warm_up(channels, samples)

    def __call__(self, x: Audio) -> Audio:
        """Go on with the next samples.

        Raises:
            ValueError: if the block has another length than the recorded one.
        """
        if self._recorded is None or not self._replays:
            return super().__call__(x)
        if x.shape != self._shape:
            raise ValueError(f"recorded for blocks of {self._shape}, got {x.shape}")
        return self._recorded(x)
