"""Dry and wet path are aligned, and changes make no clicks."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from realtime.dsp.chain import Chain
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.ramp import RAMP_SAMPLES
from realtime.dsp.upsampler import KaiserUpsampler
from tests.helpers.engine_signals import ROUNDING, in_blocks, noise
from tests.helpers.networks import loaded_chain, smooth

BLOCK = 128
LENGTH = 128 * 60


def chain(function: Callable[[Audio], Audio] = smooth, **parameters: float) -> Chain:
    made = loaded_chain(function).chain
    made.parameters = Parameters(**parameters)
    made.prepare(ProcessSpec(max_block_samples=BLOCK, block_multiple=BLOCK))
    return made


def run(made: Chain, x: Audio, changes: dict[int, Parameters] | None = None) -> Audio:
    """All blocks; a change happens before the block of its number."""
    count = itertools.count()

    def process(block: Audio) -> Audio:
        made.parameters = (changes or {}).get(next(count), made.parameters)
        return made.process(block)

    return in_blocks(process, x, [BLOCK] * (x.shape[1] // BLOCK))


def sine(hz: float, amplitude: float = 0.5, n: int = LENGTH) -> Audio:
    t = np.arange(n) / 22_050
    return (amplitude * np.sin(2 * np.pi * hz * t))[None].astype(np.float32)


def test_bypass_is_the_delayed_kaiser_fast_input_exactly() -> None:
    made = chain(bypass=True)
    x = noise(LENGTH)
    y = run(made, x)
    front_end = KaiserUpsampler("kaiser_fast")
    front_end.prepare(ProcessSpec(max_block_samples=LENGTH))
    late = made.latency_samples - front_end.latency_samples
    expected = np.pad(front_end.process(x), ((0, 0), (late, 0)))[:, : y.shape[1]]
    assert np.abs(expected).max() > 0.3
    np.testing.assert_allclose(y, expected, rtol=0, atol=ROUNDING)
    # The same front end in the same blocks: to the last bit.
    np.testing.assert_array_equal(y, run(chain(mix=0.0), x))
    # Nothing of the network is in it.
    np.testing.assert_array_equal(y, run(chain(lambda w: np.full_like(w, 1e6), bypass=True), x))


def test_the_network_runs_while_bypassed() -> None:
    """The load is then constant, and the network has its past when it is switched on again."""
    calls: list[bool] = []
    for bypass in (True, False):
        run(chain(lambda x, b=bypass: calls.append(b) or x, bypass=bypass), noise(LENGTH))
    assert calls.count(True) == calls.count(False) > 50


@pytest.mark.parametrize("mix", [0.25, 1.0, 1.5])
def test_mix_is_dry_plus_share_of_the_difference_and_gains_are_in_db(mix) -> None:
    x = noise(LENGTH)
    dry, wet = run(chain(bypass=True), x), run(chain(), x)
    assert np.abs(wet - dry).max() > 0.03
    mixed = dry + mix * (wet - dry)
    np.testing.assert_allclose(run(chain(mix=mix), x), mixed, rtol=0, atol=ROUNDING)
    # The network is linear here, so both gains do the same.
    for gain in ("input_gain_db", "output_gain_db"):
        quiet = run(chain(mix=mix, **{gain: -20.0}), x)
        np.testing.assert_allclose(quiet, 0.1 * mixed, rtol=0, atol=ROUNDING)


def louder(x: Audio) -> Audio:
    """A network whose output differs as much as possible from the dry path."""
    return -2 * x


CHANGES = {
    "bypass": (Parameters(), Parameters(bypass=True)),
    "mix": (Parameters(mix=0.0), Parameters(mix=1.5)),
    "input_gain": (Parameters(), Parameters(input_gain_db=-24.0)),
    "output_gain": (Parameters(), Parameters(output_gain_db=-24.0)),
}


@pytest.mark.parametrize(
    ("what", "hz"),
    [("bypass", 10_000.0), ("mix", 1_000.0), ("input_gain", 1_000.0), ("output_gain", 10_000.0)],
)
def test_a_change_during_a_sine_makes_no_click(what, hz) -> None:
    """The second difference stays what it is for the two sines and a slow line between them.

    A sine of amplitude a has a second difference of at most a (2 sin(pi f / rate))**2. Between
    gains g and h the ramp adds the product of the slopes, 2 |h - g| / RAMP * a (2 sin(...)), and
    half as much twice for the kinks at its ends. A click, the same change within a sample, would
    add up to a |h - g| times 2.
    """
    before, after = CHANGES[what]
    x = sine(hz)
    settled = [run(chain(louder), x, {0: p}) for p in (before, after)]
    # One after the other, at another phase each time.
    y = run(chain(louder), x, {i: (before, after)[i // 6 % 2] for i in range(0, 60, 6)})
    skip = 2_000  # the beginning of the sine is a click of its own
    bend = [np.abs(np.diff(s[0, skip:].astype(np.float64), 2)).max() for s in (*settled, y)]
    amplitude = max(np.abs(s[0, skip:]).max() for s in settled)
    slope = 4 * amplitude / (RAMP_SAMPLES // 2) * 2 * np.sin(np.pi * hz / 44_100)
    kink = 2 * amplitude / (RAMP_SAMPLES // 2)
    assert bend[2] <= max(bend[:2]) + slope + kink + ROUNDING
    # The change is audible, and it ends.
    assert np.abs(settled[0] - settled[1])[0, skip:].max() > amplitude / 2
    np.testing.assert_allclose(y[0, -256:], settled[1][0, -256:], rtol=0, atol=ROUNDING)


def test_reset_is_where_the_parameters_are_at_once() -> None:
    x = noise(LENGTH)
    made = chain()
    run(made, x)
    made.parameters = Parameters(bypass=True, output_gain_db=-6.0)
    made.reset()
    expected = run(chain(bypass=True, output_gain_db=-6.0), x)
    np.testing.assert_array_equal(run(made, x), expected)


def test_the_input_tap_gets_each_block_after_the_gain() -> None:
    x = noise(LENGTH)
    made, got = chain(input_gain_db=6.0), []
    made.input_tap = got.append
    np.testing.assert_array_equal(run(made, x), run(chain(input_gain_db=6.0), x))
    np.testing.assert_allclose(
        np.concatenate(got, axis=1), x * 10 ** (6.0 / 20), rtol=0, atol=ROUNDING
    )
