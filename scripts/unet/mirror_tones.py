"""Trains the last block of a U-Net not to mirror the harmonics of chords.

Strided convolutions alias: a harmonic at 10 kHz comes back at 12 kHz. Speech has few steady
harmonics there, so the training hardly punishes it. The last block alone is trained on, with the
objective of the training for speech, and with the ratio of mirrored lines to noise for random
chords. Everything before it is computed once.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.data.corpus import Corpus, training_batch
from models.data.degrade import Degrader
from models.networks.unet import UNet
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT
from scripts.unet.bands import BandObjective
from scripts.unet.device_corpus import without_lossy_errors

SEGMENTS, SEGMENT_SAMPLES = 32, 44_032
CHORDS, CHORD_SAMPLES = 12, 65_536
VOICES, LOWEST_HZ, HIGHEST_HZ = 4, 80.0, 800.0

STEPS, BATCH, CHORD_BATCH, LEARNING_RATE = 60, 4, 3, 4e-4
LINE_WEIGHT = 4.0

# Lines are looked for here, this many bins on both sides of a mirrored harmonic.
BAND_HZ, LINE_BINS = (11_400.0, 18_000.0), 3


def random_chords(rng: np.random.Generator, n: int) -> tuple[Tensor, npt.NDArray[np.float64]]:
    """Sawtooth voices at random pitches, peak 0.5: ``[CHORDS, n]``, ``[CHORDS, VOICES]`` in Hz."""
    hz = np.exp(rng.uniform(np.log(LOWEST_HZ), np.log(HIGHEST_HZ), (CHORDS, VOICES)))
    t = np.arange(n) / SAMPLE_RATE_OUT
    out = np.zeros((CHORDS, n))
    for chord, voices in zip(out, hz, strict=True):
        for voice in voices:
            for k in range(1, int(21_000 / voice) + 1):
                chord += np.sin(2 * np.pi * k * voice * t + rng.uniform(0, 2 * np.pi)) / k
        chord *= 0.5 / np.abs(chord).max()
    return torch.from_numpy(out).float(), hz


def mirrored_lines(hz: npt.NDArray[np.float64]) -> Tensor:
    """Bins near a harmonic's mirror image about 11 kHz, ``[CHORDS, CHORD_SAMPLES // 2 + 1]``."""
    near = torch.zeros(len(hz), CHORD_SAMPLES // 2 + 1, dtype=torch.bool)
    for row, voices in zip(near, hz, strict=True):
        for voice in voices:
            mirrors = SAMPLE_RATE_IN - voice * np.arange(1, SAMPLE_RATE_IN / 2 / voice)
            for at in np.round(mirrors * CHORD_SAMPLES / SAMPLE_RATE_OUT).astype(int):
                row[at - LINE_BINS : at + LINE_BINS + 1] = True
    return near


def lines_to_noise(added: Tensor, lines: Tensor) -> Tensor:
    """log10 of the power of the lines over that of the rest of the band, ``[CHORDS]``."""
    window = torch.blackman_window(CHORD_SAMPLES, device=added.device)
    power = torch.fft.rfft(added * window).abs().square()
    low, high = (round(hz * CHORD_SAMPLES / SAMPLE_RATE_OUT) for hz in BAND_HZ)
    power, lines = power[:, low:high], lines[:, low:high]
    ratio: Tensor = (power * lines).sum(dim=1) / (power * ~lines).sum(dim=1)
    return ratio.log10()


def train_last_block(network: UNet, recordings: Path) -> None:
    """Train the last block and the last convolution in place.

    Args:
        network: in evaluation mode, without gradients; without aligned corners.
        recordings: a folder of speech that the network was trained on.
    """
    device = network.final.weight.device
    rng = np.random.default_rng(0)
    degrader = Degrader(SEGMENT_SAMPLES, random=True)
    speech, targets = training_batch(
        Corpus.read(recordings), degrader, batch_size=SEGMENTS, seed=0, step=0
    )
    chord_degrader = Degrader(CHORD_SAMPLES, random=False)
    chords, hz = random_chords(rng, chord_degrader.n)
    chords, _ = chord_degrader(chords, rng)
    lines = mirrored_lines(hz).to(device)
    block = network.get_submodule(f"up.{len(network.up) - 1}.conv")
    inputs: list[Tensor] = []
    hook = block.register_forward_pre_hook(lambda _module, args: inputs.append(args[0]))
    with torch.inference_mode():
        for x in (*torch.split(speech, 2), *torch.split(chords, 1)):
            network(x.to(device))
    hook.remove()
    speech_inputs = torch.cat([x.clone() for x in inputs if x.shape[2] == SEGMENT_SAMPLES])
    chord_inputs = torch.cat([x.clone() for x in inputs if x.shape[2] == CHORD_SAMPLES])
    speech, targets = speech.to(device), targets.to(device)
    tail = nn.Sequential(block, network.final).requires_grad_()
    objective = BandObjective().to(device)
    everywhere = torch.ones(BATCH, device=device)
    optimiser = torch.optim.Adam(tail.parameters(), lr=LEARNING_RATE)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * (1.0 - step / STEPS)
        chosen = torch.from_numpy(rng.choice(SEGMENTS, BATCH, replace=False)).to(device)
        estimate = speech[chosen] + tail(speech_inputs[chosen])
        # Some recordings were decoded from lossy formats.
        estimate = without_lossy_errors(estimate, targets[chosen], everywhere)
        losses = objective(estimate, targets[chosen])
        some = torch.from_numpy(rng.choice(CHORDS, CHORD_BATCH, replace=False)).to(device)
        ratio = lines_to_noise(tail(chord_inputs[some]).squeeze(1), lines[some]).mean()
        optimiser.zero_grad()
        (losses.total + LINE_WEIGHT * ratio).backward()
        optimiser.step()
        if step % 10 == 0 or step == STEPS - 1:
            print(
                f"last block: step {step}  {losses.total.item():.3f}  mirrored lines "
                f"{10 * ratio.item():+.1f} dB to noise",
                flush=True,
            )
    tail.requires_grad_(False)
