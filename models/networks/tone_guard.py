"""Protects isolated tones from a network's aliases.

Strided convolutions alias: they mirror a tone about a quarter and an eighth of the sample rate. A
voice or a chord masks that; a whistle, a test signal or a sweep does not. The guard fades out what
the network adds where the spectrum consists of lines: where its valleys lie far below its peaks.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime.sample_rates import SAMPLE_RATE_OUT

# Samples between gains; linear interpolation between them.
STEP = 128
# Length of the FFT, of every second sample: the input has nothing above 11 kHz.
FRAME = 512
# Samples of a frame before and after the place of its gain, which is two samples after the middle:
# the latest place for which a stream has the whole frame in time.
PAST, AHEAD = 514, 510
# Place of the first gain: a stream's blocks begin there.
FIRST = 3

MIN_HZ, MAX_HZ = 80.0, 10_300.0
# A valley is the minimum over these bins (650 Hz): wider than a windowed line, even one that moves
# by an octave in 0.4 s, but too narrow to take the formants of a voice for lines.
VALLEY_BINS = 15
# Ratio of power to valleys. In 60 clips of speech (in music) 99.9 % of the frames are below 34.2
# (34.5) dB; a sine of 5 kHz has 77 dB, and 45 dB in white noise 34 dB below it.
OPEN_DB = 36.0
SHUT_DB = OPEN_DB + 10.0
# Power floor, -130 dBFS.
POWER_FLOOR = 1e-13

# Scale of the window, which is stored as integers: converting the network to bfloat16 would round
# floats and fill the valleys.
WINDOW_PEAK = 2**23


class ToneGuard(nn.Module):
    """Gains for what a network adds: 0 where the input consists of isolated tones, otherwise 1.

    The measure is the power of a short-time spectrum (Blackman, 23 ms, weighted by frequency, 80 Hz
    to 10.3 kHz) relative to the power of its valleys (a morphological erosion). The gain falls from
    1 at 36 dB to 0 at 46 dB.

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
        inside = (hz >= MIN_HZ) & (hz <= MAX_HZ)
        # Powers are negative here, so that a max-pool finds the minimum.
        self.register_buffer("weight", -((hz[inside] / 1_000) ** 2))
        # The second factor is the power of a full-scale sine of 1 kHz.
        floor = -POWER_FLOOR * (WINDOW_PEAK * window.sum() / 2) ** 2 / int(inside.sum())
        self.register_buffer("floor", floor.float().reshape(1))
        self.low = int(inside.nonzero()[0])
        self.high = int(inside.nonzero()[-1]) + 1
        self.register_buffer("ramp", torch.arange(STEP) / STEP)
        # TorchScript sees no module-level names.
        self.step, self.frame, self.valley_bins = STEP, FRAME, VALLEY_BINS
        self.lead_in, self.ahead = PAST + STEP - FIRST, AHEAD
        self.skipped = STEP - FIRST
        self.shut = SHUT_DB / 10

    def forward(self, x: Tensor) -> Tensor:
        """Gains of a whole signal, zero-padded."""
        length = x.size(1)
        steps = length // self.step + 2
        padded = functional.pad(x, [self.lead_in, steps * self.step + self.ahead - length])
        gains = self.between(padded, steps)
        return gains[:, :, self.skipped : self.skipped + length]

    def between(self, x: Tensor, steps: int) -> Tensor:
        """Gains of ``steps * 128`` samples.

        Args:
            x: ``[B, 514 + steps * 128 + 510]`` or more, beginning 514 samples before the first
                gain.
            steps: number of steps of 128 samples.
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
