"""Runs streaming TorchScript networks; on a CUDA device as one graph, replayed for every block."""

from collections.abc import Callable
from typing import Unpack

import torch
from torch import Tensor

from realtime.dsp.processor import Audio
from realtime.inference.model_file import ModelInfo
from realtime.inference.network import ScriptNetwork
from realtime.inference.tuning import Requested

Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]

# Libraries choose kernels and allocate their work space in the first calls. Neither may happen
# while a graph is recorded.
EAGER_CALLS = 3


class StreamNetwork(ScriptNetwork):
    """A network's ``stream`` with its state; channels are a batch.

    Args:
        origin_samples: position in its input where the network's grid begins.

    Attributes:
        block_multiple: the input of a call is a multiple of this long.
        origin_samples: position in its input where a call may begin. It is 0 for a network whose
            ``initial_state`` takes a ``lead``, because that network shifts its own grid.

    Shape:
        - Input: ``[C, n]``, n a multiple of ``block_multiple``
        - Output: ``[C, ratio * n]``
    """

    METHODS = ("initial_state", "stream")

    def __init__(
        self, info: ModelInfo, *, origin_samples: int = 0, **requested: Unpack[Requested]
    ) -> None:
        super().__init__(info, **requested)
        # The network's output and new state. Looked up once: an attribute of a script takes
        # microseconds.
        self.step: Step = self._module.stream
        step = info.block_multiple
        self.block_multiple = step // self.ratio
        arguments = [a.name for a in self._loaded.initial_state.schema.arguments]
        # The lead is the part of the first call that lies after the origin, in output samples: the
        # network does not wait for the rest of a step.
        self._lead = step - self.ratio * origin_samples % step if "lead" in arguments else None
        self.origin_samples = origin_samples if self._lead is None else 0
        # The file states the latency with a lead of a whole step.
        self.latency_samples = info.latency_samples - (step - (self._lead or step))
        # By number of channels: a stereo session asks for one and two.
        self._silent: dict[int, list[Tensor]] = {}
        self.start(1)

    def initial_state(self, channels: int) -> list[Tensor]:
        """The network's state after silence, as a copy."""
        if channels not in self._silent:
            lead = () if self._lead is None else (self._lead,)
            # Runs once: compiling it would take half a second.
            # (torch documents this name, but does not list it as exported.)
            uncompiled = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
            with torch.inference_mode(), uncompiled:
                self._silent[channels] = self._loaded.initial_state(channels, *lead)
        with torch.inference_mode():
            return [s.clone() for s in self._silent[channels]]

    def start(self, channels: int) -> None:
        """Forget the past."""
        self._state = self.initial_state(channels)

    def warm_up(self, channels: int, samples: int) -> None:
        """As for any network; forgets the noise afterwards."""
        self.start(channels)
        super().warm_up(channels, samples)
        self.start(channels)

    def __call__(self, x: Audio) -> Audio:
        """Process the next samples."""
        with torch.inference_mode():
            y, self._state = self.step(self._to_device(x), self._state)
            return self._to_numpy(y)


class GraphStep:
    """A streaming step as a CUDA graph: one launch per block instead of hundreds.

    Input and output move between pinned host memory and fixed addresses on the device, on a CUDA
    stream of their own. The state stays on the device. The input has the shape ``[B, 1, n]``; the
    step keeps the shapes of its state.

    Raises:
        RuntimeError: if the device fails, or the step cannot be recorded.
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
            # Contiguous, so that one copy takes it to the host.
            self._y = torch.zeros(y.shape, device=device)
            self._host_out = torch.zeros(y.shape, pin_memory=True)
            self._stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            # thread_local: the work of other threads on the device is not recorded.
            with torch.cuda.graph(
                self._graph, stream=self._stream, capture_error_mode="thread_local"
            ):
                y, after = step(self._x, self._state)
                self._y.copy_(y)
                for held, new in zip(self._state, after, strict=True):
                    held.copy_(new)
        self.load(state)

    def load(self, state: list[Tensor]) -> None:
        """Continue from this state."""
        self._stream.wait_stream(torch.cuda.current_stream(self._x.device))
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for held, new in zip(self._state, state, strict=True):
                held.copy_(new)
            self._stream.synchronize()

    def __call__(self, x: Audio) -> Audio:
        """Run one block; the next call overwrites the output."""
        self._host_in.copy_(torch.from_numpy(x).unsqueeze(1))
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            self._x.copy_(self._host_in, non_blocking=True)
            self._graph.replay()
            self._host_out.copy_(self._y, non_blocking=True)
        self._stream.synchronize()
        out: Audio = self._host_out.squeeze(1).numpy()
        return out


class GraphNetwork(StreamNetwork):
    """A streaming network that records its step in the warm-up and replays it afterwards.

    If the network cannot be recorded, or has other channels than in the warm-up, it runs as a
    :class:`StreamNetwork`. ``record`` makes the recorded step.
    """

    def __init__(
        self,
        info: ModelInfo,
        *,
        origin_samples: int = 0,
        record: Callable[[Step, list[Tensor], tuple[int, int, int]], GraphStep] = GraphStep,
        **requested: Unpack[Requested],
    ) -> None:
        self._record = record
        self._recorded: GraphStep | None = None
        self._shape = (0, 0)
        super().__init__(info, origin_samples=origin_samples, **requested)

    def start(self, channels: int) -> None:
        """Forget the past."""
        super().start(channels)
        self._active = self._recorded if channels == self._shape[0] else None
        if self._active is not None:
            self._active.load(self._state)

    def warm_up(self, channels: int, samples: int) -> None:
        """As for any network; then record the step, and check and time it."""
        self._recorded = self._active = None
        super().warm_up(channels, samples)
        self._shape = (channels, samples)
        shape = (channels, 1, samples)
        try:
            self._recorded = self._record(self.step, self.initial_state(channels), shape)
        except RuntimeError:
            # A user's network may do what cannot be recorded: branch on a sample's value, say.
            return
        super().warm_up(channels, samples)

    def __call__(self, x: Audio) -> Audio:
        """Process the next samples; they must be as many as were recorded."""
        if self._active is None:
            return super().__call__(x)
        if x.shape != self._shape:
            raise ValueError(f"recorded for blocks of {self._shape}, got {x.shape}")
        return self._active(x)
