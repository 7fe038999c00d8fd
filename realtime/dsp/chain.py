"""The live path: gain, kaiser-fast x2 parallel to one or two networks, A/B mix, gain."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from realtime.dsp.delay import Delay
from realtime.dsp.fallback import Fallback
from realtime.dsp.latency import Latency
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, Processor, ProcessSpec, check_block
from realtime.dsp.ramp import RAMP_SAMPLES, Ramp
from realtime.dsp.upsampler import KaiserUpsampler


@dataclass
class NetworkPath:
    """A network with its front end, and the delay that aligns it with other paths.

    Args:
        network: 44.1 to 44.1 kHz (ratio 1) after a front end, else 22.05 to 44.1 kHz (ratio 2).
        front_end: ``kaiser_fast`` or ``kaiser_best``, or ``none`` where the network takes the
            22.05 kHz input itself.
        crossfade_samples: overlap of the network's windows; 0 for streaming networks.
        backup: the same network on the CPU, where this one is on a GPU.
        load: seconds that a second of audio took when the network was loaded.

    Shape:
        - Input: ``[C, n]`` at 22.05 kHz
        - Output: ``[C, 2 n]`` at 44.1 kHz
    """

    network: Processor
    front_end: str = "kaiser_fast"
    crossfade_samples: int = 0
    backup: Processor | None = None
    load: float = 0.0
    lost: str = field(default="", init=False)
    """Why the backup took over, in one line; empty before."""

    def __post_init__(self) -> None:
        self._front_end = None if self.front_end == "none" else KaiserUpsampler(self.front_end)
        self.front_end_samples = self._front_end.latency_samples if self._front_end else 0

    def prepare(self, spec: ProcessSpec) -> int:
        """Allocate for blocks of the spec; returns the path's own latency."""
        self._doubled = replace(
            spec,
            max_block_samples=2 * spec.max_block_samples,
            block_multiple=2 * spec.block_multiple,
        )
        if self._front_end is not None:
            self._front_end.prepare(spec)
        for network in filter(None, (self.network, self.backup)):
            network.prepare(self._doubled if self._front_end else spec)
        return self.front_end_samples + self.network.latency_samples

    def delay(self, samples: int) -> None:
        """Be this much later than the path's own latency."""
        self._delay = Delay(samples)
        self._delay.prepare(self._doubled)

    def reset(self) -> None:
        """Forget the past."""
        if self._front_end is not None:
            self._front_end.reset()
        self.network.reset()
        self._delay.reset()

    def process(self, x: Audio) -> Audio:
        """The network's output for a block, aligned and checked."""
        n = 2 * x.shape[1]
        x = x if self._front_end is None else self._front_end.process(x)
        try:
            y = self._delay.process(self.network.process(x))
            if y.shape[1] != n:
                raise ValueError(f"{n} samples were due, got {y.shape[1]}")
        except ValueError as error:
            raise ValueError(f"the network returned something unusable: {error}") from error
        return y

    def use_backup(self, reason: str) -> bool:
        """Replace the network, which failed, by its backup; False if there is none."""
        if self.backup is None:
            return False
        self.network, self.backup, self.lost = self.backup, None, reason
        return True


class Chain:
    """Everything between 22.05 kHz in and 44.1 kHz out, as one processor.

    All paths have the latency of the slowest: the dry path, which is kaiser_fast, and one or two
    networks, A and B. The output is ``dry + share_a * (a - dry) + share_b * (b - dry)``. Without
    bypass A's share is the mix and B's is 0; bypass exchanges them. Shares change in ramps, and
    the networks always run, so that toggling makes no click and the load is constant.

    A network that fails raises, until :meth:`fall_back` was called.

    Args:
        a: the network's path, or None for kaiser_fast alone.
        b: the path of a second network, which bypass plays instead of the dry path.
        parameters: see :class:`realtime.dsp.parameters.Parameters`; may be replaced at any time.

    Shape:
        - Input: ``[C, n]`` at 22.05 kHz
        - Output: ``[C, 2 n]`` at 44.1 kHz
    """

    ratio = 2

    def __init__(
        self,
        a: NetworkPath | None,
        b: NetworkPath | None = None,
        *,
        parameters: Parameters | None = None,
    ) -> None:
        # Other threads replace it as a whole; one reference, read once per block.
        self.parameters = parameters or Parameters()
        self.input_tap: Callable[[Audio], None] = lambda _: None
        """Called with each block after the input gain."""
        self.paths = [path for path in (a, b) if path is not None]
        self.fallbacks: list[Fallback] = []
        """Of the paths, in the same order."""
        self._shares = [Ramp(0.0, length_samples=RAMP_SAMPLES) for _ in self.paths]
        self._input_gain = Ramp(1.0, length_samples=RAMP_SAMPLES // 2)
        self._output_gain = Ramp(1.0, length_samples=RAMP_SAMPLES)
        self.prepare(ProcessSpec(max_block_samples=1))

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate for blocks of the spec."""
        self._spec = spec
        latencies = [path.prepare(spec) for path in self.paths]
        # Paths with less latency than the slowest, or than kaiser_fast, are delayed to match it.
        self._dry = KaiserUpsampler(latency_samples=max(latencies, default=0))
        self._dry.prepare(spec)
        self.latency_samples = self._dry.latency_samples
        front_end, crossfade = self.latency_samples, 0
        for path, samples in zip(self.paths, latencies, strict=True):
            path.delay(self.latency_samples - samples)
            if samples == max(latencies):
                front_end, crossfade = path.front_end_samples, path.crossfade_samples
        self.latency = Latency(
            front_end=front_end,
            model=self.latency_samples - front_end - crossfade,
            crossfade=crossfade,
        )
        """The chain's latency by named parts: those of the slowest path."""
        self.reset()

    def fall_back(self, **options: Any) -> None:
        """From now on, play the dry path in place of a network that fails or is too slow.

        ``options`` are those of :class:`realtime.dsp.fallback.Fallback`.
        """
        self.fallbacks = [Fallback(path, self._spec, **options) for path in self.paths]

    @property
    def fallback(self) -> Fallback | None:
        """That of the network that is listened to; None for the dry path."""
        heard = int(self.parameters.bypass)
        return self.fallbacks[heard] if heard < len(self.fallbacks) else None

    def reset(self) -> None:
        """Forget the past, and take the parameters on without ramps."""
        self._dry.reset()
        for path in self.paths:
            path.reset()
        self._apply(Ramp.jump)

    def _apply(self, change: Callable[[Ramp, float], None]) -> None:
        """Take the parameters on."""
        # One set of parameters for the whole block.
        parameters = self._applied = self.parameters
        for i, share in enumerate(self._shares):
            change(share, parameters.mix if i == int(parameters.bypass) else 0.0)
        change(self._input_gain, 10.0 ** (parameters.input_gain_db / 20.0))
        change(self._output_gain, 10.0 ** (parameters.output_gain_db / 20.0))

    def process(self, x: Audio) -> Audio:
        """Upsample a block; output is ``latency_samples`` late."""
        check_block(x, self._spec)
        if self.parameters is not self._applied:
            self._apply(Ramp.move)
        x = _amplify(x, self._input_gain)
        self.input_tap(x)
        return _amplify(self._mix(x), self._output_gain)

    def _mix(self, x: Audio) -> Audio:
        """The sum of all paths for a block."""
        resting = [share.resting_at for share in self._shares]
        alone = 1.0 in resting and resting.count(0.0) == len(resting) - 1
        if alone and not self.fallbacks:
            # Nobody hears the dry path.
            self._dry.push(x)
            return [path.process(x) for path in self.paths][resting.index(1.0)]
        out = dry = self._dry.process(x)
        networks = [fallback.process(x, dry) for fallback in self.fallbacks]
        networks = networks or [path.process(x) for path in self.paths]
        if alone:
            return networks[resting.index(1.0)]
        for share, network, at in zip(self._shares, networks, resting, strict=True):
            if at != 0.0:
                out = out + share.next(dry.shape[1]) * (network - dry)
        return out


def _amplify(x: Audio, ramp: Ramp) -> Audio:
    """A block with a gain."""
    if ramp.resting_at == 1.0:
        return x
    return (x * ramp.next(x.shape[1])).astype(np.float32, copy=False)
