"""Does not run a network on digital silence, such as a muted microphone's, for long."""

from dataclasses import replace

import numpy as np

from realtime.dsp.chain import NetworkPath
from realtime.dsp.processor import Audio, Processor, ProcessSpec, check_block
from realtime.sample_rates import SAMPLE_RATE_OUT

# Longer than the memory of the shipped networks. octave's answer to silence is zero after 23 ms,
# and its recurrent state is within 3e-7 of its limit after 4.6 s; unet-small's is the limit, 1e-9
# of full scale, after 17 ms.
MEMORY_S = 5.0


class SilenceGate:
    """A network that rests once its answer to silence has not changed for as long as it remembers.

    Its state stays as it is then. A network that answers with noise of its own does not rest.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, ratio * n]``, as the network's
    """

    def __init__(self, network: Processor) -> None:
        self._network = network
        self.ratio = network.ratio
        self._forget()

    @property
    def latency_samples(self) -> int:
        """The network's."""
        return self._network.latency_samples

    def _forget(self) -> None:
        self._unchanged_samples = 0
        self._answer: Audio | None = None

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate for blocks of the spec."""
        self._spec = spec
        self._network.prepare(spec)
        self._forget()

    def reset(self) -> None:
        """Forget the past."""
        self._network.reset()
        self._forget()

    def process(self, x: Audio) -> Audio:
        """Process a block."""
        # The last sample alone mostly tells, at a tenth of the time.
        if x.size and (x[0, -1] or x.any()):
            if self._answer is not None:
                self._forget()
            return self._network.process(x)
        before = self._answer
        if before is not None and before.shape[1] != self.ratio * x.shape[1]:
            before = None
        if before is not None and self._unchanged_samples >= MEMORY_S * SAMPLE_RATE_OUT:
            check_block(x, self._spec)
            return before.copy()
        answer = self._network.process(x)
        if before is not None and np.array_equal(answer, before):
            self._unchanged_samples += answer.shape[1]
        else:
            self._unchanged_samples, self._answer = 0, answer.copy()
        return answer


def rest_in_silence(path: NetworkPath) -> NetworkPath:
    """A path whose network rests in silence."""
    backup = path.backup and SilenceGate(path.backup)
    return replace(path, network=SilenceGate(path.network), backup=backup)
