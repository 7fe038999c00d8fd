"""Octave: a causal network at frame rate that makes only the octave that is missing."""

import math
from itertools import pairwise

import numpy as np
import scipy.signal
import torch
from torch import Tensor, nn
from torch.nn import functional

# Lengths in samples at 22.05 kHz. TorchScript sees no names of the module: in methods they are
# written out.
HOP = 128
# A frame of the synthesis: twice the hop, at 44.1 kHz 512 samples.
FRAME = 2 * HOP
# What the network looks at: a longer window that ends LOOK_AHEAD samples behind the frame.
WINDOW = 512
LOOK_AHEAD = 96
# The frame before the last one is complete when a block ends: hop and look-ahead.
LATENCY = HOP + LOOK_AHEAD
# Half the length of the half-band filter: it needs no more of the future than the frames do.
HALF_BAND = 96

# Bins of a frame at 44.1 kHz (86 Hz): the first that may be filled (9.04 kHz), the first above the
# input's band, and how many there are.
FIRST_BIN = 105
SEAM_BIN = FRAME // 2 + 1
BINS = FRAME + 1
EDGE_BINS = SEAM_BIN - FIRST_BIN

# What the layers see: powers of bands of 172 Hz up to 4 kHz, of 258 Hz up to 9, and of 86 Hz above,
# where an anti-aliasing filter begins somewhere; in bins of the window (43 Hz).
BAND_EDGES = (*range(0, 92, 4), *range(92, 210, 6), *range(210, 257, 2), 257)
# What every input has.
TOP_HZ = (4_000, 8_000)
# Powers are relative to this magnitude squared: what rounding to 16 bits leaves of silence.
QUIET = 3e-5
# Gains are at most so high, relative to the magnitude at 4 to 8 kHz.
LOUDEST = 30.0
# The memory fades within half a second.
MEMORY_S = 0.5
# Frames of noise before it repeats (1.5 s), and frames per call of the inner loop.
NOISE_FRAMES = 256
MOST_FRAMES = 128


def own_matrix() -> Tensor:
    """``[351, HOP + 2 * EDGE_BINS]``: what is taken over from the input, of a window's frame.

    From the samples that the filter and the frame need, 65 to 415 of the window.

    First the samples between the input's, a hop of them: a Kaiser-windowed sinc of beta 9, -6 dB at
    11.025 kHz, -90 dB from 11.4 kHz on. Then real and imaginary parts of the frame's bins from
    FIRST_BIN up, twice because there are zeros between the input's samples at 44.1 kHz.
    """
    begin = HALF_BAND - 1
    matrix = np.zeros((begin + FRAME, HOP + 2 * EDGE_BINS))
    lags = np.arange(-HALF_BAND, HALF_BAND) + 0.5
    taps = np.sinc(lags) * scipy.signal.windows.kaiser(4 * HALF_BAND + 1, 9.0)[1::2]
    for i in range(HOP):
        matrix[i : i + 2 * HALF_BAND, i] = taps / taps.sum()
    spectra = np.fft.rfft(np.diag(np.sqrt(scipy.signal.windows.hann(FRAME, sym=False))))
    edge = 2.0 * spectra[:, FIRST_BIN:SEAM_BIN]
    matrix[begin:, HOP::2] = edge.real
    matrix[begin:, HOP + 1 :: 2] = edge.imag
    return torch.from_numpy(matrix).float()


def analysis_window() -> Tensor:
    """``[WINDOW]``: halves of two Hann windows, the peak at the middle of the frame."""
    fall = LOOK_AHEAD + HOP
    rise = WINDOW - fall
    up = np.sin(np.pi * (np.arange(rise) + 0.5) / (2 * rise)) ** 2
    down = np.cos(np.pi * (np.arange(fall) + 0.5) / (2 * fall)) ** 2
    return torch.from_numpy(np.concatenate([up, down])).float()


def band_matrix() -> Tensor:
    """``[2 * (WINDOW // 2 + 1), bands]``: powers of bands, of squared real and imaginary parts."""
    matrix = torch.zeros(WINDOW // 2 + 1, len(BAND_EDGES) - 1)
    for band, (first, last) in enumerate(pairwise(BAND_EDGES)):
        matrix[first:last, band] = 1.0 / (last - first)
    return matrix.repeat_interleave(2, dim=0)


def top_weights() -> Tensor:
    """``[bands]``: the mean over the bands at 4 to 8 kHz."""
    hz = torch.tensor(BAND_EDGES) * (22_050 / WINDOW)
    inside = ((hz[:-1] >= TOP_HZ[0]) & (hz[1:] <= TOP_HZ[1])).float()
    return inside / inside.sum()


class Product(nn.Linear):
    """A linear layer of rows ``[N, C]`` that is faster for few of them.

    A frozen network keeps the turned weights; products of few rows with weights in that order take
    up to a quarter less (measured with MKL), and a sum less than what a linear layer does besides.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The product."""
        return self.bias + torch.mm(x, self.weight.t().contiguous())


class Layer(nn.Module):
    """Two products with a ReLU between them, added to the newest frame.

    Args:
        seen: channels that it sees.
        width: channels of a frame.
        expansion: channels between the products, in widths.

    Shape:
        - Input: ``[N, seen]`` and ``[N, width]``
        - Output: ``[N, width]``
    """

    def __init__(self, seen: int, width: int, *, expansion: int) -> None:
        super().__init__()
        self.wide = Product(seen, expansion * width)
        self.narrow = nn.Linear(expansion * width, width, bias=False)
        with torch.no_grad():
            self.narrow.weight.mul_(0.5)

    def forward(self, seen: Tensor, x: Tensor) -> Tensor:
        """The next frames."""
        y = functional.relu(self.wide(seen))
        return x + torch.mm(y, self.narrow.weight.t().contiguous())


class Octave(nn.Module):
    """Fills 9 to 22 kHz of 22.05 kHz audio; its own band passes through untouched.

    Everything is computed once per frame of 256 output samples (5.8 ms)::

        x --- its own samples, and a half-band filter between them -------------- + -- y
          |-- 23 ms window --- bands --- layers, memory --- gains                 |
          `-- 12 ms frame ---- bins 9-11 kHz x gains ------ + -- IFFT, overlap-add
                               noise, 9-22 kHz x gains -----'

    The noise is learned: a second and a half of it, which comes again and again. White noise has
    deep holes in its short-time spectra by chance; this has fewer (low-noise noise, Pumplin 1985,
    found here by gradient descent), so that what is shaped of it has more nearly the envelope that
    the gains ask for. Gains of the bins at 9-11 kHz give back what an anti-aliasing filter left of
    them. Noise is relative to the input's level at 4-8 kHz in the frame's window, a mean
    of logarithms: silence stays silence, and a tone gains no hiss. What the layers see is relative
    to it too, which makes them indifferent to level.

    A window ends 96 input samples behind its frame. With one hop of overlap the output is 224 input
    samples (10.2 ms) late; window, hop and look-ahead together are 16 ms. The state keeps the
    input of a window, a fading mean of what the layers see (the colour of voice, microphone and
    room), the past of the layers and half a frame: a stream gives exactly what the whole gives.

    Args:
        width: channels of the layers.
        kernel: frames that the first layer sees, the newest included.
        pointwise: layers behind it, which see one frame.
        expansion: channels inside a layer, in widths.

    Shape:
        - Input: ``[B, 1, n]`` at 22.05 kHz
        - Output: ``[B, 1, 2 n]`` at 44.1 kHz

    Raises:
        ValueError: if a size is not positive.
    """

    window: Tensor
    bands: Tensor
    top: Tensor
    synthesis_window: Tensor
    own: Tensor
    fading: Tensor

    def __init__(
        self,
        *,
        width: int = 64,
        kernel: int = 8,
        pointwise: int = 2,
        expansion: int = 2,
    ) -> None:
        sizes = {"width": width, "kernel": kernel, "expansion": expansion}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be positive, got {size}")
        if pointwise < 0:
            raise ValueError(f"pointwise must not be negative, got {pointwise}")
        super().__init__()
        self.block_multiple = 2 * HOP
        self.latency_samples = 2 * LATENCY
        self.width = width
        self.loudest = LOUDEST * QUIET
        self.kernel = kernel
        self.enter = nn.Linear(len(BAND_EDGES) - 1, width, bias=False)
        self.loudness = nn.Parameter(torch.zeros(width))
        self.enter_norm = nn.LayerNorm(width)
        self.first = Layer((kernel + 1) * width, width, expansion=expansion)
        self.pointwise = nn.ModuleList(
            Layer(width, width, expansion=expansion) for _ in range(pointwise)
        )
        self.gains = nn.Linear(width, BINS - FIRST_BIN + EDGE_BINS)
        phases = torch.rand([NOISE_FRAMES, BINS - FIRST_BIN]) * (2 * math.pi)
        self.noise = nn.Parameter(torch.view_as_real(torch.polar(torch.ones([]), phases)))
        with torch.no_grad():
            self.enter.weight.mul_(0.3)
            self.gains.weight.mul_(0.3)
            self.gains.bias.zero_()
            # Begin soft: a network that starts too loud has to unlearn it.
            self.gains.bias[: BINS - FIRST_BIN] = -5.0
        powers = math.exp(-HOP / (MEMORY_S * 22_050)) ** torch.arange(
            MOST_FRAMES + 1, dtype=torch.float64
        )
        ages = torch.arange(MOST_FRAMES)[:, None] - torch.arange(MOST_FRAMES)
        fading = (1.0 - powers[1]) * torch.where(ages >= 0, powers[ages.clamp_min(0)], 0.0)
        past = torch.zeros(MOST_FRAMES, kernel - 1)
        self._keep("window", analysis_window() / QUIET)
        self._keep("bands", band_matrix())
        self._keep("top", top_weights())
        self._keep("synthesis_window", torch.hann_window(2 * FRAME).sqrt())
        self._keep("own", own_matrix())
        self._keep("fading", torch.cat([powers[1:, None], past, fading], dim=1).float())

    def _keep(self, name: str, value: Tensor) -> None:
        # Made of nothing but sizes: no part of a checkpoint.
        self.register_buffer(name, value.contiguous(), persistent=False)

    @torch.jit.export
    def initial_state(self, batch: int) -> list[Tensor]:
        """What the network remembers after silence, for ``batch`` signals."""
        like = self.window
        return [
            like.new_zeros([batch, 384]),
            like.new_zeros([batch, 1, 256]),  # second half of the last frame
            like.new_zeros([batch, 1, self.width]),  # the memory
            torch.arange(128, device=like.device),  # places in the noise of the next frames
            like.new_zeros([batch, self.kernel - 1, self.width]),
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Restore a whole signal."""
        n = x.shape[2]
        state = self.initial_state(x.shape[0])
        if self.training:
            # All of the noise is to be learned; a place that follows from the batch alone.
            state[3] = (state[3] + (x.abs().sum() * 1e3).long()) % 256
        padded = functional.pad(x, [0, 224 + (-n - 224) % 128])
        y, _ = self.stream(padded, state)
        return y[:, :, 448 : 448 + 2 * n]

    @torch.jit.export
    def stream(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Go on with ``[B, 1, n]``, n a multiple of 128; ``[B, 1, 2 n]``, 448 samples late."""
        most = 128 * 128
        if x.shape[2] <= most:
            return self._step(x.select(1, 0), state)
        parts: list[Tensor] = []
        for part in torch.split(x, most, dim=2):
            y, state = self._step(part.select(1, 0), state)
            parts.append(y)
        return torch.cat(parts, dim=2), state

    def _spread(self, x: Tensor) -> Tensor:
        """Gains of noise, none for the bins below; and of the edge, for both parts of each bin."""
        below = torch.zeros_like(x[:105])
        return torch.cat([below, x[:152], x[152:].repeat_interleave(2, dim=0)])

    def _step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        batch, n = x.shape
        frames = n // 128
        rows = frames * batch
        x = torch.cat([state[0], x], dim=1)
        seen = x.unfold(1, 512, 128).reshape(rows, 512)
        # Powers of bands, and everything is relative to those at 4 to 8 kHz.
        parts = torch.view_as_real(torch.fft.rfft(seen * self.window))
        power = torch.log1p(torch.mm(parts.view(rows, 514).square(), self.bands))
        top = torch.expm1(torch.mv(power, 0.5 * self.top)).unsqueeze(1)
        relative = torch.addr(
            self.enter.weight.t(), self.top, self.loudness - self.enter.weight.sum(1)
        )
        h = self.enter_norm(torch.mm(power, relative))
        past = torch.cat([state[2], state[4], h.view(batch, frames, -1)], dim=1)
        seen_frames = frames + self.kernel
        fading = self.fading[:frames, :seen_frames].expand(batch, frames, seen_frames)
        memory = torch.bmm(fading, past)
        near = past.narrow(1, 1, seen_frames - 1).unfold(1, self.kernel, 1)
        h = self.first(torch.cat([near.reshape(rows, -1), memory.view(rows, -1)], dim=1), h)
        for layer in self.pointwise:
            h = layer(h, h)
        # Gains of all bins: those of the noise begin at 9 kHz, which has no bins below. (A frozen
        # network keeps what is made of weights alone.)
        weight = self._spread(self.gains.weight)
        gains = self._spread(self.gains.bias) + torch.mm(h, weight.t().contiguous())
        level = torch.sigmoid(gains.narrow(1, 0, 257)) * top
        noise = functional.pad(self.loudest * self.noise, [0, 0, 105, 0])
        y = level.view(batch, frames, 257, 1) * noise.index_select(0, state[3][:frames])
        # What is missing of the input's own bins below the seam.
        own = torch.mm(seen.narrow(1, 65, 351), self.own)
        edge = y.view(rows, 514).narrow(1, 210, 48)
        edge.addcmul_(own.narrow(1, 128, 48), gains.narrow(1, 257, 48))
        y = torch.fft.irfft(torch.view_as_complex(y), 512) * self.synthesis_window
        halves = torch.cat([state[1], y.narrow(2, 256, 256)], dim=1)
        # The input's own band: its samples, and those between them.
        both = torch.stack([seen.narrow(1, 160, 128), own.narrow(1, 0, 128)], dim=2)
        out = both.view(batch, frames, 256) + y.narrow(2, 0, 256) + halves.narrow(1, 0, frames)
        after = [
            x.narrow(1, n, 384),
            halves.narrow(1, frames, 1),
            memory.narrow(1, frames - 1, 1),
            torch.bitwise_and(state[3] + frames, 255),
            past.narrow(1, frames + 1, self.kernel - 1),
        ]
        return out.view(batch, 1, 2 * n), after
