"""Builds the network's path of a chain: the processor that calls a loaded network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from realtime.dsp.chain import NetworkPath
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.inference.cpu_fallback import DeviceLossMonitor, FallbackStream, fallback_windows
from realtime.inference.model_file import ModelInfo
from realtime.inference.streaming import StreamingNetwork, call_length
from realtime.inference.tuning import Requested
from realtime.inference.windowed import WindowedNetwork, WindowFunction

if TYPE_CHECKING:
    from realtime.inference.network import ScriptNetwork


@dataclass(frozen=True)
class Layout:
    """How a session calls a network. All lengths but ``call_samples`` are output samples."""

    info: ModelInfo
    block_samples: int
    windowed: bool = False
    """Run a streaming network on overlapping windows."""

    @property
    def streams(self) -> bool:
        """Whether the network keeps a state from call to call."""
        return self.info.kind == "streaming" and not self.windowed

    @property
    def origin_samples(self) -> int:
        """Where the network's grid begins: at the first sample from the front end."""
        front_end = self.info.front_end
        return 0 if front_end == "none" else KaiserUpsampler(front_end).latency_samples

    @property
    def crossfade_samples(self) -> int:
        """Overlap of two windows."""
        return 0 if self.streams else min(self.info.crossfade_samples, self.block_samples)

    @property
    def call_samples(self) -> int:
        """Input samples of every call."""
        if self.streams:
            return call_length(self.block_samples, self.info.block_multiple) // self.info.ratio
        return self.windows(lambda x: x).window_samples // self.info.ratio

    def load(self, compute: str, threads: int | None, dtype: str) -> "ScriptNetwork":
        """Load the network on ``cpu`` or ``cuda``."""
        # Imported here: torch takes seconds to load, and other commands do without it.
        from realtime.inference.network import WindowNetwork
        from realtime.inference.stream_network import GraphNetwork, StreamNetwork

        requested = Requested(compute=compute, threads=threads, dtype=dtype)
        if not self.streams:
            return WindowNetwork(self.info, **requested)
        kind = GraphNetwork if compute == "cuda" else StreamNetwork
        return kind(self.info, origin_samples=self.origin_samples, **requested)

    def windows(self, function: WindowFunction) -> WindowedNetwork:
        """A processor that runs a function on overlapping windows, one per block."""
        info = self.info
        left, right = info.context_samples
        on_grid = self.block_samples % info.block_multiple == 0
        return WindowedNetwork(
            function,
            hop_samples=self.block_samples,
            left_samples=left,
            right_samples=right,
            crossfade_samples=self.crossfade_samples,
            grid_multiple=info.block_multiple if on_grid else info.ratio,
            origin_samples=self.origin_samples,
            ratio=info.ratio,
        )

    def path(
        self, network: Any, backup: Any, loss_monitor: DeviceLossMonitor | None
    ) -> NetworkPath:
        """The path around a network that :meth:`load` made, and that is warm.

        On a GPU, ``loss_monitor`` watches the network, and ``backup`` is the same network on the
        CPU; None if the CPU is too slow.
        """
        front_end, crossfade = self.info.front_end, self.crossfade_samples
        if not self.streams:
            if loss_monitor is not None:
                network = fallback_windows(network, backup, loss_monitor)
            return NetworkPath(self.windows(network), front_end, crossfade)
        origin = network.origin_samples
        if loss_monitor is not None:
            network = FallbackStream(
                network,
                backup,
                loss_monitor,
                context_samples=self.info.context_samples[0],
                call_samples=self.call_samples,
            )
        return NetworkPath(StreamingNetwork(network, origin_samples=origin), front_end)
