"""Devices whose clocks differ, and inputs that lose samples uncounted: never late forever."""

import numpy as np
import pytest
from fake_ports import Rig
from networks import loaded_chain

import realtime.slip
from realtime.slip import LEAST_SAMPLES, Slip

BLOCK_S = 0.1


def feed(slip: Slip, values: list[float]) -> list[int]:
    return [told for v in values if (told := slip.step(v))]


def test_jitter_is_no_slip(rng: np.random.Generator) -> None:
    slip = Slip(BLOCK_S, tolerance_samples=0)
    assert feed(slip, list(1_000 + rng.uniform(-400, 400, 1_000))) == []


def test_rare_stalls_are_no_slip() -> None:
    slip = Slip(BLOCK_S, tolerance_samples=0)
    assert feed(slip, ([0.0] * 30 + [-40_000.0] * 10) * 20) == []


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_drift_is_told_in_steps_that_sum_up_to_it(sign: int) -> None:
    slip = Slip(BLOCK_S, tolerance_samples=600)
    ahead = sign * np.arange(2_000) * 2.0
    told = feed(slip, list(ahead))
    assert all(np.sign(t) == sign and 600 <= abs(t) < 800 for t in told)
    assert abs(sum(told) - ahead[-1]) < 900


def test_a_jump_is_told_once() -> None:
    slip = Slip(BLOCK_S, tolerance_samples=0)
    assert feed(slip, [50.0] * 200 + [50.0 - 20_000] * 200) == [-20_000]


def test_what_was_accepted_is_not_told_again() -> None:
    slip = Slip(BLOCK_S, tolerance_samples=0)
    assert feed(slip, [0.0] * 100) == []
    slip.accept(5_000)
    assert feed(slip, [-5_000.0] * 200) == []
    # The samples came after all.
    assert feed(slip, [0.0] * 100) == [5_000]


def test_small_tolerances_are_raised_to_what_callbacks_can_hide() -> None:
    slip = Slip(BLOCK_S, tolerance_samples=1)
    feed(slip, [0.0] * 100)
    assert feed(slip, [LEAST_SAMPLES - 1.0] * 200) == []
    assert feed(slip, [LEAST_SAMPLES + 1.0] * 200) == [LEAST_SAMPLES + 1]


def mark(i: int, n: int) -> np.ndarray:
    """Samples that say when they were recorded: a rising line, from 0 to 1 in a second."""
    return (np.arange(i, i + n)[None] / 22_050).astype(np.float32)


@pytest.mark.parametrize("drift", [-0.01, 0.01])
@pytest.mark.parametrize("block", [256, 1_024])
def test_drifting_clocks_are_followed(
    drift: float, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output that is 1 % too fast or too slow: in all other ways like one of 0.01 %."""
    monkeypatch.setattr(realtime.slip, "WINDOW_S", 0.25)
    blocks, half = 250, block // 2
    with Rig(loaded_chain(lambda w: w, block_samples=block)) as rig:
        late = rig.look.latency.engine
        owed, delays = 0.0, []
        for k in range(blocks):
            rig.source.push(mark(k * half, half) % 1.0)
            rig.settle()
            owed += block * (1 + drift)
            n = int(owed)
            owed -= n
            y = rig.sink.pull(n)[0]
            if k > 50 and 0.2 < y[-1] < 0.9:
                # The age of the last sample, at 44.1 kHz.
                age = (((k + 1) * half / 22_050) % 1.0 - y[-1]) % 1.0
                delays.append(age * 44_100)
        faults = rig.look.faults
    assert len(delays) > 50
    # Hundreds of samples of drift, and the delay stays within what is corrected.
    # (Samples in a fade have no age.)
    assert np.percentile(np.abs(np.array(delays) - late), 90) < 1_024
    # A safety shorter than what callbacks can hide is used up before the drift shows.
    assert faults.total <= (0 if block == 1_024 else blocks // 8)


def test_an_input_that_lost_samples_uncounted_is_heard_again() -> None:
    """A microphone was suspended: two seconds never came, and nobody counted them."""
    with Rig(loaded_chain(lambda w: w)) as rig:
        rig.run(np.full((1, 4_000), 0.5, np.float32))
        for _ in range(200):
            rig.sink.pull(441)
        assert rig.look.faults.ring_underrun == 1
        rig.run(np.full((1, 6_000), 0.5, np.float32))
        assert rig.look.faults.ring_underrun <= 4
        np.testing.assert_allclose(rig.played[:, -3_000:], 0.5, rtol=0, atol=0.01)
