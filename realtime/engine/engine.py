"""The live engine: an input, a chain, an output, and the threads that connect them."""

import gc
import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.start_gate import StartGate
from realtime.audio_io.streams import InputStream, OutputStream
from realtime.dsp.latency import Latency
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio
from realtime.engine.block_reader import BlockReader
from realtime.engine.block_writer import BlockWriter
from realtime.engine.latency_control import LatencyControl, prefill_for
from realtime.engine.loop import Loop
from realtime.engine.snapshot import Faults, Level, Snapshot, State
from realtime.engine.tap import Tap
from realtime.engine.worker import Worker
from realtime.inference.load import LoadedChain
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# A busy Python thread holds the interpreter lock for this long; the default of 5 ms is most of a
# callback's time.
SWITCH_INTERVAL_S = 0.0005

# Minimum capacity of the rings: room for stalls of the machine; it adds no latency.
RING_S = 1.0
# Windows of a snapshot's recent block times, and of its levels: longer than a meter's frame.
RECENT_S = 3.0
LEVEL_S = 0.1


class Engine:
    """Plays an input through a chain to an output, in real time.

    Made by :func:`realtime.engine.open.open_engine`. An engine runs once; other devices or another
    model need a new one. ``loaded`` is prepared for the channels of ``source``.
    """

    def __init__(self, source: InputStream, sink: OutputStream, loaded: LoadedChain) -> None:
        self._source = source
        self._sink = sink
        self._loaded = loaded
        channels = source.channels
        block = loaded.block_samples
        self._prefill = prefill_for(block, sink.period_s, sink.reserve_s)
        ring_s = max(RING_S, 16 * block / SAMPLE_RATE_OUT)
        # A file has no clock of its own: the output's clock, or the system's, paces it.
        clocks_differ = sink.clocked and not source.length_s
        gate = StartGate(output_runs=not clocks_differ)
        self._input_queue = InputQueue(channels, int(ring_s * source.sample_rate_hz), gate)
        self._output_queue = OutputQueue(channels, int(ring_s * sink.sample_rate_hz), gate)
        self._reader = BlockReader(
            self._input_queue, sample_rate_hz=source.sample_rate_hz, channels=channels
        )
        self._writer = BlockWriter(
            self._output_queue, sample_rate_hz=sink.sample_rate_hz, channels=channels
        )
        self.input_tap = Tap(sample_rate=SAMPLE_RATE_IN, channels=channels)
        self.output_tap = Tap(sample_rate=SAMPLE_RATE_OUT, channels=channels)
        loaded.chain.input_tap = self.input_tap.write
        loaded.chain.fall_back(bind_thread=loaded.bind_thread)
        self._control = LatencyControl(
            block_samples=block, prefill_samples=self._prefill, clocks_differ=clocks_differ
        )
        self._loop = Loop(channels)
        self._worker = Worker(
            loaded=loaded,
            source=source,
            reader=self._reader,
            writer=self._writer,
            control=self._control,
            loop=self._loop,
            output_tap=self.output_tap,
        )
        self._state = State.READY
        # Stored before the stop, because a closed device reports no error.
        self._error = ""
        self._base = Faults()
        self._started_at = 0.0
        self._switch_interval_s = sys.getswitchinterval()

    @property
    def parameters(self) -> Parameters:
        """The A/B mix and gains; replace them as a whole, from any thread."""
        return self._loaded.chain.parameters

    @parameters.setter
    def parameters(self, parameters: Parameters) -> None:
        self._loaded.chain.parameters = parameters

    @property
    def tap_delay_samples(self) -> int:
        """Output tap sample j belongs to input tap sample (j - tap_delay_samples) / 2."""
        return self._loaded.chain.latency_samples

    @property
    def latency(self) -> Latency:
        """Delay by named parts; constant."""
        return replace(
            self._loaded.chain.latency,
            device_in=round(self._source.latency_s * SAMPLE_RATE_OUT)
            + 2 * self._reader.latency_samples,
            block=self._loaded.block_samples,
            safety=self._prefill,
            device_out=round(self._sink.latency_s * SAMPLE_RATE_OUT) + self._writer.latency_samples,
        )

    def start(self) -> None:
        """Begin to play.

        Raises:
            DeviceError: if a device refuses.
            AudioFileError: if the output file cannot be made.
            RuntimeError: if it was started before.
        """
        if self._state is not State.READY:
            raise RuntimeError("an engine runs once; open a new one")
        # What was loaded stays: garbage collections can leave it out.
        gc.collect()
        gc.freeze()
        self._switch_interval_s = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._state = State.RUNNING
        converters = 2 * self._reader.latency_samples + self._writer.latency_samples
        self._writer.fill(self._loaded.block_samples + self._prefill + converters)
        try:
            self._worker.thread.start()
            self._sink.start(self._output_queue, self._source.channels)
            self._started_at = time.perf_counter()
            self._source.start(self._input_queue, self._clock())
        except BaseException:
            self.stop()
            raise

    def _clock(self) -> Callable[[], float]:
        """The clock that paces a file input."""
        if self._sink.clocked:
            output_queue, rate = self._output_queue, self._sink.sample_rate_hz
            return lambda: (output_queue.ring.consumed + output_queue.silent_samples) / rate
        return lambda: time.perf_counter() - self._started_at

    def stop(self) -> None:
        """End, join all threads, finish output files; idempotent, from one thread at a time."""
        if self._state is State.STOPPED:
            return
        self._error = self._condition()[1]
        running, self._state = self._state is State.RUNNING, State.STOPPED
        self._source.stop()
        self._worker.thread.stop()
        for fallback in self._loaded.chain.fallbacks:
            fallback.stop()
        self._sink.stop()
        if running:
            sys.setswitchinterval(self._switch_interval_s)
            gc.unfreeze()

    def seek(self, seconds: float) -> None:
        """Continue a file input from this position; devices ignore it."""
        self._source.seek(seconds)

    def play_loop(self, audio: Audio | None) -> None:
        """Play this, ``[C, n]`` at 22.05 kHz, round and round in place of the input; None ends it.

        The input is still consumed. Taps carry what is played.

        Raises:
            ValueError: if the audio cannot be looped, see :meth:`realtime.engine.loop.Loop.play`.
        """
        self._loop.play(audio)

    def reset_counters(self) -> None:
        """Count faults and block times from now on."""
        self._base = self._count_faults()
        self._worker.reset_times()

    def _count_faults(self) -> Faults:
        dropped = self._control.dropped_blocks
        lost = self._input_queue.lost_samples * SAMPLE_RATE_IN / self._source.sample_rate_hz
        return Faults(
            input_overflow=self._input_queue.overflows,
            output_underflow=self._output_queue.underflows,
            ring_overrun=self._input_queue.overruns + dropped,
            ring_underrun=self._output_queue.underruns,
            dropped_samples=round(lost) + dropped * self._loaded.block_samples // 2,
            bad_samples=self._reader.bad_samples,
            late_blocks=self._output_queue.waits,
        )

    def _condition(self) -> tuple[State, str]:
        error = (
            self._error or self._worker.thread.error or self._source.check() or self._sink.check()
        )
        if error:
            return State.FAILED, error
        if self._state is State.RUNNING and self._worker.finished and self._output_queue.drained:
            return State.FINISHED, ""
        return self._state, ""

    def snapshot(self) -> Snapshot:
        """State, faults, levels and times at one moment; cheap, from any thread."""
        state, error = self._condition()
        chain = self._loaded.chain
        fallback = chain.fallback.reason if chain.fallback else ""
        dry = f"the network is left out ({fallback}), and tried again" if fallback else ""
        return Snapshot(
            state=state,
            error=error,
            seconds=self._reader.read_samples / SAMPLE_RATE_IN,
            position_s=self._source.position_s,
            length_s=self._source.length_s,
            input_name=self._source.name,
            output_name=self._sink.name,
            input_rate_hz=self._source.sample_rate_hz,
            output_rate_hz=self._sink.sample_rate_hz,
            model=self._loaded.model,
            model_b=self._loaded.model_b,
            looping=self._loop.playing,
            compute=self._loaded.compute_now,
            threads=self._loaded.threads,
            block_samples=self._loaded.block_samples,
            latency=self.latency,
            timing=self._worker.times.whole(),
            recent=self._worker.times.last(RECENT_S),
            faults=self._count_faults() - self._base,
            input_level=_level(self.input_tap),
            output_level=_level(self.output_tap),
            model_reason=self._loaded.reason,
            dtype=self._loaded.dtype,
            notice=dry or self._loaded.notice,
            fallback=fallback,
            fallbacks=sum(f.count for f in chain.fallbacks),
            fallback_s=sum(f.dry_samples for f in chain.fallbacks) / SAMPLE_RATE_OUT,
        )


def _level(tap: Tap) -> Level:
    """Level of the newest samples."""
    x, _ = tap.read(tap.written - round(LEVEL_S * tap.sample_rate))
    if not x.size:
        return Level()
    return Level(
        rms_db=_db(math.sqrt(float(np.square(x).mean()))), peak_db=_db(float(np.abs(x).max()))
    )


def _db(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0.0 else -math.inf
