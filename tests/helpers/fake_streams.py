"""An input and an output whose callbacks the tests call, and an engine between them."""

import time
from collections.abc import Callable
from unittest import mock

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio
from realtime.engine import engine as engine_module
from realtime.engine.engine import Engine
from realtime.engine.latency_control import prefill_for
from realtime.engine.snapshot import Snapshot
from realtime.inference.load import LoadedChain

# A time limit for a test that hangs; no test depends on the machine's speed.
TIMEOUT_S = 20.0


def hurry(engine: Engine) -> None:
    """Let an engine with a file at both ends run as fast as it can, before its start."""
    engine._clock = lambda: lambda: 1e6  # type: ignore[method-assign]


def wait_until(happened: Callable[[], bool], what: str = "it") -> None:
    """Poll a condition; fail if it does not become true."""
    deadline = time.monotonic() + TIMEOUT_S
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen in {TIMEOUT_S:g} s")
        time.sleep(0.001)


class FakeInput:
    """A microphone whose callbacks a test calls."""

    def __init__(self, *, sample_rate_hz: int = 22_050, channels: int = 1) -> None:
        self.name = "fake microphone"
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self.latency_s = 0.0
        self.length_s = 0.0
        self.position_s = 0.0
        self.finished = False
        self.error = ""
        self.refuse: Exception | None = None
        self.sought: list[float] = []
        self.stops = 0
        self.pushed = 0
        self.input_queue: InputQueue | None = None

    def start(self, input_queue: InputQueue, elapsed: Callable[[], float]) -> None:
        """As a device would, or refuse."""
        if self.refuse is not None:
            raise self.refuse
        self.input_queue = input_queue

    def push(self, x: Audio, *, overflow: bool = False) -> None:
        """A callback."""
        assert self.input_queue is not None
        self.input_queue.push(x, overflow=overflow)
        self.pushed += x.shape[1]

    def check(self) -> str:
        """As the watch-dog of a device says it."""
        return self.error

    def unplug(self) -> None:
        """From now on the device is lost."""
        self.error = f"{self.name} went away"

    def stop(self) -> None:
        """A closed device has no errors any more."""
        self.stops += 1
        self.error = ""

    def seek(self, seconds: float) -> None:
        """Devices ignore it."""
        self.sought.append(seconds)


class FakeOutput:
    """A loudspeaker whose callbacks a test calls."""

    def __init__(self, *, sample_rate_hz: int = 44_100) -> None:
        self.name = "fake loudspeaker"
        self.sample_rate_hz = sample_rate_hz
        self.latency_s = 0.0
        self.period_s = self.reserve_s = 0.0
        self.clocked = True
        self.error = ""
        self.refuse: Exception | None = None
        self.stops = 0
        self.played: list[Audio] = []
        self.output_queue: OutputQueue | None = None
        self.channels = 0

    def start(self, output_queue: OutputQueue, channels: int) -> None:
        """As a device would, or refuse."""
        if self.refuse is not None:
            raise self.refuse
        self.output_queue, self.channels = output_queue, channels
        # A device that runs has called once.
        output_queue.pull(np.zeros((channels, 0), np.float32))

    def pull(self, n: int, *, underflow: bool = False, spare_s: float = 0.0) -> Audio:
        """A callback."""
        assert self.output_queue is not None
        block = np.full((self.channels, n), np.nan, np.float32)
        self.output_queue.pull(block, underflow=underflow, spare_s=spare_s)
        self.played.append(block)
        return block

    def check(self) -> str:
        """As the watch-dog of a device says it."""
        return self.error

    def unplug(self) -> None:
        """From now on the device is lost."""
        self.error = f"{self.name} went away"

    def stop(self) -> None:
        """A closed device has no errors any more."""
        self.stops += 1
        self.error = ""


class Rig:
    """An engine between a fake microphone and a fake loudspeaker.

    Args:
        loaded: what it runs.
        source: the microphone.
        sink: the loudspeaker.
        prefill_samples: of the engine.

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
        self.loaded = loaded
        self.block = loaded.block_samples // 2
        self.source = source or FakeInput()
        self.sink = sink or FakeOutput()
        self._settled = 0
        prefill = {} if prefill_samples is None else {"return_value": prefill_samples}
        with mock.patch.object(engine_module, "prefill_for", wraps=prefill_for, **prefill):
            self.engine = Engine(self.source, self.sink, loaded)

    def __enter__(self) -> "Rig":
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()

    @property
    def snapshot(self) -> Snapshot:
        """A snapshot."""
        return self.engine.snapshot()

    @property
    def played(self) -> Audio:
        """Everything that was pulled, ``[C, n]``."""
        return np.concatenate(self.sink.played, axis=1)

    def settle(self) -> None:
        """Wait until the worker has processed all complete blocks."""

        def idle() -> bool:
            output_queue = self.sink.output_queue
            assert output_queue is not None
            faults = self.snapshot.faults
            done = self.engine.input_tap.written
            whole = self.source.pushed - faults.dropped_samples - done < self.block
            # All samples that entered the chain have left it and are in the ring.
            delivered = 2 * done == self.engine.output_tap.written
            early = not done and self.source.pushed < self.block
            return early or (whole and delivered)

        wait_until(idle, "that the worker was done")
        if self.engine.output_tap.written != self._settled:
            # The tap gets a block just before the ring.
            time.sleep(0.005)
        self._settled = self.engine.output_tap.written

    def run(self, x: Audio, *, step: int | None = None) -> None:
        """Push a signal block by block, and pull the same duration each time, without a fault."""
        step = step or self.block
        for start in range(0, x.shape[1], step):
            part = x[:, start : start + step].copy()
            self.source.push(part)
            self.settle()
            self.sink.pull(2 * part.shape[1])

    def parameters(self, **changes: float) -> None:
        """Replace them."""
        self.engine.parameters = Parameters(**changes)  # type: ignore[arg-type]
