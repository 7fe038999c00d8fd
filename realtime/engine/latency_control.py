"""Keeps the latency at its start value: an account of all samples, and what to correct.

Pure arithmetic without threads or queues. :class:`realtime.engine.worker.Worker` asks once per
block; :class:`realtime.engine.block_reader.BlockReader` and
:class:`realtime.engine.block_writer.BlockWriter` carry out the answer.
"""

from dataclasses import dataclass

from realtime.engine.clock_drift import DriftEstimator
from realtime.sample_rates import SAMPLE_RATE_OUT

# Extra margin for one slow block or a scheduling delay.
LATENESS_S = 0.01
# If more blocks in a row than this are late because input is missing, the input is too slow, or it
# lost samples that were not counted.
MAX_STARVED_BLOCKS = 8
# Small drift is corrected by at most one sample in 512: 0.2 %, 3 cents.
STRETCH_SAMPLES = 512
# A larger drift than this is corrected at once.
MAX_DRIFT_SAMPLES = 512


def prefill_for(block_samples: int, period_s: float, reserve_s: float = 0.0) -> int:
    """Silence in front of the output, in samples at 44.1 kHz: the reserve for a late block.

    It is one block. Where a device takes a period at once, it is at least that period and
    10 ms, since a whole period has to be ready when the device asks for it. A device that has
    ``reserve_s`` of its own to play while it waits needs that much less, but still a period.
    """
    if not period_s:
        return block_samples
    wanted = max(block_samples, round((period_s + LATENESS_S) * SAMPLE_RATE_OUT))
    own = round(reserve_s * SAMPLE_RATE_OUT)
    return max(wanted - own, round(period_s * SAMPLE_RATE_OUT))


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Where the samples are at one moment, all counted at 44.1 kHz.

    Attributes:
        received: that the input has delivered since the start, lost ones included.
        lost: of these, that did not fit into the input queue.
        waiting: that can be read.
        queued: that wait in the output queue.
        room: that the output queue has space for.
        played: that the output has taken since the start, silence included.
        silent: of these, silence because the output queue was empty.
    """

    received: float
    lost: float
    waiting: int
    queued: float
    room: float
    played: float
    silent: float


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What to change about one block, in samples at 44.1 kHz, in this order.

    Attributes:
        stretch_samples: the block becomes this much longer or, negative, shorter; inaudible.
        leave_out_samples: the first samples of the block, not to be played.
        silence_samples: to be played before the block.
        drop_blocks: whole blocks of the oldest input to drop before the next one is read.
    """

    stretch_samples: int = 0
    leave_out_samples: int = 0
    silence_samples: int = 0
    drop_blocks: int = 0


class LatencyControl:
    """Keeps account of the latency, and decides how to correct it to its start value.

    - Silence was played because a block was late: as many samples are left out.
    - Input was lost: silence takes its place.
    - More than a block is late and waits: whole blocks of input are dropped unread.
    - Two clocks drift: blocks are stretched or shortened inaudibly.
    - The input lost samples that were not counted: the prefill is filled again.

    Args:
        block_samples: output samples per block.
        prefill_samples: see :func:`prefill_for`.
        clocks_differ: input and output count samples by clocks of their own.
    """

    def __init__(
        self, *, block_samples: int, prefill_samples: int, clocks_differ: bool = False
    ) -> None:
        self._block = block_samples
        self._prefill = prefill_samples
        self._drift = (
            DriftEstimator(block_samples / SAMPLE_RATE_OUT, tolerance_samples=prefill_samples // 2)
            if clocks_differ
            else None
        )
        self.dropped_blocks = 0
        # Lateness that was corrected so far; negative where silence was inserted.
        self._corrected = 0.0
        # Samples that the stream still has to become longer by, and samples since the last stretch.
        self._to_stretch = 0
        self._since_stretch = 0
        self._starved_blocks = 0

    def late_samples(self, flow: Flow) -> int:
        """How much longer than its start value the latency is; negative: shorter."""
        return round(flow.silent - flow.lost - self._corrected)

    def correct(self, samples: int, ready: Flow, now: Flow) -> Correction:
        """Decide what to change about a block, and take account of it.

        Args:
            samples: length of the block, at 44.1 kHz.
            ready: when its input was complete. Lateness up to then is due to missing input;
                lateness since then is due to the network.
            now: after it was computed; there is room for the block.
        """
        if self._drift is not None and ready.played:
            self._follow_clocks(self._drift, ready)
        stretch = self._stretch(samples)
        samples += stretch
        late = self.late_samples(now)
        leave_out = min(max(late, 0), samples)
        # No more silence than there is room for: the block is worth more.
        silence = min(max(-late, 0), max(int(now.room) - samples, 0))
        still_late = late - leave_out
        # One block is always left to be read.
        drop = max(min(still_late // self._block, now.waiting // self._block - 1), 0)
        self._corrected += leave_out - silence + drop * self._block
        self.dropped_blocks += drop
        return Correction(
            stretch_samples=stretch,
            leave_out_samples=leave_out,
            silence_samples=silence,
            drop_blocks=drop,
        )

    def _follow_clocks(self, drift: DriftEstimator, flow: Flow) -> None:
        """Correct the drift between two clocks before it uses up the prefill.

        A slow input, or one that lost samples uncounted, would otherwise be late forever: all its
        samples would be left out because of a silence that does not end.
        """
        late = self.late_samples(flow)
        # A block in either queue means that no input is missing: samples are being left out.
        short = flow.waiting < 2 * self._block and flow.queued < self._block
        self._starved_blocks = self._starved_blocks + 1 if short and late > 0 else 0
        lost_a_block = short and late >= self._block and not flow.queued
        if lost_a_block or self._starved_blocks > MAX_STARVED_BLOCKS:
            # The prefill was used up before anything became late: it is filled again.
            self._starved_blocks = 0
            drift.rebase(late + self._prefill)
            self._corrected += late + self._prefill
            return
        change = drift.step(flow.received - flow.played)
        if abs(change) < drift.tolerance_samples:
            self._to_stretch -= change
            change = 0
            if abs(self._to_stretch) > MAX_DRIFT_SAMPLES:
                change, self._to_stretch = -self._to_stretch, 0
        self._corrected -= change

    def _stretch(self, samples: int) -> int:
        """How much longer a block becomes, by its share of the drift."""
        self._since_stretch += samples
        if not self._to_stretch or self._since_stretch < STRETCH_SAMPLES:
            return 0
        most = max(samples // STRETCH_SAMPLES, 1)
        stretch = min(max(self._to_stretch, -most), most)
        self._to_stretch -= stretch
        self._since_stretch = 0
        return stretch
