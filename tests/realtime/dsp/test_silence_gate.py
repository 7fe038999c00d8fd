"""A network rests in digital silence, and only there."""

import numpy as np
import pytest

from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.silence_gate import MEMORY_S, SilenceGate
from realtime.inference.load import load_chain
from realtime.inference.model_file import find_model
from realtime.inference.windowed import WindowedNetwork

BLOCK = 441
MEMORY_BLOCKS = round(MEMORY_S * 44_100 / BLOCK)
# Blocks until the memory counts: the first answers that differ from their predecessors.
SETTLING_BLOCKS = 5


class Counting:
    """A network of one tap that counts its calls."""

    def __init__(self, noise: bool = False) -> None:
        self.calls, self.noise = 0, noise

    def __call__(self, x: Audio) -> Audio:
        self.calls += 1
        return x + np.float32(1e-9 * self.calls if self.noise else 1e-9)


def gated(function: Counting) -> SilenceGate:
    context = {"left_samples": 9, "right_samples": 9, "crossfade_samples": 0}
    gate = SilenceGate(WindowedNetwork(function, hop_samples=BLOCK, **context))
    gate.prepare(ProcessSpec(max_block_samples=BLOCK, channels=1, block_multiple=BLOCK))
    return gate


def run(gate: SilenceGate, blocks: int, level: float = 0.0) -> Audio:
    x = np.full((1, BLOCK), level, np.float32)
    return np.concatenate([gate.process(x) for _ in range(blocks)], axis=1)


def test_a_network_rests_after_its_memory_and_wakes_at_the_first_sample() -> None:
    network = Counting()
    gate = gated(network)
    run(gate, 3, 0.5)
    y = run(gate, MEMORY_BLOCKS + SETTLING_BLOCKS)
    before = network.calls
    assert before >= MEMORY_BLOCKS
    np.testing.assert_array_equal(run(gate, 50), y[:, -50 * BLOCK :])
    assert network.calls == before
    x = np.zeros((1, BLOCK), np.float32)
    x[0, -1] = 1e-30
    gate.process(x)
    assert network.calls == before + 1
    # From then on all of the memory counts again.
    run(gate, MEMORY_BLOCKS)
    assert network.calls == before + 1 + MEMORY_BLOCKS


@pytest.mark.parametrize("level", [1e-30, 0.5])
def test_a_quiet_sound_is_no_silence(level: float) -> None:
    network = Counting()
    run(gated(network), 2 * MEMORY_BLOCKS, level)
    assert network.calls >= 2 * MEMORY_BLOCKS


def test_a_network_that_makes_noise_in_silence_does_not_rest() -> None:
    network = Counting(noise=True)
    run(gated(network), 2 * MEMORY_BLOCKS)
    assert network.calls >= 2 * MEMORY_BLOCKS


def test_reset_ends_the_rest() -> None:
    network = Counting()
    gate = gated(network)
    run(gate, MEMORY_BLOCKS + SETTLING_BLOCKS)
    before = network.calls
    gate.reset()
    run(gate, 1)
    assert network.calls == before + 1


def test_a_resting_network_still_refuses_wrong_blocks() -> None:
    gate = gated(Counting())
    run(gate, MEMORY_BLOCKS + SETTLING_BLOCKS)
    with pytest.raises(ValueError, match="float32"):
        gate.process(np.zeros((1, BLOCK)))
    with pytest.raises(ValueError, match="shape"):
        gate.process(np.zeros((2, BLOCK), np.float32))


@pytest.mark.parametrize(("name", "exact"), [("octave", False), ("unet-small", True)])
def test_shipped_networks_rest_and_continue_as_if_they_had_not(
    name: str, exact: bool, rng: np.random.Generator
) -> None:
    chains = [
        load_chain(find_model(name), block_samples=8_192, compute="cpu", threads=1, paced=paced)
        for paced in (True, False)
    ]
    x = (0.3 * rng.standard_normal((1, 20 * 4_096))).astype(np.float32)
    x[:, 4_096 : 16 * 4_096] = 0.0
    blocks = np.split(x, 20, axis=1)
    gated, plain = (
        np.concatenate([loaded.chain.process(block) for block in blocks * 5], axis=1)
        for loaded in chains
    )
    assert np.isfinite(gated).all()
    # Silences of 2.2 s are shorter than the memory.
    np.testing.assert_array_equal(gated, plain)
    silence = [np.zeros_like(blocks[0])] * 40
    gated, plain = (
        np.concatenate([loaded.chain.process(block) for block in [*silence, *blocks]], axis=1)
        for loaded in chains
    )
    if exact:
        np.testing.assert_array_equal(gated, plain)
    # The noise of `octave` goes on from another position: the sound below it is the same.
    difference = np.abs(np.fft.rfft(gated[0])) - np.abs(np.fft.rfft(plain[0]))
    low = len(difference) * 8_000 // 22_050
    assert np.abs(difference[:low]).max() <= 1e-3 * np.abs(np.fft.rfft(plain[0])).max()
