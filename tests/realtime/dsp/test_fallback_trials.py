"""A network that is too slow is left out and tried again, more and more seldom."""

import numpy as np
import pytest

from realtime.dsp.chain import Chain
from realtime.dsp.fallback import CONTEXT_S, MAX_PAUSE_S, MIN_PAUSE_S, TOO_SLOW, TRIAL_S
from realtime.dsp.processor import ProcessSpec
from realtime.dsp.ramp import RAMP_SAMPLES
from tests.helpers.engine_signals import ROUNDING, noise
from tests.helpers.failing_network import (
    MAX_BLOCK,
    RATE,
    Loud,
    check_second_difference,
    guarded,
    run,
    sine,
    wet_and_dry,
    with_one,
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
