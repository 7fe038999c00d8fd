"""Band levels, and the objective on them."""

import math

import pytest
import torch
from torch import Tensor

from scripts.unet.bands import (
    LONG,
    SHORT,
    BandLevels,
    BandObjective,
    band_centres_hz,
    low_mse,
    similarity,
)

SAMPLES = 44_032
# Of a mean over a second of noise and seven bands.
MEAN_DB = 0.3


def noise(seed: int, count: int = 4) -> Tensor:
    return 0.1 * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(seed))


def test_bands_lie_above_8_khz() -> None:
    centres = band_centres_hz()
    assert len(centres) == 7
    assert centres[0] >= 8_000
    assert centres[-1] < 22_050
    assert (centres.diff() > 0).all()


@pytest.mark.parametrize("resolution", [LONG, SHORT])
def test_levels_are_those_of_the_power_of_noise_and_of_tones(
    resolution: tuple[int, int, int],
) -> None:
    levels = BandLevels(*resolution)
    of_noise = levels(noise(0).squeeze(1))[0]
    power_db = 10 * (10 ** (of_noise / 10)).mean().log10()
    assert power_db == pytest.approx(20 * math.log10(0.1), abs=MEAN_DB)
    # A hole-free signal: mean log spectra of the two differ by 2.5 dB, band levels do not.
    impulses = torch.zeros(1, SAMPLES)
    impulses[:, ::64] = 0.1 * math.sqrt(64)
    assert abs(levels(impulses)[0].mean() - of_noise.mean()) < 0.6


def test_similarity_is_1_of_a_signal_with_itself_and_less_otherwise() -> None:
    levels = BandLevels(*LONG)
    ours, theirs = levels(noise(2).squeeze(1))[0], levels(noise(3).squeeze(1))[0]
    assert torch.allclose(similarity(ours, ours), torch.ones(()), atol=1e-4)
    assert similarity(theirs, ours).mean() < 0.95
    # A wrong level alone is less wrong than a wrong shape.
    bent = ours + torch.linspace(-12, 12, 7)[:, None]
    assert similarity(bent, ours).mean() < similarity(ours + 6, ours).mean() < 0.999


def test_squared_errors_count_below_11500_hz_only() -> None:
    t = torch.arange(SAMPLES) / 44_100
    for hz, counts in ((5_000, True), (11_000, True), (12_000, False), (18_000, False)):
        tone = 0.1 * torch.sin(2 * math.pi * hz * t)[None]
        found = float(low_mse(tone, torch.zeros_like(tone)))
        assert found == pytest.approx(0.005 if counts else 0.0, abs=1e-4)


@pytest.fixture(scope="module")
def objective() -> BandObjective:
    return BandObjective()


def test_fresh_noise_of_the_right_level_has_the_least_level_cost(objective: BandObjective) -> None:
    target, other = noise(5), noise(6)
    assert all(abs(float(part)) < 1e-3 for part in objective(target, target))
    right, loud, quiet = (objective(gain * other, target) for gain in (1.0, 2.0, 0.5))
    assert right.bias < 0.01
    for wrong in (loud, quiet):
        assert wrong.level > 5 * right.level
        assert wrong.bias > 0.3
    # Too quiet costs more than too loud.
    assert quiet.bias > 1.3 * loud.bias
    # The shape is the same at any level.
    assert loud.shape == pytest.approx(float(right.shape), rel=0.05)


def test_a_tilt_is_shape_and_hardly_a_bias_of_the_mean_level(objective: BandObjective) -> None:
    target = noise(7)
    spectrum = torch.fft.rfft(target)
    hz = torch.linspace(0, 22_050, spectrum.shape[2])
    tilted = torch.fft.irfft(spectrum * 10 ** ((hz - 14_000).clamp_min(-6_000) / 20_000), SAMPLES)
    assert objective(tilted, target).shape > 10 * objective(1.2 * target, target).shape


@pytest.mark.parametrize("target", [torch.zeros(2, 1, SAMPLES), noise(8, 2)])
@pytest.mark.parametrize("estimate", [torch.zeros(2, 1, SAMPLES), noise(9, 2)])
def test_gradients_are_finite_on_silence(
    objective: BandObjective, estimate: Tensor, target: Tensor
) -> None:
    estimate = estimate.clone().requires_grad_()
    objective(estimate, target).total.backward()
    assert estimate.grad is not None
    assert torch.isfinite(estimate.grad).all()


def test_pauses_and_speech_count_apart(objective: BandObjective) -> None:
    target = noise(10, 1)
    target[:, :, SAMPLES // 2 :] *= 1e-3
    wrong_pause, wrong_speech = target.clone(), target.clone()
    wrong_pause[:, :, SAMPLES // 2 :] *= 0.5
    wrong_speech[:, :, : SAMPLES // 2] *= 0.5
    in_pause, in_speech = (objective(x, target).level for x in (wrong_pause, wrong_speech))
    assert in_pause == pytest.approx(0.5 * float(in_speech), rel=0.15)
