"""Training pairs against the resamplers that they simulate."""

from collections.abc import Callable

import numpy as np
import pytest
import resampy
import scipy.signal
import soxr
import torch

from models.data.degrade import (
    MARGIN_SAMPLES,
    Degrader,
    padded_samples,
    random_equaliser,
    random_low_pass,
    random_noise_floor,
    resampler_response,
)

SEGMENT_SAMPLES = 4096
# Length of the signals that are filtered, and the frequencies of their bins.
N = padded_samples(SEGMENT_SAMPLES)
HZ = np.linspace(0, 22_050, N // 2 + 1)
# Float32 FFTs of signals of size one, and resampy's table that is interpolated in float32.
SAME = 2e-4


def white(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(-0.9, 0.9, n).astype(np.float32)


def crop(x: np.ndarray) -> np.ndarray:
    """The samples that a degrader returns of a signal."""
    start = (len(x) - SEGMENT_SAMPLES) // 2
    start -= start % 2
    return x[start : start + SEGMENT_SAMPLES]


@pytest.mark.parametrize("front_end", ["kaiser_fast", "none"])
def test_the_thesis_chain_is_resampys_own(rng: np.random.Generator, front_end: str) -> None:
    degrader = Degrader(SEGMENT_SAMPLES, random=False, front_end=front_end)
    audio = white(rng, degrader.n)
    low = resampy.resample(audio, 44_100, 22_050, filter="kaiser_best")
    high = resampy.resample(low, 22_050, 44_100, filter="kaiser_fast")
    expected = crop(high) if front_end == "kaiser_fast" else crop(np.repeat(low, 2))[::2]
    source, target = degrader(torch.from_numpy(audio[None]), rng)
    np.testing.assert_allclose(source[0, 0].numpy(), expected, rtol=0, atol=SAME)
    np.testing.assert_allclose(target[0, 0].numpy(), crop(audio), rtol=0, atol=SAME)


@pytest.mark.parametrize(
    ("name", "resample"),
    [
        ("kaiser_fast", lambda x: resampy.resample(x, 44_100, 22_050, filter="kaiser_fast")),
        ("soxr_vhq", lambda x: soxr.resample(x, 44_100, 22_050, quality="VHQ")),
        ("resample_poly", lambda x: scipy.signal.resample_poly(x, 1, 2)),
    ],
)
def test_a_measured_low_pass_decimates_like_its_resampler(
    rng: np.random.Generator, name: str, resample: Callable[[np.ndarray], np.ndarray]
) -> None:
    audio = white(rng, N).astype(np.float64)
    got = np.fft.irfft(np.fft.rfft(audio) * resampler_response(name, N), N)[::2]
    inside = slice(MARGIN_SAMPLES // 2, N // 2 - MARGIN_SAMPLES // 2)
    np.testing.assert_allclose(got[inside], resample(audio)[inside], rtol=0, atol=SAME)


def test_random_pairs_are_aligned_finite_and_below_full_scale(rng: np.random.Generator) -> None:
    degrader = Degrader(SEGMENT_SAMPLES, random=True)
    audio = torch.from_numpy(np.stack([white(rng, degrader.n) for _ in range(17)]))
    audio[0] = 0.0
    source, target = degrader(audio, rng)
    assert source.shape == target.shape == (17, 1, SEGMENT_SAMPLES)
    assert torch.isfinite(source).all()
    assert float(target.abs().max()) <= 1.0 + 1e-5
    peaks = target[1:].abs().amax(dim=2)
    assert float(peaks.max() / peaks.min()) > 2.0  # levels are drawn
    for x, y in zip(source[1:, 0], target[1:, 0], strict=True):
        cross = torch.fft.irfft(torch.fft.rfft(x).conj() * torch.fft.rfft(y))
        assert int(cross.argmax()) == 0


@pytest.mark.parametrize("pool", [0, 12])
def test_pairs_depend_on_the_seed_and_differ(rng: np.random.Generator, pool: int) -> None:
    degraders = [Degrader(SEGMENT_SAMPLES, random=True, pool=pool) for _ in range(2)]
    audio = torch.from_numpy(np.stack([white(rng, degraders[0].n)] * 24))
    first, again = (d(audio, np.random.default_rng(1)) for d in degraders)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    other = degraders[0](audio, np.random.default_rng(2))
    assert not torch.equal(first[0], other[0])


def test_low_passes_pass_the_low_and_stop_the_high(rng: np.random.Generator) -> None:
    cuts = []
    for _ in range(60):
        response = np.abs(random_low_pass(rng, N))
        assert np.all(np.abs(20 * np.log10(response[(HZ > 50) & (HZ < 3_000)])) < 3.0)
        assert response[HZ > 21_000].max() < 0.06
        cuts.append(HZ[np.flatnonzero(response < 0.5)[0]])
    assert np.ptp(cuts) > 1_000  # they differ


def test_noise_floors_are_below_the_recording(rng: np.random.Generator) -> None:
    drawn = [random_noise_floor(rng, N) for _ in range(50)]
    floors_db = np.array([20 * np.log10(f / np.sqrt(N / 2)) for f in drawn if f.any()])
    assert 10 < len(floors_db) < 50  # some have none
    assert floors_db.max() <= -25 + 1e-9
    near_4_khz = floors_db[:, np.argmin(np.abs(HZ - 4_000))]
    assert -85 < near_4_khz.min() < -55 < near_4_khz.max()
    slopes_db = floors_db[:, -1] - near_4_khz
    assert slopes_db.min() < -5 < 5 < slopes_db.max()


def test_air_is_a_tilt_above_11_khz(rng: np.random.Generator) -> None:
    gains = np.stack([random_equaliser(rng, N, air_db=6.0) for _ in range(400)])
    assert gains[:, HZ < 11_000].mean() < 3.0
    changed = gains[:, -1] != 1.0
    rise_db = 20 * np.log10(gains[changed, -1] / gains[changed, np.argmin(np.abs(HZ - 11_000))])
    assert rise_db.mean() / np.log2(22_050 / 11_000) == pytest.approx(6.0, abs=1.0)
    assert 0.3 < 1 - changed.mean() < 0.5  # some are left as they are


def test_clean_segments_get_no_noise_floor(rng: np.random.Generator) -> None:
    degrader = Degrader(SEGMENT_SAMPLES, random=True)
    t = torch.arange(degrader.n, dtype=torch.float64) / degrader.n
    tone = torch.sin(2 * torch.pi * 400 * t).float().expand(12, -1)  # of 3 kHz
    window = torch.hann_window(SEGMENT_SAMPLES)
    above = [
        torch.fft.rfft(degrader(tone, rng, clean=clean)[1] * window)[..., 1_000:].abs().max()
        for clean in (12, 0)
    ]
    assert above[0] < 1e-2 * above[1]
