"""The shipped models add nothing to silence and tones, and no tones to music.

Networks for speech may treat chords as vowels and hiss as fricatives.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
import scipy.signal

from models.data.front_end import halved
from models.evaluation.methods import Method, kaiser, model, processor_state_kept
from models.evaluation.metrics import Audio, score
from realtime.inference.model_file import shipped_models
from realtime.sample_rates import SAMPLE_RATE_OUT
from tests.helpers.models.tonality import (
    AUDIBLE_DB,
    PROMINENT_DB,
    loudest_tone,
)
from tests.helpers.signals import MUSIC, chord, drums, room_tone, sine, sweep

SHIPPED = shipped_models()

# A third of half a step of 24 bits.
SILENCE = 2e-8
# No front end leaves anything of the input above it; below, a network restores the edge.
OCTAVE_HZ = 11_500.0
# Lines of the sine test, in dBFS.
LINE_DB = -80.0
# How far a noise floor may lie above its continuation in a band without being noticed.
HISS_DB = 3.0
BANDS_HZ = ((11_500, 14_000), (14_000, 17_000), (17_000, 20_000))
# The ends of a clip are not stationary.
ENDS_SAMPLES = 4_096


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda info: info.name)
def shipped(request: pytest.FixtureRequest) -> Iterator[Method]:
    """Every shipped model."""
    with processor_state_kept():
        yield model(request.param, compute="cpu", threads=1)


# A network that takes the 22.05 kHz input itself can leave its band unchanged.
octaves = pytest.mark.parametrize(
    "shipped", [i for i in SHIPPED if i.front_end == "none"], indirect=True, ids=lambda i: i.name
)


def inside(x: Audio) -> Audio:
    """Without the clip's ends."""
    return x[ENDS_SAMPLES:-ENDS_SAMPLES]


def added(method: Method, reference: Audio) -> Audio:
    """The part of the output that a model adds to the dry signal."""
    low = halved(reference)
    return inside(method.upsample(low) - kaiser("kaiser_fast").upsample(low))


def test_digital_silence_stays_digital_silence(shipped: Method) -> None:
    assert np.abs(shipped.upsample(np.zeros(22_050, np.float32))).max() < SILENCE


@pytest.mark.parametrize(
    "make", [chord, drums, *(partial(sine, hz) for hz in (150.0, 500.0, 2_000.0, 5_000.0, 8_000.0))]
)
def test_music_and_lone_tones_gain_no_audible_tone(
    shipped: Method, make: Callable[[], Audio]
) -> None:
    tone = loudest_tone(added(shipped, make()), from_hz=OCTAVE_HZ)
    assert tone is None or tone.to_noise_db < AUDIBLE_DB, tone


def test_a_sweep_gains_nothing_anywhere(shipped: Method) -> None:
    # A long-term spectrum does not show lines that move.
    _, _, spectra = scipy.signal.stft(
        added(shipped, sweep()), SAMPLE_RATE_OUT, "blackmanharris", 1_024, scaling="spectrum"
    )
    hz = np.linspace(0, SAMPLE_RATE_OUT / 2, len(spectra))
    loudest = np.abs(spectra[hz > OCTAVE_HZ]).max() * 2  # a full-scale sine has 1
    assert 20 * np.log10(loudest) < LINE_DB


# The share of the filter's LSD that remains at most; a sweep gets nothing.
@pytest.mark.parametrize(("name", "share"), [("chord", 0.6), ("drums", 0.6), ("sweep", 1.0)])
def test_music_is_nearer_to_the_recording(shipped: Method, name: str, share: float) -> None:
    reference = MUSIC[name]()
    low = halved(reference)
    dry = score(reference, kaiser("kaiser_fast").upsample(low))["lsd"]
    assert score(reference, shipped.upsample(low))["lsd"] <= share * dry


@octaves
@pytest.mark.parametrize("slope_db", [0.0, -3.0, -6.0])
def test_room_tone_gains_no_hiss(shipped: Method, slope_db: float) -> None:
    # Its spectrum is a straight line, so the full-band noise is the input's own continuation.
    reference = room_tone(slope_db)
    ours, wanted = (
        scipy.signal.welch(inside(x), SAMPLE_RATE_OUT, nperseg=2_048)
        for x in (shipped.upsample(halved(reference)), reference)
    )
    for low, high in BANDS_HZ:
        band = (wanted[0] >= low) & (wanted[0] < high)
        above_db = 10 * np.log10(ours[1][band].mean() / wanted[1][band].mean())
        assert above_db < HISS_DB, (low, high)


def test_a_chords_own_harmonics_and_a_mirrored_band_are_audible() -> None:
    # What zero-stuffing without a filter does: every harmonic again, about 11.025 kHz.
    low = halved(chord())
    mirrored = np.zeros(2 * len(low))
    mirrored[::2] = 2 * low
    for audio in (chord(), mirrored):
        tone = loudest_tone(inside(audio), from_hz=OCTAVE_HZ)
        assert tone is not None
        assert tone.to_noise_db > PROMINENT_DB
