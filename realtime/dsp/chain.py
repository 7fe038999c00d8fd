"""The live path: gain, kaiser-fast x2, network parallel to a delayed dry path, A/B mix, gain."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from realtime.dsp.delay import Delay
from realtime.dsp.latency import Latency
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, Processor, ProcessSpec, check_block
from realtime.dsp.ramp import Ramp
from realtime.dsp.upsampler import KaiserUpsampler

# A toggle or a gain change takes 15 ms: short for the ear, and without a click.
RAMP_SAMPLES = 662


@dataclass(frozen=True)
class NetworkPath:
    """A network and what surrounds it.

    Attributes:
        network: 44.1 to 44.1 kHz (ratio 1) after a front end, else 22.05 to 44.1 kHz (ratio 2).
        front_end: ``kaiser_fast`` or ``kaiser_best``, or ``none`` where the network takes the
            22.05 kHz input itself.
        crossfade_samples: overlap of the network's windows; 0 for streaming networks.
    """

    network: Processor
    front_end: str = "kaiser_fast"
    crossfade_samples: int = 0


class Chain:
    """Everything between 22.05 kHz in and 44.1 kHz out, as one processor.

    The dry path is kaiser_fast, delayed by the network's latency; the output is
    ``dry + mix * (wet - dry)``. Both paths always run and are equally late, so that load is
    constant and toggling makes no click.

    Args:
        wet: the network's path, or None for kaiser_fast alone.
        parameters: see :class:`realtime.dsp.parameters.Parameters`; may be replaced at any time.

    Shape:
        - Input: ``[C, n]`` at 22.05 kHz
        - Output: ``[C, 2 n]`` at 44.1 kHz
    """

    ratio = 2

    def __init__(self, wet: NetworkPath | None, *, parameters: Parameters | None = None) -> None:
        # Other threads replace it as a whole; one reference, read once per block.
        self.parameters = parameters or Parameters()
        self.input_tap: Callable[[Audio], None] = lambda _: None
        """Called with each block after the input gain."""
        self._wet = wet
        self._dry_front_end = KaiserUpsampler()
        # A network fed by kaiser_fast shares the dry path's front end.
        self._wet_front_end: KaiserUpsampler | None = None
        if wet is not None and wet.front_end == "kaiser_fast":
            self._wet_front_end = self._dry_front_end
        elif wet is not None and wet.front_end != "none":
            self._wet_front_end = KaiserUpsampler(wet.front_end)
        self._mix = Ramp(0.0, length_samples=RAMP_SAMPLES)
        self._input_gain = Ramp(1.0, length_samples=RAMP_SAMPLES // 2)
        self._output_gain = Ramp(1.0, length_samples=RAMP_SAMPLES)
        self.prepare(ProcessSpec(max_block_samples=1))

    @property
    def latency(self) -> Latency:
        """The chain's latency by named parts."""
        front_end = self._front_end_samples
        crossfade = self._wet.crossfade_samples if self._wet else 0
        model = self.latency_samples - front_end - crossfade
        return Latency(front_end=front_end, model=model, crossfade=crossfade)

    @property
    def _front_end_samples(self) -> int:
        if self._wet is None:
            return self._dry_front_end.latency_samples
        return self._wet_front_end.latency_samples if self._wet_front_end else 0

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate for blocks of the spec."""
        self._spec = spec
        doubled = self._doubled = replace(
            spec,
            max_block_samples=2 * spec.max_block_samples,
            block_multiple=2 * spec.block_multiple,
        )
        dry = self.latency_samples = self._dry_front_end.latency_samples
        if self._wet is not None:
            if self._wet_front_end is not None:
                self._wet_front_end.prepare(spec)
            self._wet.network.prepare(doubled if self._wet_front_end else spec)
            late = self._front_end_samples + self._wet.network.latency_samples
            # A network with less latency than kaiser_fast is delayed to match it.
            self.latency_samples = max(late, dry)
            self._wet_delay = Delay(self.latency_samples - late)
            self._wet_delay.prepare(doubled)
        self._dry_front_end.prepare(spec)
        self._dry_delay = Delay(self.latency_samples - dry)
        self._dry_delay.prepare(doubled)
        self.reset()

    def reset(self) -> None:
        """Forget the past, and take the parameters on without ramps."""
        self._dry_front_end.reset()
        self._dry_delay.reset()
        if self._wet is not None:
            self._wet.network.reset()
            self._wet_delay.reset()
        if self._wet_front_end is not None:
            self._wet_front_end.reset()
        parameters = self.parameters
        self._mix.jump(0.0 if parameters.bypass else parameters.mix)
        self._input_gain.jump(_gain(parameters.input_gain_db))
        self._output_gain.jump(_gain(parameters.output_gain_db))

    def process(self, x: Audio) -> Audio:
        """Upsample a block; output is ``latency_samples`` late."""
        check_block(x, self._spec)
        # One set of parameters for the whole block.
        parameters = self.parameters
        x = _amplify(x, self._input_gain, parameters.input_gain_db)
        self.input_tap(x)
        self._mix.move(0.0 if parameters.bypass else parameters.mix)
        mix = self._mix.next(2 * x.shape[1])
        upsampled = self._dry_front_end.process(x)
        out = dry = self._dry_delay.process(upsampled)
        if self._wet is not None:
            if self._wet_front_end is self._dry_front_end:
                x = upsampled
            elif self._wet_front_end is not None:
                x = self._wet_front_end.process(x)
            wet = self._delay_wet(self._wet.network.process(x))
            out = wet if isinstance(mix, float) and mix == 1.0 else dry + mix * (wet - dry)
        return _amplify(out, self._output_gain, parameters.output_gain_db)

    def _delay_wet(self, wet: Audio) -> Audio:
        """The network's output, aligned with the dry path and checked."""
        try:
            if self._wet_delay.latency_samples:
                return self._wet_delay.process(wet)
            check_block(wet, self._doubled)
            return wet
        except ValueError as error:
            raise ValueError(f"the network returned something unusable: {error}") from error


def _amplify(x: Audio, ramp: Ramp, gain_db: float) -> Audio:
    """A block with a gain that moves to ``gain_db``."""
    ramp.move(_gain(gain_db))
    if ramp.resting_at == 1.0:
        return x
    return (x * ramp.next(x.shape[1])).astype(np.float32, copy=False)


def _gain(db: float) -> float:
    return float(10.0 ** (db / 20.0))
