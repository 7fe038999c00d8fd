"""Tones that nothing surrounds pass a network untouched.

Strided convolutions are filters that are not there: they mirror a tone about a quarter and an
eighth of the rate, and where a voice or a chord hides that, a whistle, a test signal or a sweep
does not. What is added to a signal is faded out where all of it is lines: where a spectrum's
valleys lie far below its peaks.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime.sample_rates import SAMPLE_RATE_OUT

# Gains are given at these distances, straight lines between them.
STEP = 128
# The spectrum is that of every second sample: nothing is above 11 kHz.
FRAME = 512
# From a frame's first sample to where its gain applies, and from there to the end behind its last:
# the gain lies two samples behind the middle, where what a stream knows then ends.
PAST, AHEAD = 514, 510
# Of a gain from the beginning of the signal, and so on in steps: where blocks of a stream begin.
FIRST = 3

LOWEST_HZ, HIGHEST_HZ = 80.0, 10_300.0
# Valleys are the lowest of so many bins (650 Hz): more than a line takes behind its window, also
# one that glides an octave in 0.4 s, and not so much that the formants of a voice were lines.
VALLEY_BINS = 15
# How far peaks are above valleys. Measured on 60 clips of speech44/train (and on music/train):
# 99.9 % of all frames are below 34.2 (34.5) dB; a sine of 5 kHz has 77 dB, and 45 in white noise
# 34 dB below it.
OPEN_DB = 36.0
SHUT_DB = OPEN_DB + 10.0
# Below -130 dBFS all is valley.
TINY = 1e-13

# Of the window, which is whole numbers: a network that is converted to bfloat16 would round others,
# and its valleys would be no more.
WINDOW_PEAK = 2**23


class ToneGuard(nn.Module):
    """Gains for what a network adds: 1, and 0 where a signal is made of lone tones.

    Lines are told from all else by the power of a short-time spectrum (Blackman, 23 ms, weighted
    by frequency, 80 Hz to 10.3 kHz) relative to that of its valleys (a morphological erosion). From
    36 dB on gains fall, from 46 dB on they are 0.

    Shape:
        - Input: ``[B, T]`` at 44.1 kHz with nothing above 11 kHz
        - Output: ``[B, 1, T]``
    """

    window: Tensor
    weight: Tensor
    floor: Tensor
    ramp: Tensor

    def __init__(self) -> None:
        super().__init__()
        window = torch.blackman_window(FRAME, periodic=True, dtype=torch.float64)
        self.register_buffer("window", (WINDOW_PEAK * window).round().to(torch.int32))
        hz = torch.arange(FRAME // 2 + 1) * (SAMPLE_RATE_OUT / 2 / FRAME)
        inside = (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
        # Negative, as all powers here, because libraries find the highest of neighbours.
        self.register_buffer("weight", -((hz[inside] / 1_000) ** 2))
        # A full-scale sine of 1 kHz has a power of the second factor.
        floor = -TINY * (WINDOW_PEAK * window.sum() / 2) ** 2 / int(inside.sum())
        self.register_buffer("floor", floor.float().reshape(1))
        self.low = int(inside.nonzero()[0])
        self.high = int(inside.nonzero()[-1]) + 1
        self.register_buffer("ramp", torch.arange(STEP) / STEP)
        # TorchScript sees no names of the module.
        self.step, self.frame, self.valley_bins = STEP, FRAME, VALLEY_BINS
        self.lead_in, self.ahead = PAST + STEP - FIRST, AHEAD
        self.skipped = STEP - FIRST
        self.shut = SHUT_DB / 10

    def forward(self, x: Tensor) -> Tensor:
        """Gains of a whole signal, silence around it."""
        length = x.size(1)
        steps = length // self.step + 2
        padded = functional.pad(x, [self.lead_in, steps * self.step + self.ahead - length])
        gains = self.between(padded, steps)
        return gains[:, :, self.skipped : self.skipped + length]

    def between(self, x: Tensor, steps: int) -> Tensor:
        """Gains of ``steps * 128`` samples.

        Args:
            x: ``[B, 514 + steps * 128 + 510]`` or more: from 514 samples in front of the first on.
            steps: how many.
        """
        batch = x.size(0)
        x = x.contiguous()
        frames = x.as_strided(
            [batch, steps + 1, self.frame], [x.size(1), self.step, 2], x.storage_offset()
        )
        parts = torch.view_as_real(torch.fft.rfft(frames * self.window.to(x.dtype)))
        parts = parts[:, :, self.low : self.high].square()
        power = parts[:, :, :, 0] + parts[:, :, :, 1]
        power = torch.addcmul(self.floor.to(x.dtype), power, self.weight.to(x.dtype))
        valleys = functional.max_pool1d(power, self.valley_bins, 1)
        lines = torch.log10(valleys.sum(2) / power.sum(2))
        gain = torch.clamp(lines + self.shut, 0.0, 1.0).unsqueeze(2)
        out = torch.lerp(gain[:, :-1], gain[:, 1:], self.ramp.to(x.dtype))
        return out.view(batch, 1, steps * self.step)
