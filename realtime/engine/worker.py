"""The thread between the queues: reads a block, processes it, writes it."""

import time
from dataclasses import dataclass

from realtime.audio_io.streams import InputStream
from realtime.audio_io.thread_priority import WORKER_PRIORITY, raise_priority, restore_priority
from realtime.engine.block_reader import BlockReader
from realtime.engine.block_timing import BlockTimes
from realtime.engine.block_writer import BlockWriter
from realtime.engine.latency_control import Flow, LatencyControl
from realtime.engine.loop import Loop
from realtime.engine.tap import Tap
from realtime.guarded_thread import GuardedThread
from realtime.inference.load import LoadedChain
from realtime.sample_rates import SAMPLE_RATE_OUT

# New input wakes the worker; the end of an input, or room in a full output queue, does not. The
# worker looks for these this often.
IDLE_S = 0.005
# The output queue keeps room for this many blocks.
ROOM_BLOCKS = 4
# A network is too slow if the median block of this long took more than real time.
SLOW_S = 1.0


@dataclass(kw_only=True)
class Worker:
    """Runs the chain block by block, until it is stopped or the input has ended.

    Attributes:
        source: says whether it has ended.
        reader: cuts the input into blocks; its queue wakes the worker.
        writer: queues the output.
        control: keeps the latency at its start value.
        loop: may replace the input.
        output_tap: gets a copy of the output.
        finished: the input has ended and all delayed samples are out.
    """

    loaded: LoadedChain
    source: InputStream
    reader: BlockReader
    writer: BlockWriter
    control: LatencyControl
    loop: Loop
    output_tap: Tap
    finished: bool = False

    def __post_init__(self) -> None:
        self._block = self.loaded.block_samples // 2
        self._raised_priority = False
        self.reset_times()
        self.thread = GuardedThread(self._run, name="topoctave-worker", what="processing")

    def reset_times(self) -> None:
        """Measure block times from now on; from any thread."""
        # Replaced as a whole: the worker may be in the middle of a sum.
        self.times = BlockTimes(self.loaded.block_samples / SAMPLE_RATE_OUT)

    def _run(self) -> None:
        try:
            self.loaded.bind_thread()
            self._raised_priority = raise_priority(WORKER_PRIORITY)
            while self._wait_for_block():
                self._process_block()
            self._flush()
        finally:
            self.writer.output_queue.end()

    def _wait_for_block(self) -> bool:
        """Sleep until a block can be read; False once there will be no more, or when stopped."""
        while not self.thread.stopping.is_set():
            # Ask this first: all samples that were pushed before the end are then in the queue.
            ended = self.source.finished
            if self.reader.fetch() >= self._block:
                return True
            if ended:
                return False
            self.reader.input_queue.event.wait(IDLE_S)
        return False

    def _process_block(self, max_samples: int | None = None) -> None:
        """Read, process and write one block; ``max_samples`` cuts the output."""
        ready = self._flow()
        begin = time.perf_counter()
        x = self.loop.process(self.reader.read(self._block))
        y = self.loaded.chain.process(x)[:, :max_samples]
        self.times.add(time.perf_counter() - begin)
        # The queue is full while a file's disk hangs; the input queue counts what it loses then.
        room = ROOM_BLOCKS * self.loaded.block_samples * self.writer.ratio
        while self.writer.output_queue.ring.free < room:
            if self.thread.stopping.wait(IDLE_S):
                return
        self.output_tap.write(y)
        correction = self.control.correct(y.shape[1], ready, self._flow())
        self.writer.write(y, correction)
        if correction.drop_blocks:
            self.reader.drop(correction.drop_blocks * self._block)
            self._give_way()

    def _flow(self) -> Flow:
        """Where the samples are now."""
        source, sink = self.reader.input_queue, self.writer.output_queue
        ratio_in, ratio_out = self.reader.ratio, self.writer.ratio
        return Flow(
            received=(source.ring.written + source.lost_samples) * ratio_in,
            lost=source.lost_samples * ratio_in,
            waiting=2 * self.reader.fetch(),
            queued=sink.ring.available / ratio_out,
            room=sink.ring.free / ratio_out,
            played=(sink.ring.consumed + sink.silent_samples) / ratio_out,
            silent=sink.silent_samples / ratio_out,
        )

    def _give_way(self) -> None:
        """Give up the priority of a network that is too slow: it would slow all programs down.

        Blocks that were dropped after a stall of a device or the machine are not its fault.
        """
        if self._raised_priority and self.times.last(SLOW_S).ratio_median < 1.0:
            self._raised_priority = False
            restore_priority()

    def _flush(self) -> None:
        """Process the rest of a file, and silence until all delayed samples are out."""
        due = (
            2 * (self.reader.read_samples + self.reader.fetch()) + self.loaded.chain.latency_samples
        )
        while not self.thread.stopping.is_set():
            left = due - self.output_tap.written
            if left <= 0:
                self.finished = True
                return
            self._process_block(left)
