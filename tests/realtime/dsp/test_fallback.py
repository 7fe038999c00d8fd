"""A network that fails or is too slow: the dry path at once, no click, and the network again."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from realtime.dsp.chain import Chain, NetworkPath
from realtime.dsp.fallback import CONTEXT_S, MAX_PAUSE_S, MIN_PAUSE_S, TOO_SLOW, TRIAL_S
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.ramp import RAMP_SAMPLES
from realtime.inference.load import load_chain
from realtime.inference.model_file import find_model
from tests.helpers.engine_signals import ROUNDING, noise

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


def with_one(value: float) -> Callable[[Audio], Audio]:
    """One bad sample, at the end."""

    def spoil(y: Audio) -> Audio:
        y[0, -1] = value
        return y

    return spoil


FAILURES: dict[str, tuple[Callable[[Audio], Any], str]] = {
    "exception": (raising(RuntimeError("first line\nit is tired")), "it is tired"),
    "memory": (raising(MemoryError()), "MemoryError"),
    "type": (raising(TypeError("a bug")), "a bug"),
    "NaN": (with_one(np.nan), "finite"),
    "Inf": (with_one(-np.inf), "finite"),
    "overflow": (with_one(3e38), "finite"),
    "short": (lambda y: y[:, 1:].copy(), "samples were due"),
    "long": (lambda y: np.pad(y, ((0, 0), (0, 2))), "must be|samples were due|may have up to"),
    "empty": (lambda y: y[:, :0].copy(), "samples were due"),
    "flat": (lambda y: y[0], r"must be \[1, n\]"),
    "stereo": (lambda y: np.tile(y, (2, 1)), r"must be \[1, n\]"),
    "double": (lambda y: y.astype(np.float64), "must be float32"),
    "nothing": (lambda y: None, "NoneType"),
    "nonsense": (lambda y: y * np.float32(1e6), "returned samples of"),
    "one loud sample": (with_one(-4.5), "returned samples of 4.5"),
}


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


@pytest.mark.parametrize("hz", [300.0, 1_000.0, 9_000.0])
@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_replaced_in_its_block_and_the_network_comes_back(
    kind: str, hz: float, rng: np.random.Generator
) -> None:
    failure, reason = FAILURES[kind]
    network = Loud()
    made, x = guarded(network), sine(hz, 3.0)
    blocks = cuts(x.shape[1], rng)
    failing = int(rng.integers(8, 30))
    parts, reasons = [], []
    for k, (begin, end) in enumerate(blocks):
        network.does = failure if k == failing else lambda y: y
        parts.append(made.process(x[:, begin:end].copy()))
        reasons.append(made.fallbacks[0].reason)
        if k > failing and not reasons[-1] and reasons[-2]:
            # It has forgotten the past, and got its context.
            assert 0 <= network.since_reset / RATE - CONTEXT_S < 4 * MAX_BLOCK / RATE
    y = np.concatenate(parts, axis=1)
    wet, dry = wet_and_dry(x)
    assert np.abs(wet - dry).max() > 0.3
    at = 2 * blocks[failing][0]
    np.testing.assert_allclose(y[:, :at], wet[:, :at], rtol=0, atol=ROUNDING)
    # From the failing block on, only the dry path, after the fade.
    back = 2 * next(
        e for (_, e), r in zip(blocks[failing:], reasons[failing:], strict=True) if not r
    )
    silent = slice(at + RAMP_SAMPLES, back - 2 * MAX_BLOCK)
    np.testing.assert_allclose(y[:, silent], dry[:, silent], rtol=0, atol=ROUNDING)
    assert back - at > RATE * MIN_PAUSE_S
    assert (back - at + RAMP_SAMPLES) / RATE < 2.0
    settled = back + RAMP_SAMPLES
    np.testing.assert_allclose(y[:, settled:], wet[:, settled:], rtol=0, atol=ROUNDING)
    check_second_difference(y, wet, dry, hz)
    fallback = made.fallbacks[0]
    assert (fallback.count, fallback.reason) == (1, "")
    assert pytest.approx(back - at, abs=2 * MAX_BLOCK) == fallback.dry_samples
    assert reasons[failing] == reasons[failing + 3]
    assert "\n" not in reasons[failing]
    assert any(part in reasons[failing] for part in reason.replace("\\", "").split("|"))


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


@pytest.mark.parametrize("ratio", [0.65, 0.19])
@pytest.mark.parametrize("hz", [1_000.0, 9_000.0])
@pytest.mark.parametrize("recovers_s", [0.3, 0.9])
def test_a_slow_network_is_left_out_after_two_blocks_and_comes_back(
    ratio: float, hz: float, recovers_s: float, rng: np.random.Generator
) -> None:
    block = int(rng.integers(300, MAX_BLOCK + 1))
    network = Loud()
    made, x = guarded(network, block=block), sine(hz, 5.0)
    at = 20 * block
    recovers = at + round(recovers_s * 22_050) // block * block
    first = run(made, x[:, :at], block)
    network.cost, spent, calls = 1 / ratio, network.now, network.calls
    slow = run(made, x[:, at:recovers], block)
    # At most two blocks are computed slowly, and what delays the audio is less than their time.
    assert 1 <= network.calls - calls <= 1 + (ratio > 0.5)
    assert network.now - spent - sum(network.trials) <= 2 * 2 * MAX_BLOCK / RATE / ratio
    assert made.fallbacks[0].reason == TOO_SLOW
    network.cost = 0.5
    y = np.concatenate([first, slow, run(made, x[:, recovers:], block)], axis=1)
    wet, dry = wet_and_dry(x)
    dry_from, dry_to = 2 * at + 2 * 2 * block + RAMP_SAMPLES, 2 * recovers
    np.testing.assert_allclose(
        y[:, dry_from:dry_to], dry[:, dry_from:dry_to], rtol=0, atol=ROUNDING
    )
    wet_from = 2 * recovers + 2 * RATE
    np.testing.assert_allclose(y[:, wet_from:], wet[:, wet_from:], rtol=0, atol=ROUNDING)
    check_second_difference(y, wet, dry, hz)
    assert (made.fallbacks[0].count, made.fallbacks[0].reason) == (1, "")


@pytest.mark.parametrize("cost_in_trial", [3.0, 0.1])
def test_a_network_that_stays_too_slow_is_tried_more_and_more_seldom(cost_in_trial: float) -> None:
    """Fast enough alone, but not beside the audio, is too slow as well."""
    network = Loud()
    network.cost = 3.0
    network.cost_in_trial = cost_in_trial
    made, x = guarded(network), noise(120 * 22_050)
    seconds, heard, delays = [], [], []
    for k in range(0, x.shape[1], MAX_BLOCK):
        trials, before = len(network.trials), network.now
        part = x[:, k : k + MAX_BLOCK].copy()
        made.process(part)
        heard.append(made.fallbacks[0].reason == "")
        if len(network.trials) > trials:
            seconds.append(k / 22_050)
            before += network.trials[-1]
        delays.append(network.now - before)
    pauses = np.diff(seconds)
    wanted = [min(2.0**n, MAX_PAUSE_S) for n in range(1, 10)]
    np.testing.assert_allclose(
        pauses, wanted[: len(pauses)], atol=3 * MAX_BLOCK / 22_050 + CONTEXT_S
    )
    assert len(pauses) == 6
    assert seconds[0] == pytest.approx(MIN_PAUSE_S, abs=0.1)
    # It is heard once, at the start, and no trial takes more than its time.
    assert np.flatnonzero(np.diff(heard)).size <= 1
    assert made.fallbacks[0].count == 1
    assert max(network.trials) < 2 * TRIAL_S
    # A network that is too slow in its trial is not called beside the audio.
    assert network.calls == (1 if cost_in_trial == 3.0 else 1 + len(network.trials))
    assert sum(delay > 0 for delay in delays) == network.calls


def test_a_lost_gpu_goes_on_on_the_cpu_once_and_without_a_pause() -> None:
    gpu, cpu = Loud(), Loud()
    made, x = guarded(gpu, backup=cpu), noise(3 * 22_050)
    gpu.does = raising(RuntimeError("CUDA error: launch failure\nCompile with TORCH_USE_CUDA_DSA"))
    y = run(made, x[:, :22_050])
    wet, dry = wet_and_dry(x)
    settled = round((TRIAL_S + CONTEXT_S) * RATE) + 4 * MAX_BLOCK + RAMP_SAMPLES
    np.testing.assert_allclose(y[:, :1_000], dry[:, :1_000], rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(y[:, settled:], wet[:, settled : y.shape[1]], rtol=0, atol=ROUNDING)
    assert made.paths[0].lost == "CUDA error: launch failure"
    assert (gpu.calls, made.fallbacks[0].count) == (1, 1)
    cpu.does = raising(RuntimeError("and the CPU"))
    run(made, x[:, 22_050:])
    assert (made.fallbacks[0].count, made.fallbacks[0].reason) == (2, "and the CPU")
    assert gpu.calls == 1


def test_failures_of_one_of_two_networks_leave_the_other_and_are_silent_if_not_heard() -> None:
    """Slot B is heard under bypass; with one network, that is the dry path."""
    x = noise(22_050)
    for failing in (0, 1):
        networks = Loud(), Loud()
        networks[failing].does = with_one(np.nan)
        made = guarded(*networks)
        run(made, x)
        assert [f.count for f in made.fallbacks] == [1 - failing, failing]
        for bypass in (False, True):
            made.parameters = Parameters(bypass=bypass)
            assert made.fallback is made.fallbacks[bypass]
            made.reset()
            y = run(made, x[:, :8_192])
            wanted = wet_and_dry(x[:, :8_192])[bypass == bool(failing)]
            np.testing.assert_allclose(y, wanted, rtol=0, atol=ROUNDING)
    alone = Loud()
    alone.does = with_one(np.nan)
    made = guarded(alone, bypass=True)
    y = run(made, x)
    np.testing.assert_allclose(y, wet_and_dry(x)[1], rtol=0, atol=ROUNDING)
    assert made.fallback is None
    assert made.fallbacks[0].count == 1


def test_without_a_fall_back_errors_are_raised() -> None:
    network = Loud()
    made = Chain(network.path())
    made.prepare(ProcessSpec(max_block_samples=MAX_BLOCK))
    for name, (failure, _) in FAILURES.items():
        if "nonsense" not in name and "loud" not in name:
            network.does = failure
            with pytest.raises((ValueError, RuntimeError, MemoryError, TypeError, AttributeError)):
                made.process(noise(500))


def test_a_trial_that_hangs_leaves_the_dry_path_for_good() -> None:
    network = Loud()
    network.start = lambda x: None  # type: ignore[method-assign, assignment]
    made, x = guarded(network), noise(30 * 22_050)
    network.does = with_one(np.inf)
    y = run(made, x[:, :22_050])
    network.does = lambda y: y
    y = np.concatenate([y, run(made, x[:, 22_050:])], axis=1)
    np.testing.assert_allclose(y, wet_and_dry(x)[1], rtol=0, atol=ROUNDING)
    assert network.calls == 1


@pytest.mark.parametrize("level", [1.0, 1e-3])
@pytest.mark.parametrize("name", ["octave", "unet-small"])
def test_shipped_networks_are_no_nonsense(
    name: str, level: float, rng: np.random.Generator
) -> None:
    loaded = load_chain(find_model(name), block_samples=1_024, compute="cpu", threads=1)
    loaded.chain.fall_back(clock=lambda: 0.0)
    t = np.arange(11_264) / 22_050
    signals = [
        np.sign(rng.normal(size=len(t))),
        rng.uniform(-1, 1, len(t)),
        np.sign(np.sin(2 * np.pi * 997 * t)),
        np.sin(2 * np.pi * 10_000 * t),
        (np.arange(len(t)) % 997 == 0).astype(float),
        np.where(t < 0.25, rng.uniform(-1, 1, len(t)), 0.0),
    ]
    run(loaded.chain, level * np.concatenate(signals)[None].astype(np.float32))
    assert (loaded.chain.fallbacks[0].count, loaded.chain.fallbacks[0].reason) == (0, "")


def test_a_network_that_was_too_slow_when_loaded_is_not_heard_before_a_trial() -> None:
    network = Loud()
    made = Chain(network.path(load=1.01))
    made.prepare(ProcessSpec(max_block_samples=512))
    made.fall_back(clock=lambda: network.now, new_thread=network.thread)
    assert (made.fallbacks[0].reason, made.fallbacks[0].count) == (TOO_SLOW, 1)
    x = noise(2 * 22_050)
    y, (wet, dry) = run(made, x), wet_and_dry(x)
    begin = round((MIN_PAUSE_S + CONTEXT_S) * RATE)
    np.testing.assert_allclose(y[:, :begin], dry[:, :begin], rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(y[:, -RATE // 2 :], wet[:, -RATE // 2 :], rtol=0, atol=ROUNDING)


def dry_s(made: Chain, network: Loud, *, fails_s: float) -> float:
    """How long the dry path is heard of a network that fails for a while, and then works."""
    before = made.fallbacks[0].dry_samples
    network.does = with_one(np.nan)
    run(made, noise(round(fails_s * 22_050)))
    network.does = lambda y: y
    run(made, noise(round((fails_s + 3) * 22_050)))
    assert made.fallbacks[0].reason == ""
    return (made.fallbacks[0].dry_samples - before) / RATE


def test_a_network_that_failed_for_long_is_heard_two_seconds_after_its_recovery() -> None:
    network = Loud()
    assert dry_s(guarded(network), network, fails_s=20.0) < 20.0 + 2.0


def test_the_pause_grows_while_a_network_fails_again_and_again() -> None:
    network = Loud()
    made = guarded(network)
    times = [dry_s(made, network, fails_s=0.05) for _ in range(2)]
    run(made, noise(10 * 22_050))
    times.append(dry_s(made, network, fails_s=0.05))
    np.testing.assert_allclose(times, [1.3, 2.3, 1.3], rtol=0, atol=0.1)


@pytest.mark.parametrize(("late", "count"), [(0.45, 0), (0.55, 1)])
def test_a_network_may_be_late_once_but_not_by_half_a_block(late: float, count: int) -> None:
    network = Loud()
    made = guarded(network)
    for k in range(40):
        # Every eighth block is late; those between make up for it.
        network.cost = 1 + late if k % 8 == 7 else 0.9
        run(made, noise(MAX_BLOCK), MAX_BLOCK)
    assert made.fallbacks[0].count == count
