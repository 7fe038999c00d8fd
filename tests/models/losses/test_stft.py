"""The objective against its formulas, written out in numpy."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.losses.stft import POWER_FLOOR, Objective

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


def as_batch(x: npt.NDArray) -> torch.Tensor:
    return torch.from_numpy(x.astype(np.float32))[:, None]


@pytest.mark.parametrize(("options", "weight"), [({}, 100.0), ({"mse_weight": 7.0}, 7.0)])
def test_the_objective_is_the_formula(
    rng: np.random.Generator, options: dict[str, float], weight: float
) -> None:
    y = rng.normal(0.0, 0.2, (2, 6_000))
    x = 0.7 * y + rng.normal(0.0, 0.05, y.shape)
    parts = []
    for resolution in TABLE_1:
        a, b = (np.stack([magnitude(row, *resolution) for row in rows]) for rows in (x, y))
        convergence = np.sqrt(((b - a) ** 2).sum()) / np.sqrt((b**2).sum())
        parts.append([convergence, np.abs(np.log(b) - np.log(a)).mean()])
    means, mse = np.mean(parts, axis=0), ((x - y) ** 2).mean()
    got = [float(v) for v in Objective(**options)(as_batch(x), as_batch(y))]
    np.testing.assert_allclose(got, [means.sum() + weight * mse, *means, mse], RELATIVE)


@pytest.mark.parametrize("level", [0.0, 1e-20, 1e-3])
def test_gradients_are_finite_down_to_silence(level: float) -> None:
    x = torch.full((1, 1, 4096), level, requires_grad=True)
    Objective()(x, torch.zeros(1, 1, 4096)).total.backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
