"""The octave's objective, against its formula."""

import numpy as np
import pytest
import scipy.signal
import torch

from models.evaluation.metrics import power_spectrogram
from models.losses.octave import RESOLUTIONS, LogSpectrum, OctaveObjective, _Spectrum


def clips(rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Two noises ``[2, 1, 16384]``, one of them duller."""
    y = 0.1 * rng.standard_normal((2, 1, 16_384))
    x = scipy.signal.lfilter([0.7, 0.3], [1.0], y + 0.01 * rng.standard_normal(y.shape))
    return torch.from_numpy(x).float(), torch.from_numpy(y).float()


def test_the_spectrum_is_that_of_the_metric(rng: np.random.Generator) -> None:
    _, y = clips(rng)
    wanted = np.log10(np.maximum(power_spectrogram(y[0, 0].numpy()), 1e-8))
    spectrum = LogSpectrum(2048, 512)
    got = spectrum(y[:1, 0])[0].numpy()
    assert got.shape[1] == 1025 - spectrum.first_bin
    np.testing.assert_allclose(got, wanted[: len(got), spectrum.first_bin :], atol=2e-3)


def test_total_is_the_formula(rng: np.random.Generator) -> None:
    x, y = clips(rng)
    distances, absolutes = [], []
    for window, hop in RESOLUTIONS:
        spectrum = LogSpectrum(window, hop)
        d = (spectrum(x[:, 0]) - spectrum(y[:, 0])).double()
        distances.append(float((d.square().mean(2) + 1e-6).sqrt().mean()))
        absolutes.append(float(d.abs().mean()))
    losses = OctaveObjective()(x, y)
    assert float(losses.lsd) == pytest.approx(distances[0], rel=1e-4)
    assert float(losses.log_power) == pytest.approx(sum(absolutes[1:]), rel=1e-4)
    total = 2 * distances[0] + 0.5 * sum(distances[1:]) + 0.3 * sum(absolutes[1:])
    total += 0.5 * float(losses.envelope + losses.edge)
    assert float(losses.total) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("n", [256, 2048])
def test_its_gradient_is_torchs(rng: np.random.Generator, n: int) -> None:
    x = torch.from_numpy(rng.standard_normal((3, n))).requires_grad_()
    weight = torch.from_numpy(rng.standard_normal((3, n // 2 + 1, 2)))
    ours, wanted = (
        torch.autograd.grad((torch.view_as_real(transform(x)) * weight).sum(), x)
        for transform in (_Spectrum.apply, torch.fft.rfft)
    )
    torch.testing.assert_close(ours, wanted)


def test_the_truth_is_best_and_what_is_below_the_band_is_ignored(rng: np.random.Generator) -> None:
    x, y = clips(rng)
    objective = OctaveObjective()
    assert objective(x, y).total > 10 * objective(y, y).total
    assert objective(y, y).log_power == 0.0
    t = np.arange(16_384) / 44_100
    tone = torch.from_numpy(0.05 * np.sin(2 * np.pi * 1000 * t)).float()
    # The windows of the shortest resolution leak a little.
    assert objective(x + tone, y).total == pytest.approx(float(objective(x, y).total), rel=0.02)


def test_the_inputs_own_is_worth_more_than_noise_below_the_seam(rng: np.random.Generator) -> None:
    band = scipy.signal.butter(8, (9_200, 10_800), "bandpass", fs=44_100, output="sos")
    one, other = scipy.signal.sosfilt(band, 0.1 * rng.standard_normal((2, 16_384)))
    y, noise = (torch.from_numpy(v).float()[None, None] for v in (one, other))
    edge = [float(OctaveObjective()(x, y).edge) for x in (y, 0.5 * y, 0.0 * y, noise)]
    assert edge[0] < 1e-6
    assert edge[1] < 0.4 * edge[2] < 0.4 * edge[3]
