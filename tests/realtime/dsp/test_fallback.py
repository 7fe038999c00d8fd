"""A network that fails: the dry path at once, no click, and the network again."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from realtime.dsp.chain import Chain
from realtime.dsp.fallback import CONTEXT_S, MIN_PAUSE_S, TRIAL_S
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.ramp import RAMP_SAMPLES
from realtime.inference.load import load_chain
from realtime.inference.model_file import find_model
from tests.helpers.engine_signals import ROUNDING, noise
from tests.helpers.failing_network import (
    MAX_BLOCK,
    RATE,
    Loud,
    check_second_difference,
    cuts,
    guarded,
    raising,
    run,
    sine,
    wet_and_dry,
    with_one,
)

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
