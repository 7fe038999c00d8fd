"""Reads the counters of both queues at one moment."""

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.engine.block_reader import BlockReader
from realtime.engine.latency_control import Flow
from realtime.sample_rates import SAMPLE_RATE_OUT


class FlowMeter:
    """Counts at 44.1 kHz what the devices count at rates of their own; the worker's.

    Args:
        input_queue: at ``rate_in_hz``.
        output_queue: at ``rate_out_hz``.
        reader: of the input queue.
        rate_in_hz: of the input device.
        rate_out_hz: of the output device.
    """

    def __init__(
        self,
        input_queue: InputQueue,
        output_queue: OutputQueue,
        reader: BlockReader,
        *,
        rate_in_hz: int,
        rate_out_hz: int,
    ) -> None:
        self._input_queue = input_queue
        self._output_queue = output_queue
        self._reader = reader
        self._in = SAMPLE_RATE_OUT / rate_in_hz
        self._out = SAMPLE_RATE_OUT / rate_out_hz

    def read(self) -> Flow:
        """Where the samples are now."""
        source, sink = self._input_queue, self._output_queue
        silent = sink.silent_samples * self._out
        return Flow(
            received=(source.ring.written + source.lost_samples) * self._in,
            lost=source.lost_samples * self._in,
            waiting=2 * self._reader.fetch(),
            queued=sink.ring.available * self._out,
            room=self.room(),
            played=sink.ring.consumed * self._out + silent,
            silent=silent,
        )

    def room(self) -> float:
        """Samples that the output queue has space for."""
        return self._output_queue.ring.free * self._out
