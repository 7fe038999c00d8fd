"""Band levels, and the objective on them."""

import math

import pytest
import torch
from torch import Tensor

from scripts.unet.bands import (
    BandObjective,
    low_mse,
)

SAMPLES = 44_032


def noise(seed: int, count: int = 4) -> Tensor:
    return 0.1 * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(seed))


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
