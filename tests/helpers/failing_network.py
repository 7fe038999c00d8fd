"""A network that fails or costs time at a test's command, and a chain that falls back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from realtime.dsp.chain import Chain, NetworkPath
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.ramp import RAMP_SAMPLES
from tests.helpers.engine_signals import ROUNDING

MAX_BLOCK = 600
RATE = 44_100


class Loud:
    """A network whose output differs as much as possible from the dry path, and what it costs.

    ``does`` spoils its output; ``cost`` is the seconds that a second of audio takes, also in a
    trial, unless ``cost_in_trial`` is given.
    """

    ratio = 1
    latency_samples = 0

    def __init__(self) -> None:
        self.does: Callable[[Audio], Any] = lambda y: y
        self.cost = 0.1
        self.cost_in_trial = 0.0
        self.now = 0.0
        self.calls = 0
        self.in_trial = False
        self.trials: list[float] = []

    def prepare(self, spec: ProcessSpec) -> None: ...

    def reset(self) -> None:
        self.since_reset = 0

    def process(self, x: Audio) -> Any:
        cost = self.cost_in_trial if self.in_trial and self.cost_in_trial else self.cost
        self.now += cost * x.shape[1] / RATE
        self.calls += not self.in_trial
        self.since_reset += x.shape[1]
        return self.does(-2 * x)

    def thread(self, run: Callable[[Audio], None], **_: Any) -> "Loud":
        """Make a thread that runs at once."""
        self._run = run
        return self

    def start(self, x: Audio) -> None:
        self.in_trial = True
        begin = self.now
        self._run(x)
        self.trials.append(self.now - begin)
        self.in_trial = False

    def path(self, **changes: Any) -> NetworkPath:
        return NetworkPath(self, **changes)


def guarded(
    network: Loud,
    *more: Loud,
    backup: Loud | None = None,
    block: int = MAX_BLOCK,
    **parameters: Any,
) -> Chain:
    paths = [network.path(backup=backup), *(other.path() for other in more)]
    made = Chain(*paths, parameters=Parameters(**parameters))
    made.prepare(ProcessSpec(max_block_samples=block))
    made.fall_back(clock=lambda: network.now, new_thread=network.thread)
    return made


def cuts(n: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Where blocks of random lengths begin and end."""
    ends = np.cumsum(rng.integers(1, MAX_BLOCK + 1, n // 100))
    inner = [int(e) for e in ends if e < n]
    return list(zip([0, *inner], [*inner, n], strict=True))


def sine(hz: float, seconds: float) -> Audio:
    t = np.arange(round(seconds * 22_050)) / 22_050
    return (0.5 * np.sin(2 * np.pi * hz * t))[None].astype(np.float32)


def raising(error: Exception) -> Callable[[Audio], Audio]:
    def fail(_: Audio) -> Audio:
        raise error

    return fail


def wet_and_dry(x: Audio) -> list[Audio]:
    """The whole outputs of the network that works, and of the dry path."""
    outs = []
    for bypass in (False, True):
        made = Chain(Loud().path(), parameters=Parameters(bypass=bypass))
        made.prepare(ProcessSpec(max_block_samples=x.shape[1]))
        outs.append(made.process(x))
    return outs


def run(made: Chain, x: Audio, block: int = 512) -> Audio:
    return np.concatenate(
        [made.process(x[:, k : k + block].copy()) for k in range(0, x.shape[1], block)], axis=1
    )


def with_one(value: float) -> Callable[[Audio], Audio]:
    """One bad sample, at the end."""

    def spoil(y: Audio) -> Audio:
        y[0, -1] = value
        return y

    return spoil


def check_second_difference(y: Audio, before: Audio, after: Audio, hz: float) -> None:
    """The bound of the toggle's test, see :mod:`tests.realtime.dsp.test_chain`.

    The difference that goes on mirrored has another phase than the dry path. At high frequencies
    their second differences add up, where a toggle's would not: 9 kHz is near the band's end.
    """
    skip = 2_000
    parts = (before, after, y, before - after)
    bend = [np.abs(np.diff(s[0, skip:].astype(np.float64), 2)).max() for s in parts]
    own = max(bend[:2]) if hz < 2_000 else bend[1] + bend[3]
    amplitude = max(np.abs(s[0, skip:]).max() for s in (before, after))
    slope = 4 * amplitude / (RAMP_SAMPLES // 2) * 2 * np.sin(np.pi * hz / RATE)
    kink = 2 * amplitude / (RAMP_SAMPLES // 2)
    assert bend[2] <= own + slope + kink + ROUNDING
