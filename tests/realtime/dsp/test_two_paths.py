"""Two networks in one chain: the second one takes the place of the dry path under bypass."""

from collections.abc import Callable

import numpy as np
import pytest

from realtime.dsp.chain import Chain, NetworkPath
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.ramp import RAMP_SAMPLES
from realtime.dsp.upsampler import KaiserUpsampler
from tests.helpers.engine_signals import ROUNDING, in_blocks, noise, random_lengths
from tests.helpers.networks import windows

MAX_BLOCK = 384
LENGTH = 7_680


# A network, its front end, and the overlap of its windows.
NETWORKS: dict[str, Callable[[], NetworkPath]] = {
    "none": lambda: NetworkPath(KaiserUpsampler("kaiser_best", latency_samples=301), "none"),
    "early": lambda: NetworkPath(KaiserUpsampler(latency_samples=47), "none"),
    "kaiser_fast": lambda: NetworkPath(windows(right=77, grid=1, origin=0), "kaiser_fast", 64),
    "kaiser_best": lambda: NetworkPath(windows(right=10, grid=1, origin=0), "kaiser_best", 64),
}


def pair(a: str, b: str, **parameters: float) -> Chain:
    made = Chain(NETWORKS[a](), NETWORKS[b](), parameters=Parameters(**parameters))
    made.prepare(ProcessSpec(max_block_samples=MAX_BLOCK))
    return made


def in_random_blocks(
    made: Chain, x: Audio, rng: np.random.Generator, toggle: list[Parameters] | None = None
) -> Audio:
    def process(block: Audio) -> Audio:
        if toggle:
            made.parameters = toggle[int(rng.integers(len(toggle)))]
        return made.process(block)

    return in_blocks(process, x, random_lengths(rng, x.shape[1], MAX_BLOCK))


PAIRS = [("none", "kaiser_fast"), ("kaiser_fast", "kaiser_best"), ("early", "none")]


@pytest.mark.parametrize(("a", "b"), [*PAIRS, *(pair[::-1] for pair in PAIRS)])
@pytest.mark.parametrize("mix", [1.0, 0.6])
def test_bypass_plays_the_second_network_at_the_pairs_latency(a, b, mix, rng) -> None:
    x, lates = noise(LENGTH), []
    for bypass, heard in ((False, a), (True, b)):
        made = pair(a, b, bypass=bypass, mix=mix)
        alone = Chain(NETWORKS[heard](), parameters=Parameters(mix=mix))
        alone.prepare(ProcessSpec(max_block_samples=MAX_BLOCK))
        late = made.latency_samples - alone.latency_samples
        lates.append(late)
        assert made.latency.engine == made.latency_samples
        y, wanted = (in_random_blocks(chain, x, rng) for chain in (made, alone))
        wanted = np.pad(wanted, ((0, 0), (late, 0)))[:, : y.shape[1]]
        assert np.abs(wanted).max() > 0.1
        np.testing.assert_allclose(y, wanted, rtol=0, atol=ROUNDING)
    # The slower one is not delayed.
    assert min(lates) == 0 < max(lates)


def test_toggling_between_two_networks_makes_no_click(rng) -> None:
    """Of a constant both make constants: the steps are those of the ramps."""
    made = pair("none", "kaiser_best")
    choices = [Parameters(bypass=b, mix=m) for b in (False, True) for m in (0.0, 0.5, 1.0, 1.5)]
    x = np.full((1, LENGTH), 0.5, np.float32)
    y = in_random_blocks(made, x, rng, choices)[0, 2_000:]
    # Two ramps of at most 1.5 times the difference of 0.9 to the dry path.
    assert np.abs(np.diff(y)).max() <= 0.5 * 2 * 1.5 * 0.9 / RAMP_SAMPLES + ROUNDING
    assert y.std() > 0.01


@pytest.mark.parametrize("block", [1, 100])
def test_the_dry_path_does_not_forget_while_it_is_not_audible(block, rng) -> None:
    x = noise(4_000)
    outs = []
    for first in (Parameters(), Parameters(bypass=True)):
        made = Chain(NETWORKS["none"](), parameters=first)
        made.prepare(ProcessSpec(max_block_samples=block))
        before = in_blocks(made.process, x[:, :2_000], [block] * (2_000 // block))
        made.parameters = Parameters(bypass=True)
        after = in_blocks(made.process, x[:, 2_000:], [block] * (2_000 // block))
        outs.append(np.concatenate([before, after], axis=1))
    settled = 2 * 2_000 + RAMP_SAMPLES
    np.testing.assert_array_equal(outs[0][:, settled:], outs[1][:, settled:])
    assert np.abs(outs[0] - outs[1]).max() > 0.01
