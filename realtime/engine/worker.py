"""The thread between the rings: blocks in, chain, blocks out."""

import threading
import time
from dataclasses import dataclass

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.streams import InputStream
from realtime.audio_io.thread_priority import WORKER_PRIORITY, raise_priority, restore_priority
from realtime.dsp.processor import Audio
from realtime.engine.block_reader import BlockReader
from realtime.engine.block_timing import BlockTimes
from realtime.engine.block_writer import BlockWriter
from realtime.engine.clock_drift import DriftEstimator
from realtime.engine.tap import Tap
from realtime.inference.load import LoadedChain
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# Arriving input wakes the worker; this often it looks for what does not: an end, a full output.
IDLE_S = 0.005
# So many blocks in a row may be late for want of input before its clock is found to be slow.
MOST_STARVED_BLOCKS = 8
# A network is too slow if most blocks of so long were.
SLOW_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Taps:
    """Where the newest input and output can be looked at."""

    input: Tap
    output: Tap


class Worker:
    """Reads blocks, runs the chain and writes its output, until stopped or the input has ended.

    Args:
        loaded: the prepared chain.
        source: asked whether it has ended.
        input_queue: its samples.
        output_queue: where the output goes.
        reader: cuts the input_queue into blocks.
        writer: feeds the output_queue.
        taps: get a copy of everything.
        safety_samples: silence, at 44.1 kHz, that stands between a late block and a fault.
        drift: where input and output have clocks of their own: watches them.
    """

    def __init__(
        self,
        loaded: LoadedChain,
        source: InputStream,
        *,
        input_queue: InputQueue,
        output_queue: OutputQueue,
        reader: BlockReader,
        writer: BlockWriter,
        taps: Taps,
        safety_samples: int,
        drift: DriftEstimator | None = None,
    ) -> None:
        self._loaded = loaded
        self._chain = loaded.chain
        self._source = source
        self._input_queue = input_queue
        self._output_queue = output_queue
        self._reader = reader
        self._writer = writer
        self._taps = taps
        self._drift = drift
        self._safety = safety_samples
        self._starved_blocks = 0
        self._block = loaded.block_samples // 2
        self.times = BlockTimes(loaded.block_samples / SAMPLE_RATE_OUT)
        self.error = ""
        self.finished = False
        # Stored by the worker alone.
        self.dropped_samples = 0
        self.dropped_blocks = 0
        self.peaks = [0.0, 0.0]
        self.powers = [0.0, 0.0]
        self._lost = 0
        self._delivered_samples = 0
        self._urgent = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="topoctave-worker")
        self._prefill_samples = (
            loaded.block_samples
            + safety_samples
            + 2 * reader.latency_samples
            + writer.latency_samples
        )

    def start(self) -> None:
        """Fill the latency with silence and begin."""
        self._writer.fill(self._prefill_samples)
        self._thread.start()

    def stop(self) -> None:
        """End after the block in hand; idempotent."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._loaded.bind_thread()
            self._urgent = raise_priority(WORKER_PRIORITY)
            self._loop()
        # Whatever a network does must not end the thread without a word; the engine shows this.
        except Exception as error:  # noqa: BLE001 - see the line above
            lines = str(error).strip().splitlines()
            self.error = f"processing stopped: {lines[-1] if lines else type(error).__name__}"
        finally:
            self._output_queue.end()

    def _loop(self) -> None:
        while not self._stop.is_set():
            if not self._wait_for(self._block):
                return
            if self._at_end:
                self._flush()
                return
            self._catch_up()
            begin = time.perf_counter()
            y = self._process(self._reader.read(self._block))
            self.times.add(time.perf_counter() - begin)
            if not self._wait_for_room():
                return
            self._deliver(y)

    def _wait_for(self, samples: int) -> bool:
        """Sleep until a block is there or the input has ended; False when stopped."""
        while not self._stop.is_set():
            # Asked in this order: what was pushed before the end is in the ring by then.
            ended = self._source.finished
            if self._reader.available >= samples or ended:
                return True
            self._input_queue.event.wait(IDLE_S)
        return False

    def _wait_for_room(self) -> bool:
        """Sleep while the output's ring is full, as that of a file on a disk that hangs may be.

        What waits then is the input, where it is counted if it has to be dropped; False when
        stopped.
        """
        while self._output_queue.ring.free < 4 * self._loaded.block_samples:
            if self._stop.wait(IDLE_S):
                return False
        return True

    @property
    def _at_end(self) -> bool:
        return self._source.finished and self._reader.available < self._block

    def _flush(self) -> None:
        """The rest of a file, and silence until everything that is late has come out."""
        received = self._reader.read_samples + self._reader.available
        due = 2 * received + self._chain.latency_samples
        left = due - self._delivered_samples
        while left > 0 and not self._stop.is_set():
            if not self._wait_for_room():
                return
            y = self._process(self._reader.read(self._block))[:, :left]
            left -= y.shape[1]
            self._deliver(y)
        self.finished = True

    def _catch_up(self) -> None:
        """After a fault, drop whole blocks of the oldest input until the latency is its base."""
        lost = self._input_queue.lost_samples
        if lost != self._lost:
            self._writer.note_missing(
                (lost - self._lost) * SAMPLE_RATE_OUT / self._source.sample_rate_hz
            )
            self._lost = lost
        while (
            self._writer.late_samples >= 2 * self._block
            and self._reader.available >= 2 * self._block
        ):
            self._reader.skip(self._block)
            self._writer.note_missing(2 * self._block)
            self.dropped_samples += self._block
            self.dropped_blocks += 1
            self._give_way()
        if self._drift is not None:
            self._follow_clocks(self._drift)

    def _give_way(self) -> None:
        """A network that is too slow for this machine must not keep everything else from it.

        What was dropped after a stall, of a device or of the machine, is not the network's fault.
        """
        if self._urgent and self.times.last(SLOW_S).ratio_median < 1.0:
            self._urgent = False
            restore_priority()

    def _follow_clocks(self, drift: DriftEstimator) -> None:
        """Keep the time between input and output where their clocks do not keep to each other.

        Clocks that run at different speeds are followed unheard, before a safety is used up.
        Without this a slow input, or one that lost samples uncounted, would be late forever: all
        that comes would be left out, to repay a silence that goes on.
        """
        if not self._writer.played_samples:
            return
        late = self._writer.late_samples
        # A ring with a block in it is not short of input: what is late is being left out.
        waits_for_input = (
            late > 0
            and self._reader.available < 2 * self._block
            and self._output_queue.ring.available < 2 * self._block
        )
        self._starved_blocks = self._starved_blocks + 1 if waits_for_input else 0
        lost_a_block = late >= 2 * self._block and not self._output_queue.ring.available
        if lost_a_block or self._starved_blocks > MOST_STARVED_BLOCKS:
            # Late, with nothing left to catch up with, by a whole block or again and again: it is
            # the input. The safety was used up before anything was late; it is filled again.
            self._starved_blocks = 0
            drift.rebase(late + self._safety)
            self._writer.note_missing(late + self._safety)
            return
        received = self._input_queue.ring.written + self._input_queue.lost_samples
        ahead = received * SAMPLE_RATE_OUT / self._source.sample_rate_hz
        slipped = drift.step(ahead - self._writer.played_samples)
        if abs(slipped) < drift.tolerance_samples:
            self._writer.note_drift(-slipped)
        else:
            self._writer.note_missing(-slipped)

    def _process(self, x: Audio) -> Audio:
        x = self._chain.amplify(x)
        self._meter(0, x)
        self._taps.input.write(x)
        return self._chain.restore(x)

    def _deliver(self, y: Audio) -> None:
        self._delivered_samples += y.shape[1]
        self._meter(1, y)
        self._taps.output.write(y)
        self._writer.write(y)

    def _meter(self, index: int, x: Audio) -> None:
        self.peaks[index] = max(self.peaks[index], float(np.abs(x).max(initial=0.0)))
        self.powers[index] = float(np.square(x).mean()) if x.size else 0.0

    @property
    def seconds(self) -> float:
        """Audio that went through."""
        return self._reader.read_samples / SAMPLE_RATE_IN
