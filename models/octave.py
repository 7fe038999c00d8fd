"""Octave: a causal network at frame rate that makes only the octave that is missing."""

import math

import numpy as np
import scipy.signal
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.rows import windows

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

# Bins of the window (43 Hz) at 6 to 9 kHz: the top of what every input still has.
TOP_BINS = slice(140, 209)
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


def top_mean() -> Tensor:
    """``[WINDOW // 2 + 1, 1]``: mean over the bins at 6 to 9 kHz."""
    matrix = torch.zeros(WINDOW // 2 + 1, 1)
    matrix[TOP_BINS] = 1.0 / len(range(*TOP_BINS.indices(len(matrix))))
    return matrix


class Product(nn.Linear):
    """A linear layer of rows ``[N, C]`` that is faster for few of them.

    A frozen network keeps the turned weights; products of few rows with weights in that order take
    up to a quarter less (measured with MKL), and a sum less than what a linear layer does besides.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The product."""
        return torch.addmm(self.bias, x, self.weight.t().contiguous())


class Layer(nn.Module):
    """Two products with a GELU between them, added to the input.

    Args:
        width: channels.
        kernel: frames that it sees, the newest included.
        expansion: channels between the products, in widths.
        beside: channels of another input.

    Shape:
        - Input: rows of frames, time before batch, the past in front:
          ``[(kernel - 1 + N) * B, width]``; and ``[N * B, beside]`` or None
        - Output: ``[N * B, width]``
    """

    def __init__(self, width: int, *, kernel: int, expansion: int, beside: int = 0) -> None:
        super().__init__()
        self.kernel = kernel
        self.wide = Product(kernel * width + beside, expansion * width)
        self.narrow = Product(expansion * width, width)
        with torch.no_grad():
            self.narrow.weight.mul_(0.5)

    def forward(self, x: Tensor, frames: int, batch: int, beside: Tensor | None) -> Tensor:
        """The next ``frames`` frames."""
        seen = x
        if self.kernel > 1:
            seen = windows(x, 0, frames, self.kernel, 1, batch)
            x = x[(self.kernel - 1) * batch :]
        if beside is not None:
            seen = torch.cat([seen, beside], dim=1)
        y: Tensor = functional.gelu(self.wide(seen), approximate="tanh")
        y = self.narrow(y)
        return x + y


class Octave(nn.Module):
    """Fills 9 to 22 kHz of 22.05 kHz audio; its own band passes through untouched.

    Everything is computed once per frame of 256 output samples (5.8 ms)::

        x --- its own samples, and a half-band filter between them -------------------- + -- y
          |-- 23 ms window --- magnitudes -- layers, memory --- gains                   |
          `-- 12 ms frame ---- bins 9-11 kHz x gains ------ + -- IFFT, overlap-add -----'
                               noise, 9-22 kHz x gains -----'

    The noise is learned: a second and a half of it, which comes again and again. White noise has
    deep holes in its short-time spectra by chance; this has fewer (low-noise noise, Pumplin 1985,
    found here by gradient descent), so that what is shaped of it has more nearly the envelope that
    the gains ask for. Gains of the bins at 9-11 kHz give back what an anti-aliasing filter left of
    them. Noise is relative to the input's mean magnitude at 6-9 kHz in the frame's window, so that
    silence stays silence and a tone gains no hiss; what the layers see is relative to it too,
    which makes them indifferent to level.

    A window ends 96 input samples behind its frame. With one hop of overlap the output is 224 input
    samples (10.2 ms) late; window, hop and look-ahead together are 16 ms. The state keeps the
    input of a window, a fading mean of what the layers see (the colour of voice, microphone and
    room), the past of the layers and half a frame: a stream gives exactly what the whole gives.

    Args:
        width: channels of the layers.
        temporal: layers that see the past, at least 1.
        kernel: frames that they see, the newest included.
        pointwise: layers that see one frame, behind them.
        expansion: channels inside a layer, in widths.

    Shape:
        - Input: ``[B, 1, n]`` at 22.05 kHz
        - Output: ``[B, 1, 2 n]`` at 44.1 kHz

    Raises:
        ValueError: if a size is not positive.
    """

    window: Tensor
    top: Tensor
    synthesis_window: Tensor
    own: Tensor
    fading: Tensor
    fade: Tensor
    places: Tensor

    def __init__(
        self,
        *,
        width: int = 64,
        temporal: int = 3,
        kernel: int = 4,
        pointwise: int = 0,
        expansion: int = 2,
    ) -> None:
        sizes = {"width": width, "temporal": temporal, "kernel": kernel, "expansion": expansion}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be positive, got {size}")
        if pointwise < 0:
            raise ValueError(f"pointwise must not be negative, got {pointwise}")
        super().__init__()
        self.block_multiple = 2 * HOP
        self.latency_samples = 2 * LATENCY
        self.width = width
        self.kernel = kernel
        self.enter = Product(WINDOW // 2 + 1, width)
        self.loudness = nn.Parameter(torch.zeros(width))
        self.enter_norm = nn.LayerNorm(width)
        self.first = Layer(width, kernel=kernel, expansion=expansion, beside=width)
        self.temporal = nn.ModuleList(
            Layer(width, kernel=kernel, expansion=expansion) for _ in range(temporal - 1)
        )
        self.pointwise = nn.ModuleList(
            Layer(width, kernel=1, expansion=expansion) for _ in range(pointwise)
        )
        self.gains = nn.Linear(width, BINS - FIRST_BIN + EDGE_BINS)
        phases = torch.rand([NOISE_FRAMES, BINS - FIRST_BIN]) * (2 * math.pi)
        self.noise = nn.Parameter(torch.view_as_real(torch.polar(torch.ones([]), phases)))
        with torch.no_grad():
            self.gains.weight.mul_(0.3)
            self.gains.bias.zero_()
            # Begin soft: a network that starts too loud has to unlearn it.
            self.gains.bias[: BINS - FIRST_BIN] = -2.0
        powers = math.exp(-HOP / (MEMORY_S * 22_050)) ** torch.arange(
            MOST_FRAMES + 1, dtype=torch.float64
        )
        ages = torch.arange(MOST_FRAMES)[:, None] - torch.arange(MOST_FRAMES)
        fading = torch.where(ages >= 0, powers[ages.clamp_min(0)], 0.0)
        self._keep("window", analysis_window())
        self._keep("top", top_mean())
        self._keep("synthesis_window", torch.hann_window(2 * FRAME).sqrt())
        self._keep("own", own_matrix())
        self._keep("fading", ((1.0 - powers[1]) * fading).float())
        self._keep("fade", powers[1:].float()[:, None])
        self._keep("places", torch.arange(MOST_FRAMES))

    def _keep(self, name: str, value: Tensor) -> None:
        # Made of nothing but sizes: no part of a checkpoint.
        self.register_buffer(name, value.contiguous(), persistent=False)

    @torch.jit.export
    def initial_state(self, batch: int) -> list[Tensor]:
        """What the network remembers after silence, for ``batch`` signals."""
        like = self.window
        state = [
            like.new_zeros([batch, 384]),
            like.new_zeros([1, batch, 256]),  # second half of the last frame
            like.new_zeros([1, batch * self.width]),  # the memory
            torch.zeros([1], dtype=torch.int64, device=like.device),  # place in the noise
            like.new_zeros([(self.kernel - 1) * batch, self.width]),
        ]
        return state + [torch.zeros_like(state[4]) for _ in self.temporal]

    def forward(self, x: Tensor) -> Tensor:
        """Restore a whole signal."""
        n = x.shape[2]
        state = self.initial_state(x.shape[0])
        if self.training:
            # All of the noise is to be learned; a place that follows from the batch alone.
            state[3] = (x.abs().sum() * 1e3).long().reshape(1) % 256
        padded = functional.pad(x, [0, 224 + (-n - 224) % 128])
        y, _ = self.stream(padded, state)
        return y[:, :, 448 : 448 + 2 * n]

    @torch.jit.export
    def stream(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Go on with ``[B, 1, n]``, n a multiple of 128; ``[B, 1, 2 n]``, 448 samples late."""
        most = 128 * 128
        if x.shape[2] <= most:
            return self._step(x[:, 0], state)
        parts: list[Tensor] = []
        for part in torch.split(x, most, dim=2):
            y, state = self._step(part[:, 0], state)
            parts.append(y)
        return torch.cat(parts, dim=2), state

    def _step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        batch, n = x.shape
        frames = n // 128
        rows = frames * batch
        x = torch.cat([state[0], x], dim=1)
        seen = x.unfold(1, 512, 128).transpose(0, 1).reshape(rows, 512)
        magnitude = torch.fft.rfft(seen * self.window).abs()
        # Everything is relative to the top of the input.
        top = torch.mm(magnitude, self.top)
        reference = torch.log(top + 3e-5)
        h = self.enter(torch.log(magnitude + 3e-5))
        loudness = self.loudness - self.enter.weight.sum(1)
        h = self.enter_norm(torch.addcmul(h, reference, loudness))
        memory = torch.mm(self.fading[:frames, :frames], h.view(frames, -1))
        memory = torch.addcmul(memory, self.fade[:frames], state[2])
        h = torch.cat([state[4], h])
        pasts = [h[rows:]]
        h = self.first(h, frames, batch, memory.view(rows, -1))
        for i, layer in enumerate(self.temporal):
            h = torch.cat([state[5 + i], h])
            pasts.append(h[rows:])
            h = layer(h, frames, batch, None)
        for layer in self.pointwise:
            h = layer(h, frames, batch, None)
        # Gains of all bins: those of the noise begin at 9 kHz, which has no bins below. (A frozen
        # network keeps what is made of weights alone.)
        weight = functional.pad(self.gains.weight, [0, 0, 105, 0]).t().contiguous()
        gains = torch.addmm(functional.pad(self.gains.bias, [105, 0]), h, weight)
        loud, height = torch.split(gains, [257, 24], dim=1)
        level = torch.exp(loud.clamp(-12.0, 5.0)) * top
        noise = functional.pad(self.noise, [0, 0, 105, 0]).unsqueeze(1)
        place = torch.bitwise_and(self.places[:frames] + state[3], 255)
        y = level.view(frames, batch, 257, 1) * noise.index_select(0, place)
        # What is missing of the input's own bins below the seam.
        between, edge = torch.split(torch.mm(seen.narrow(1, 65, 351), self.own), [128, 48], dim=1)
        edge = edge.view(rows, 24, 2)
        y.view(rows, 257, 2).narrow(1, 105, 24).addcmul_(edge, height.unsqueeze(2))
        y = torch.fft.irfft(torch.view_as_complex(y), 512) * self.synthesis_window
        first, second = torch.split(y, [256, 256], dim=2)
        halves = torch.cat([state[1], second])
        # The input's own band: its samples, and those between them.
        both = torch.stack([seen.narrow(1, 160, 128), between], dim=2)
        out = both.view(frames, batch, 256) + first + halves[:frames]
        after = [
            x.narrow(1, n, 384),
            halves[frames:],
            memory[frames - 1 :],
            state[3] + frames,
        ]
        return out.transpose(0, 1).reshape(batch, 1, 2 * n), after + pasts
