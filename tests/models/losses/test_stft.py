"""The objective against its formulas, written out in numpy."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.losses.stft import POWER_FLOOR, RESOLUTIONS, Objective, StftLoss

# Float32 spectra against float64 ones.
RELATIVE = 1e-4


def magnitude(x: npt.NDArray[np.float64], fft: int, window: int, hop: int) -> npt.NDArray:
    """|STFT| by the definition: reflect padding, the Hann window centred in the FFT."""
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    left = (fft - window) // 2
    taper = np.pad(taper, (left, fft - window - left))
    padded = np.pad(x, fft // 2, mode="reflect")
    count = 1 + (len(padded) - fft) // hop
    frames = np.stack([padded[i * hop : i * hop + fft] * taper for i in range(count)])
    return np.sqrt(np.maximum(np.abs(np.fft.rfft(frames)) ** 2, POWER_FLOOR))


def pair(rng: np.random.Generator, batch: int = 2, n: int = 6000) -> tuple[npt.NDArray, ...]:
    y = rng.normal(0.0, 0.2, (batch, n))
    return 0.7 * y + rng.normal(0.0, 0.05, (batch, n)), y


def as_batch(x: npt.NDArray) -> torch.Tensor:
    return torch.from_numpy(x.astype(np.float32))[:, None]


def test_resolutions_are_those_of_table_1() -> None:
    assert set(RESOLUTIONS) == {(512, 240, 50), (1024, 600, 120), (2048, 1200, 240)}


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_stft_loss_is_the_formula(
    rng: np.random.Generator, resolution: tuple[int, int, int]
) -> None:
    x, y = pair(rng)
    a = np.stack([magnitude(row, *resolution) for row in x])
    b = np.stack([magnitude(row, *resolution) for row in y])
    convergence = np.sqrt(((b - a) ** 2).sum()) / np.sqrt((b**2).sum())
    log_magnitude = np.abs(np.log(b) - np.log(a)).mean()
    loss = StftLoss(*resolution)
    got = loss(as_batch(x).squeeze(1), as_batch(y).squeeze(1))
    np.testing.assert_allclose([float(v) for v in got], [convergence, log_magnitude], RELATIVE)


def test_total_is_the_mean_of_the_resolutions_and_weighted_mse(rng: np.random.Generator) -> None:
    x, y = pair(rng)
    parts = [StftLoss(*r)(as_batch(x).squeeze(1), as_batch(y).squeeze(1)) for r in RESOLUTIONS]
    losses = Objective(mse_weight=7.0)(as_batch(x), as_batch(y))
    mse = ((x - y) ** 2).mean()
    convergence = np.mean([float(c) for c, _ in parts])
    log_magnitude = np.mean([float(m) for _, m in parts])
    np.testing.assert_allclose(float(losses.mse), mse, RELATIVE)
    np.testing.assert_allclose(float(losses.spectral_convergence), convergence, RELATIVE)
    np.testing.assert_allclose(float(losses.log_magnitude), log_magnitude, RELATIVE)
    np.testing.assert_allclose(
        float(losses.total), convergence + log_magnitude + 7.0 * mse, RELATIVE
    )


def test_the_mse_weighs_a_hundred_times(rng: np.random.Generator) -> None:
    x, y = pair(rng)
    losses = Objective()(as_batch(x), as_batch(y))
    rest = losses.spectral_convergence + losses.log_magnitude
    np.testing.assert_allclose(float(losses.total - rest), 100 * float(losses.mse), 1e-3)


def test_alike_signals_cost_nothing(rng: np.random.Generator) -> None:
    _, y = pair(rng)
    assert [float(v) for v in Objective()(as_batch(y), as_batch(y))] == [0.0] * 4


@pytest.mark.parametrize("level", [0.0, 1e-20, 1e-3])
def test_gradients_are_finite_down_to_silence(level: float) -> None:
    x = torch.full((1, 1, 4096), level, requires_grad=True)
    Objective()(x, torch.zeros(1, 1, 4096)).total.backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


def test_it_is_the_target_that_normalises(rng: np.random.Generator) -> None:
    x, y = pair(rng)
    forward = Objective()(as_batch(x), as_batch(y)).spectral_convergence
    backward = Objective()(as_batch(y), as_batch(x)).spectral_convergence
    assert float(backward) > 1.2 * float(forward)  # x is 0.7 times as loud
