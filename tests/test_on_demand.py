"""Processors that skip blocks: what they give afterwards is what they would have given anyway."""

import numpy as np
import pytest

from realtime.delay import Delay
from realtime.on_demand import OnDemand
from realtime.processor import Audio, ProcessSpec
from realtime.upsampler import KaiserUpsampler

LONGEST = 300
# Rounding of float32 sums over rows of another number.
ROUNDING = 1e-6


def stages(delay: int) -> list[KaiserUpsampler | Delay]:
    return [KaiserUpsampler(), Delay(delay)]


def on_demand(delay: int, memory: int | None = None) -> OnDemand:
    made = OnDemand(stages(delay))
    needed = 2 * KaiserUpsampler().reach + -(-delay // 2)
    spec = ProcessSpec(max_block_samples=LONGEST, channels=2)
    made.prepare(spec, memory_samples=needed if memory is None else memory)
    return made


def always(delay: int, x: Audio) -> Audio:
    for stage in stages(delay):
        stage.prepare(ProcessSpec(max_block_samples=x.shape[1], channels=len(x)))
        x = stage.process(x)
    return x


def differences(made: OnDemand, delay: int, rng: np.random.Generator) -> list[float]:
    """Largest error of each block that was not skipped."""
    x = rng.uniform(-0.5, 0.5, (2, 12_000)).astype(np.float32)
    wanted = always(delay, x)
    found, at = [], 0
    while at < x.shape[1] - LONGEST:
        n = int(rng.integers(1, LONGEST + 1))
        block = x[:, at : at + n]
        if rng.random() < 0.5:
            made.skip(block)
        else:
            error = made.process(block) - wanted[:, 2 * at : 2 * (at + n)]
            found.append(float(np.abs(error).max()))
        at += n
    return found


@pytest.mark.parametrize("delay", [0, 1, 402, 1000])
def test_what_was_skipped_is_not_missed(delay: int, rng: np.random.Generator) -> None:
    errors = differences(on_demand(delay), delay, rng)
    assert len(errors) > 10
    assert max(errors) < ROUNDING


def test_a_shorter_memory_is_missed(rng: np.random.Generator) -> None:
    assert max(differences(on_demand(402, memory=180), 402, rng)) > 1e-3


def test_reset_forgets_what_was_skipped(rng: np.random.Generator) -> None:
    made = on_demand(10)
    made.skip(rng.uniform(-0.5, 0.5, (2, LONGEST)).astype(np.float32))
    made.reset()
    assert not made.process(np.zeros((2, LONGEST), np.float32)).any()
