"""The guard separates isolated tones from speech, noise and chords, at all levels and blocks."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.data.front_end import halved
from models.evaluation.methods import kaiser
from models.evaluation.metrics import Audio
from models.networks.tone_guard import AHEAD, FIRST, PAST, STEP, ToneGuard
from realtime.assets import demo_path
from tests.helpers.signals import FADE_S, chord, drums, room_tone, sine

RATE_HZ = 44_100
# Samples whose window crosses the beginning or end of a sound.
ENDS_SAMPLES = PAST + STEP
# Gains of voices that are faded a little; measured on the demo clip 0.03 %.
FADED_SHARE = 0.002
# bfloat16 rounds the weights of frequencies by 0.4 %.
BF16_GAIN = 0.01


@pytest.fixture(scope="module")
def guard() -> ToneGuard:
    return ToneGuard().eval()


def upsampled(x: Audio) -> Tensor:
    """As a network's input: ``[1, T]``."""
    return torch.from_numpy(kaiser("kaiser_fast").upsample(halved(x)))[None]


def gains(guard: ToneGuard, x: Audio) -> Tensor:
    return guard(upsampled(x))[0, 0, ENDS_SAMPLES:-ENDS_SAMPLES]


def noise(seed: int, n: int = RATE_HZ) -> Audio:
    out: Audio = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    return out


@pytest.mark.parametrize("length", [0, 1, 70, 128, 5_000])
def test_silence_is_no_tone(guard: ToneGuard, length: int) -> None:
    assert torch.equal(guard(torch.zeros(2, length)), torch.ones(2, 1, length))


@settings(max_examples=40, deadline=None)
@given(
    hz=st.floats(100.0, 10_000.0),
    level_db=st.floats(-70.0, 0.0),
    noise_db=st.floats(-140.0, -50.0),
)
def test_nothing_is_added_to_a_tone_at_any_level(
    hz: float, level_db: float, noise_db: float
) -> None:
    # Below 2 kHz the noise at 10 kHz, which counts more, is nearer.
    noise_db -= 20 * max(0.0, float(np.log10(2_000 / hz)))
    # Without its fades, which are longer than a window.
    fade = round(FADE_S * RATE_HZ)
    tone = sine(hz, 0.5 + 2 * FADE_S)[fade:-fade]
    x = tone * 2 + 10 ** (noise_db / 20) * noise(0, len(tone))
    assert float(gains(ToneGuard(), 10 ** (level_db / 20) * x).max()) < 0.5


def test_nothing_is_added_to_a_few_harmonics(guard: ToneGuard) -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    for hz in (440.0, 880.0, 1_760.0):
        ks = range(1, int(10_000 / hz))
        x = sum(0.3 / k * np.sin(2 * np.pi * k * hz * t + k * k) for k in ks)
        assert float(gains(guard, np.asarray(x, np.float32)).max()) == 0.0


@pytest.mark.parametrize(
    "make",
    [
        chord,
        drums,
        lambda: noise(1),
        lambda: room_tone(-6.0),
        lambda: 0.5 * sine(3_000.0, 1.0) + 0.05 * noise(2),  # a whistle in a loud room
    ],
)
def test_what_is_more_than_tones_is_added_to(guard: ToneGuard, make: Callable[[], Audio]) -> None:
    assert float(gains(guard, make()).min()) == 1.0


def test_speech_is_added_to(guard: ToneGuard) -> None:
    low, rate = soundfile.read(demo_path(), dtype="float32")
    assert rate == RATE_HZ // 2
    found = guard(torch.from_numpy(kaiser("kaiser_fast").upsample(low))[None])
    assert float((found < 1.0).float().mean()) < FADED_SHARE


def test_gains_depend_neither_on_level_nor_on_other_signals(guard: ToneGuard) -> None:
    x = torch.cat([upsampled(sine(5_000.0, 0.5)), upsampled(0.1 * noise(4, 22_050))])
    together = guard(x)
    apart = torch.cat([guard(row[None]) for row in x])
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-5)
    assert 0.0 == together[0, 0, 10_000] < together[1, 0, 10_000] == 1.0
    x = upsampled(np.concatenate([sine(5_000.0, 0.5), 0.1 * noise(3), chord(0.5)]))
    torch.testing.assert_close(guard(x), guard(1e-2 * x), rtol=0, atol=1e-3)


def test_pieces_have_the_gains_of_the_whole(guard: ToneGuard) -> None:
    x = upsampled(np.concatenate([sine(5_000.0, 0.3), 0.1 * noise(5, 9_000), sine(300.0, 0.3)]))
    whole = guard(x)
    scripted = torch.jit.script(guard)
    # From the first gain inside the signal.
    first = -(-(PAST - FIRST) // STEP) * STEP + FIRST
    for begin, steps in ((first, 1), (first + STEP, 7), (first + 30 * STEP, 32)):
        end = begin + steps * STEP
        piece = scripted.between(x[:, begin - PAST : end + AHEAD], steps)
        torch.testing.assert_close(piece, whole[:, :, begin:end], rtol=0, atol=1e-5)


def test_a_network_in_bfloat16_detects_tones_as_well(guard: ToneGuard) -> None:
    rough = copy.deepcopy(guard).to(torch.bfloat16)
    x = upsampled(np.concatenate([sine(5_000.0, 0.3), 0.1 * noise(6, 9_000)]))
    assert rough(x).dtype == torch.float32
    torch.testing.assert_close(rough(x), guard(x), rtol=0, atol=BF16_GAIN)
