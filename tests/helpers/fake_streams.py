"""An input and an output whose callbacks the tests call, and an engine between them."""

import time
from collections.abc import Callable
from unittest import mock

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.dsp.processor import Audio
from realtime.engine import engine as engine_module
from realtime.engine.engine import Engine
from realtime.engine.latency_control import Correction, prefill_for
from realtime.engine.snapshot import Snapshot
from realtime.inference.load import LoadedChain

# A time limit for a test that hangs; no test depends on the machine's speed.
TIMEOUT_S = 20.0


def hurry(engine: Engine) -> None:
    """Let an engine with a file at both ends run as fast as it can, before its start."""
    engine._clock = lambda: lambda: 1e6
    take_no_time(engine._loaded.chain)


def take_no_time(chain) -> None:
    """Let no network be too slow, on a busy machine."""
    for fallback in chain.fallbacks:
        fallback.clock = lambda: 0.0


def wait_until(happened: Callable[[], bool], what: str = "it") -> None:
    """Poll a condition; fail if it does not become true."""
    deadline = time.monotonic() + TIMEOUT_S
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen in {TIMEOUT_S:g} s")
        time.sleep(0.001)


class FakeStream:
    """A device that a test starts, pulls out and stops."""

    name = "fake device"
    latency_s = 0.0

    def __init__(self) -> None:
        self.error = ""
        self.refuse: Exception | None = None
        self.stops = 0

    def begin(self) -> None:
        if self.refuse is not None:
            raise self.refuse

    def check(self) -> str:
        """As the watch-dog of a device says it."""
        return self.error

    def unplug(self) -> None:
        self.error = f"{self.name} went away"

    def stop(self) -> None:
        """A closed device has no errors any more."""
        self.stops += 1
        self.error = ""


class FakeInput(FakeStream):
    """A microphone whose callbacks a test calls."""

    name = "fake microphone"
    length_s = position_s = 0.0
    finished = False
    input_queue: InputQueue

    def __init__(self, *, sample_rate_hz: int = 22_050, channels: int = 1) -> None:
        super().__init__()
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self.pushed = 0

    def start(self, input_queue: InputQueue, elapsed: Callable[[], float]) -> None:
        self.begin()
        self.input_queue = input_queue

    def push(self, x: Audio, *, overflow: bool = False) -> None:
        self.input_queue.push(x, overflow=overflow)
        self.pushed += x.shape[1]

    def seek(self, seconds: float) -> None:
        """Devices ignore it."""


class FakeOutput(FakeStream):
    """A loudspeaker whose callbacks a test calls."""

    name = "fake loudspeaker"
    clocked = True
    output_queue: OutputQueue

    def __init__(self, *, sample_rate_hz: int = 44_100, period_s: float = 0.0) -> None:
        super().__init__()
        self.sample_rate_hz = sample_rate_hz
        self.period_s = period_s
        self.reserve_s = 0.0
        self.played: list[Audio] = []

    def start(self, output_queue: OutputQueue, channels: int) -> None:
        self.begin()
        self.output_queue, self.channels = output_queue, channels
        # A device that runs has called once.
        output_queue.pull(np.zeros((channels, 0), np.float32))

    def pull(self, n: int, *, underflow: bool = False, spare_s: float = 0.0) -> Audio:
        block = np.full((self.channels, n), np.nan, np.float32)
        self.output_queue.pull(block, underflow=underflow, spare_s=spare_s)
        self.played.append(block)
        return block


class Rig:
    """An engine between a fake microphone and a fake loudspeaker.

    A sample that is pushed as number i is played as number ``2 i + latency``, if the engine keeps
    what its snapshot says.
    """

    def __init__(
        self,
        loaded: LoadedChain,
        *,
        source: FakeInput | None = None,
        sink: FakeOutput | None = None,
        prefill_samples: int | None = None,
    ) -> None:
        self.block = loaded.block_samples // 2
        self.source = source or FakeInput()
        self.sink = sink or FakeOutput()
        self._delivered = 0
        prefill = {} if prefill_samples is None else {"return_value": prefill_samples}
        with mock.patch.object(engine_module, "prefill_for", wraps=prefill_for, **prefill):
            self.engine = Engine(self.source, self.sink, loaded)
        take_no_time(loaded.chain)
        self._write, self.engine._writer.write = self.engine._writer.write, self._note_delivery

    def __enter__(self) -> "Rig":
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()

    @property
    def snapshot(self) -> Snapshot:
        return self.engine.snapshot()

    @property
    def played(self) -> Audio:
        """Everything that was pulled, ``[C, n]``."""
        return np.concatenate(self.sink.played, axis=1)

    def _note_delivery(self, y: Audio, correction: Correction) -> None:
        self._write(y, correction)
        self._delivered += y.shape[1]

    def settle(self) -> None:
        """Wait until the worker has processed all complete blocks."""

        def idle() -> bool:
            done = self.engine.input_tap.written
            left = self.source.pushed - self.snapshot.faults.dropped_samples - done
            # All samples that entered the chain have left it and are in the ring.
            return left < self.block and self._delivered == 2 * done

        wait_until(idle, "that the worker was done")

    def run(self, x: Audio, *, step: int | None = None) -> None:
        """Push a signal block by block, and pull the same duration each time, without a fault."""
        step = step or self.block
        for start in range(0, x.shape[1], step):
            part = x[:, start : start + step].copy()
            self.source.push(part)
            self.settle()
            self.sink.pull(2 * part.shape[1])
