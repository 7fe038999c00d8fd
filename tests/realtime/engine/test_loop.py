"""A loop replaces the input without a step, exactly periodic, and gives it back."""

from collections.abc import Callable

import numpy as np
import pytest

from realtime.dsp.processor import Audio
from realtime.engine.loop import FADE_SAMPLES, MAX_LOOP_S, Loop
from tests.helpers.engine_signals import ROUNDING, in_blocks, noise, random_lengths
from tests.helpers.fake_streams import Rig
from tests.helpers.networks import loaded_chain

MAX_BLOCK = 500
LENGTH = 20_000


def run(
    loop: Loop,
    x: Audio,
    rng: np.random.Generator,
    before_block: Callable[[int], None] = lambda _: None,
) -> Audio:
    """All blocks, of random lengths; the function gets the position of each."""
    position = 0

    def process(block: Audio) -> Audio:
        nonlocal position
        before_block(position)
        position += block.shape[1]
        return loop.process(block)

    return in_blocks(process, x, random_lengths(rng, x.shape[1], MAX_BLOCK))


def sine(n: int, hz: float) -> Audio:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(n) / 22_050 + 1.0)
    return wave[None].astype(np.float32)


def test_without_a_loop_the_input_passes_unchanged(rng) -> None:
    loop, x = Loop(2), noise(LENGTH, 2)
    np.testing.assert_array_equal(run(loop, x, rng), x)
    assert not loop.playing


@pytest.mark.parametrize("length", [1, 2, 3, 100, 2 * FADE_SAMPLES + 1, 3_001])
def test_a_loop_is_exactly_periodic(length, rng) -> None:
    loop, piece = Loop(2), noise(length, 2)
    loop.play(piece)
    y = run(loop, noise(LENGTH, 2), rng)[:, FADE_SAMPLES:]
    period = length - min(FADE_SAMPLES, length // 2)
    np.testing.assert_array_equal(y[:, period:], y[:, :-period])
    # Between its fades it is the piece itself.
    if length > 2 * FADE_SAMPLES:
        begins = 2 * period - FADE_SAMPLES
        inside = slice(begins + FADE_SAMPLES, begins + period)
        np.testing.assert_array_equal(y[:, inside], piece[:, FADE_SAMPLES:period])
    assert loop.playing


def test_no_fade_makes_a_step(rng) -> None:
    """Entering, seam, another loop in the middle of a fade, and leaving, at random moments."""
    loop, x = Loop(1), sine(LENGTH, 100.0)
    pieces = [sine(1_777, 90.0), None, sine(5_000, 110.0), sine(2 * FADE_SAMPLES, 95.0)]
    heard = set()

    def change(_: int) -> None:
        if rng.random() < 0.2:
            choice = int(rng.integers(len(pieces)))
            heard.add(choice)
            loop.play(pieces[choice])

    y = run(loop, x, rng, change)
    slope = 0.5 * 2 * np.pi * 110.0 / 22_050
    # A fade between signals of 0.5 adds at most their distance over its length; the seam of a
    # loop may lie within another fade.
    assert np.abs(np.diff(y)).max() <= slope + 2 * 1.0 / (FADE_SAMPLES - 1)
    assert len(heard) == len(pieces)


def test_none_returns_to_the_input(rng) -> None:
    loop, x = Loop(1), noise(LENGTH)
    loop.play(np.full((1, 900), 0.7, np.float32))
    ended = []

    def end(begin: int) -> None:
        if begin >= LENGTH // 2 and not ended:
            loop.play(None)
            ended.append(begin)

    y = run(loop, x, rng, end)
    np.testing.assert_allclose(y[:, FADE_SAMPLES : ended[0]], 0.7, rtol=0, atol=ROUNDING)
    back = ended[0] + FADE_SAMPLES
    np.testing.assert_array_equal(y[:, back:], x[:, back:])
    assert not loop.playing


def test_a_loop_is_a_copy(rng) -> None:
    loop, piece = Loop(1), np.full((1, 5_000), 0.5, np.float32)
    loop.play(piece)
    piece[:] = np.nan
    assert np.isfinite(run(loop, noise(LENGTH), rng)).all()


@pytest.mark.parametrize(
    "audio",
    [np.zeros(shape, np.float32)
     for shape in ((2, 0), (1, 100), (3, 100), 100, (2, MAX_LOOP_S * 22_050 + 1))]
    + [np.full((2, 100), value, np.float32) for value in (np.nan, np.inf)]
    + [np.zeros((2, 100)), [], "audio"],
    ids=["empty", "mono", "three", "flat", "long", "nan", "inf", "double", "list", "text"],
)  # fmt: skip
def test_audio_that_cannot_be_looped_is_refused(audio) -> None:
    loop = Loop(2)
    loop.play(np.ones((2, 10), np.float32))
    with pytest.raises(ValueError, match=r"block|loop"):
        loop.play(audio)
    assert loop.playing
    loop.play(np.zeros((2, MAX_LOOP_S * 22_050), np.float32))


def test_an_engine_plays_a_loop_and_its_taps_carry_it() -> None:
    with Rig(loaded_chain()) as rig:
        x = np.zeros((1, 20 * rig.block), np.float32)
        assert not rig.snapshot.looping
        rig.engine.play_loop(np.full((1, 3_000), 0.5, np.float32))
        rig.run(x)
        during = rig.snapshot
        looped = rig.engine.input_tap.read(0)[0]
        rig.engine.play_loop(None)
        rig.run(x)
        after = rig.snapshot
        taps = [t.read(0)[0] for t in (rig.engine.input_tap, rig.engine.output_tap)]
        with pytest.raises(ValueError, match="loop"):
            rig.engine.play_loop(np.zeros((1, 0), np.float32))
    assert (during.looping, after.looping) == (True, False)
    assert looped.shape == x.shape
    np.testing.assert_allclose(looped[:, FADE_SAMPLES:], 0.5, rtol=0, atol=ROUNDING)
    assert after.faults.total == 0
    # The input was consumed meanwhile, and comes back.
    assert [t.shape[1] for t in taps] == [2 * x.shape[1], 4 * x.shape[1]]
    assert np.abs(taps[0][:, x.shape[1] + FADE_SAMPLES :]).max() == 0.0
    assert np.abs(taps[1]).max() > 0.4
