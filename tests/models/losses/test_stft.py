"""The objective against its formulas, written out in numpy."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.losses.stft import POWER_FLOOR, Objective, StftLoss

# Float32 spectra against float64 ones.
RELATIVE = 1e-4
# Of the thesis: FFT size, window and hop.
TABLE_1 = ((512, 240, 50), (1024, 600, 120), (2048, 1200, 240))


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


@pytest.mark.parametrize("resolution", TABLE_1)
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
    parts = [StftLoss(*r)(as_batch(x).squeeze(1), as_batch(y).squeeze(1)) for r in TABLE_1]
    means = [np.mean([float(part[i]) for part in parts]) for i in (0, 1)]
    mse = ((x - y) ** 2).mean()
    # In the thesis the squared error weighs a hundred times.
    for objective, weight in ((Objective(mse_weight=7.0), 7.0), (Objective(), 100.0)):
        got = [float(v) for v in objective(as_batch(x), as_batch(y))]
        np.testing.assert_allclose(got, [sum(means) + weight * mse, *means, mse], RELATIVE)


def test_alike_signals_cost_nothing(rng: np.random.Generator) -> None:
    _, y = pair(rng)
    assert [float(v) for v in Objective()(as_batch(y), as_batch(y))] == [0.0] * 4


@pytest.mark.parametrize("level", [0.0, 1e-20, 1e-3])
def test_gradients_are_finite_down_to_silence(level: float) -> None:
    x = torch.full((1, 1, 4096), level, requires_grad=True)
    Objective()(x, torch.zeros(1, 1, 4096)).total.backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
