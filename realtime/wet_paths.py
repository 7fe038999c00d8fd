"""The network's path in a chain: where it runs, and the processor that suits its kind."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from realtime.chain import WetPath
from realtime.fallback import FallbackStream, FallbackWindows, Lifeline
from realtime.fit import Calls, Wish
from realtime.measurements import Measurements
from realtime.model_file import ModelInfo
from realtime.placement import Placed, place
from realtime.processor import Audio, ProcessSpec
from realtime.sample_rates import SAMPLE_RATE_OUT
from realtime.streaming import StreamingNetwork, call_length
from realtime.upsampler import KaiserUpsampler
from realtime.windowed import WindowedNetwork, WindowFunction

if TYPE_CHECKING:
    from realtime.network import ScriptNetwork, StreamNetwork, WindowNetwork

# A processor that computes a block in less than its time by this factor can take over from a GPU.
BACKUP_RATIO = 1.2


@dataclass(frozen=True)
class BuiltPath:
    """A wet path and the network in it."""

    wet: WetPath
    network: "ScriptNetwork"
    notice: str
    lifeline: Lifeline | None


@dataclass(frozen=True, kw_only=True)
class PathBuilder:
    """Builds wet paths; its arguments are those of :func:`realtime.loading.load_chain`."""

    info: ModelInfo
    block_samples: int
    channels: int
    compute: str
    wish: Wish
    paced: bool
    measurements: Measurements | None

    @property
    def origin_samples(self) -> int:
        """The network's grid starts where the front end's first upsampled sample arrives.

        Where the network has no front end before it, at the first input sample.
        """
        return front_end_latency(self.info.front_end)

    def calls(self, samples: int) -> Calls:
        """What the network will be asked for: so many samples of its input at a time."""
        pause_s = self.block_samples / SAMPLE_RATE_OUT if self.paced else 0.0
        return Calls(channels=self.channels, samples=samples, pause_s=pause_s)

    def lifeline(self, placed: "Placed[StreamNetwork] | Placed[WindowNetwork]") -> Lifeline | None:
        """For a network with a backup."""
        if placed.backup is None:
            return None
        how = "on the CPU" if self.keeps_up(placed.backup) else "with kaiser_fast alone"
        return Lifeline(placed.network.compute, how)

    def keeps_up(self, backup: "ScriptNetwork") -> bool:
        """Whether the processor computes a block in its time; without a clock it may be slow."""
        block_s = self.block_samples / SAMPLE_RATE_OUT
        return not self.paced or backup.call_s * BACKUP_RATIO <= block_s

    def streaming(self) -> BuiltPath:
        """Every sample computed once."""
        # Imported here: loading torch takes seconds that no other command should pay.
        from realtime.cuda_stream import GraphNetwork
        from realtime.network import StreamNetwork

        def make(device: str, wish: Wish) -> StreamNetwork:
            kind = GraphNetwork if device == "cuda" else StreamNetwork
            return kind(
                self.info,
                compute=device,
                threads=wish.threads,
                dtype=wish.dtype,
                origin_samples=self.origin_samples,
            )

        call = call_length(self.block_samples, self.info.block_multiple)
        calls = self.calls(call // self.info.ratio)
        placed = place(
            make,
            self.info,
            calls,
            self.wish,
            compute=self.compute,
            measurements=self.measurements,
        )
        lifeline = self.lifeline(placed)
        network: StreamNetwork | FallbackStream = placed.network
        if placed.backup is not None and lifeline is not None:
            network = FallbackStream(
                placed.network,
                placed.backup if self.keeps_up(placed.backup) else None,
                lifeline,
                context_samples=self.info.context_samples[0],
                call_samples=calls.samples,
            )
        wet = WetPath(
            StreamingNetwork(network, origin_samples=placed.network.origin_samples),
            self.info.front_end,
        )
        return BuiltPath(wet, placed.network, placed.notice, lifeline)

    def windowed(self) -> BuiltPath:
        """Overlapping windows."""
        from realtime.network import WindowNetwork

        def make(device: str, wish: Wish) -> WindowNetwork:
            return WindowNetwork(self.info, compute=device, threads=wish.threads, dtype=wish.dtype)

        crossfade = min(self.info.crossfade_samples, self.block_samples)

        def windows(function: WindowFunction) -> WindowedNetwork:
            return windowed_network(
                self.info, function, self.block_samples, crossfade, self.origin_samples
            )

        dry = DryWindows(self.info.ratio)
        # The length of the windows follows from their geometry alone.
        calls = self.calls(windows(dry).window_samples // self.info.ratio)
        placed = place(
            make,
            self.info,
            calls,
            self.wish,
            compute=self.compute,
            measurements=self.measurements,
        )
        lifeline = self.lifeline(placed)
        function: WindowFunction = placed.network
        if placed.backup is not None and lifeline is not None:
            backup = placed.backup if self.keeps_up(placed.backup) else dry
            function = FallbackWindows(placed.network, backup, lifeline)
        wet = WetPath(windows(function), self.info.front_end, crossfade_samples=crossfade)
        return BuiltPath(wet, placed.network, placed.notice, lifeline)


class DryWindows:
    """In a network's place: the window as kaiser_fast has made it, or makes it here.

    Args:
        ratio: of the network.
    """

    def __init__(self, ratio: int) -> None:
        self._upsampler = KaiserUpsampler() if ratio > 1 else None

    def __call__(self, x: Audio) -> Audio:
        """A window, in time with the network's."""
        if self._upsampler is None:
            return x
        reach = self._upsampler.reach
        padded = np.pad(x, ((0, 0), (0, reach)))
        self._upsampler.prepare(ProcessSpec(max_block_samples=padded.shape[1], channels=len(x)))
        return self._upsampler.process(padded)[:, self._upsampler.latency_samples :]


def windowed_network(
    info: ModelInfo,
    function: WindowFunction,
    block_samples: int,
    crossfade_samples: int,
    origin_samples: int,
) -> WindowedNetwork:
    """A plain network on overlapping windows, one per block, with the context its file asks for."""
    left, right = info.context_samples
    on_grid = block_samples % info.block_multiple == 0
    return WindowedNetwork(
        function,
        hop_samples=block_samples,
        left_samples=left,
        right_samples=right,
        crossfade_samples=crossfade_samples,
        grid_multiple=info.block_multiple if on_grid else info.ratio,
        origin_samples=origin_samples,
        ratio=info.ratio,
    )


def front_end_latency(front_end: str) -> int:
    """Output samples that a front end is late by; 0 for ``none``."""
    return 0 if front_end == "none" else KaiserUpsampler(front_end).latency_samples
