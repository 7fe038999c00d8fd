"""The octave's network: what it adds at which frequency and time; streams equal whole signals."""

import numpy as np
import pytest
import resampy
import torch
from torch import Tensor

from models.networks.octave import NOISE_FRAMES, Octave
from models.networks.octave_matrices import EDGE_BINS, HOP
from realtime.inference.network import freeze
from tests.helpers.models.unets import streamed

# Samples of [-1, 1]: float32 sums in another order.
SAME = 2e-6
# Of the input's own band below 9 kHz; the frames' windows let a little of what is above through.
LOW_BAND_SNR_DB = 50.0


@pytest.fixture
def network() -> Octave:
    """Small, and louder than a fresh one, so that differences show."""
    torch.manual_seed(0)
    network = Octave(width=24, kernel=3, pointwise=1).eval().requires_grad_(False)
    # Except for the weights of its constant channel, which are the bias.
    network.gains.weight[:, 1:].mul_(3.0)
    return network


def speech_like(rng: np.random.Generator, batch: int, n: int) -> Tensor:
    """Noise with a falling spectrum and a varying level, ``[batch, 1, n]``."""
    white = rng.standard_normal((batch, 1, n))
    pink = np.apply_along_axis(lambda x: np.convolve(x, 0.9 ** np.arange(40))[:n], 2, white)
    swell = 0.55 + 0.45 * np.sin(np.arange(n) / 900.0)
    return torch.from_numpy((0.05 * pink * swell).astype(np.float32))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_streams_equal_the_whole_for_every_blocking(
    network: Octave, rng: np.random.Generator, batch: int, frozen: bool
) -> None:
    x = speech_like(rng, batch, 160 * HOP)
    whole, late = network(x), network.latency_samples
    if frozen:
        scripted = torch.jit.script(network)
        assert (scripted(x) - whole).abs().max() < SAME
        network = freeze(scripted, ["stream", "initial_state"])
    for _ in range(3):
        blocks = HOP * rng.choice([1, 1, 2, 3, 8, 40, 150], 160)
        blocks = blocks[blocks.cumsum() <= x.shape[2]].tolist()
        stream = streamed(network, x, blocks)[:, :, late:]
        assert (stream - whole[:, :, : stream.shape[2]]).abs().max() < SAME


@pytest.mark.parametrize("n", [1, 127, 128, 129, 2000])
def test_any_length_doubles_and_signals_of_a_batch_do_not_meet(
    network: Octave, rng: np.random.Generator, n: int
) -> None:
    x = speech_like(rng, 3, n)
    together = network(x)
    assert together.shape == (3, 1, 2 * n)
    for row, expected in zip(x, together, strict=True):
        assert (network(row[None])[0] - expected).abs().max() < SAME


def test_digital_silence_stays_silence(network: Octave, rng: np.random.Generator) -> None:
    assert not network(torch.zeros(1, 1, 5000)).any()
    x = speech_like(rng, 1, 12_000)
    x[:, :, 4000:] = 0.0
    # Earlier input has no effect after a window, a frame and half of the filter.
    assert not network(x)[:, :, 2 * 4000 + 2 * 1024 :].any()


def test_its_own_band_passes_through(network: Octave, rng: np.random.Generator) -> None:
    x = speech_like(rng, 1, 22_050)
    wanted = resampy.resample(x[0, 0].numpy().astype(float), 22_050, 44_100, filter="kaiser_best")
    got = network(x)[0, 0].numpy().astype(float)
    middle = slice(4000, 40_000)
    spectra = [np.fft.rfft(s[middle] * np.hanning(36_000)) for s in (wanted, got)]
    below = int(8_500 / 44_100 * 36_000)
    error = np.abs(spectra[1] - spectra[0])[:below]
    signal = np.abs(spectra[0])[:below]
    assert 10 * np.log10((signal**2).sum() / (error**2).sum()) > LOW_BAND_SNR_DB
    # And something was added above.
    added = np.abs(spectra[1][int(12_000 / 44_100 * 36_000) :])
    assert (added**2).sum() > 1e-6 * (signal**2).sum()


def test_level_changes_nothing_but_level(network: Octave, rng: np.random.Generator) -> None:
    with torch.no_grad():
        network.loudness.zero_()
    x = speech_like(rng, 1, 22_050)
    loud, soft = network(x), 10 * network(0.1 * x)
    # Both are far above the floor of the logarithms.
    assert (loud - soft).std() < 0.02 * loud.std()


def test_the_noise_repeats(network: Octave) -> None:
    n = HOP * NOISE_FRAMES
    # A steady signal whose period divides the length of the noise: so does that of the output.
    steady = torch.sin(torch.arange(n, dtype=torch.float64) * (2 * np.pi * 4000 / n * 11)).float()
    x = steady.repeat(4)[None, None]
    y = network(x)[0, 0]
    a, b = y[4 * n : 5 * n], y[6 * n : 7 * n]
    assert (a - b).abs().max() < 1e-4


def test_every_weight_learns(rng: np.random.Generator) -> None:
    network = Octave(width=16).train()
    x = speech_like(rng, 2, 4096)
    network(x).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_training_uses_all_of_the_noise(rng: np.random.Generator) -> None:
    network = Octave(width=16).train()
    x = speech_like(rng, 1, 2048)
    assert torch.equal(network(x), network(x))
    places = set()
    for i in range(12):
        (gradient,) = torch.autograd.grad(network((1.0 + 0.1 * i) * x).sum(), network.noise)
        places.add(int(gradient.abs().sum(dim=1).argmax()))
    assert len(places) > 6


def test_the_edge_is_the_inputs_own_and_in_its_place(
    network: Octave, rng: np.random.Generator
) -> None:
    network.noise.zero_()
    for layer in (network.first, *network.pointwise):
        layer.narrow.weight.zero_()  # channel 0 is 1
    x = torch.from_numpy(rng.normal(0.0, 0.1, (1, 1, 22_050)).astype(np.float32))
    network.gains.weight.zero_()
    plain = torch.fft.rfft(network(x))[0, 0, 9_500:10_300]  # bins of 1 Hz
    network.gains.weight[-EDGE_BINS:, 0] = 1.0
    edge = torch.fft.rfft(network(x))[0, 0, 9_500:10_300] - plain
    assert (edge - plain).abs().square().mean() < 0.01 * plain.abs().square().mean()
