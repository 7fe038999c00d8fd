"""Octave: a causal network at frame rate that makes only the octave that is missing."""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.octave_matrices import (
    BANDS,
    BINS,
    EDGE_BINS,
    FIRST_BIN,
    FRAME,
    HALF_BAND,
    HOP,
    LATENCY,
    MEMORIES_S,
    MOST_FRAMES,
    SPAN,
    WINDOW,
    analysis_window,
    edge_matrix,
    half_band_matrix,
    past_matrix,
    top_weights,
)

# Powers are relative to this magnitude squared: what rounding to 16 bits leaves of silence.
QUIET = 3e-5
# Gains are at most so high, relative to the magnitude at 4 to 8 kHz.
LOUDEST = 30.0
# Frames of noise before it repeats (1.5 s).
NOISE_FRAMES = 256


class Layer(nn.Module):
    """Two products with a ReLU between them, added to the newest frame.

    A frozen network keeps the turned weights: products of few rows with weights in that order take
    up to a quarter less (measured with MKL).

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
        self.wide = nn.Linear(seen, expansion * width, bias=False)
        self.narrow = nn.Linear(expansion * width, width, bias=False)
        with torch.no_grad():
            self.narrow.weight.mul_(0.5)

    def forward(self, seen: Tensor, x: Tensor) -> Tensor:
        """The next frames."""
        y = torch.mm(seen, self.wide.weight.t().contiguous())
        return x + torch.mm(functional.relu(y, inplace=True), self.narrow.weight.t().contiguous())


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

    The past is the newest frames as they are and three fading means of all that were, which tell
    voice, microphone and room: few numbers, and one product whatever the length of a call.

    A window ends 96 input samples behind its frame. With one hop of overlap the output is 224 input
    samples (10.2 ms) late; window, hop and look-ahead together are 16 ms. The state keeps the
    input of a window, the past, the last frame and the place in the noise: a stream gives exactly
    what the whole gives.

    Args:
        width: channels of the layers.
        kernel: frames that the first layer sees one by one, the newest included.
        pointwise: layers behind it, which see one frame.
        expansion: channels inside a layer, in widths.

    Shape:
        - Input: ``[B, 1, n]`` at 22.05 kHz
        - Output: ``[B, 1, 2 n]`` at 44.1 kHz

    Raises:
        ValueError: if a size is not positive.
    """

    # TorchScript sees no names of the module, only these constants. Lengths are in samples at
    # 22.05 kHz; those that end with _out are at 44.1 kHz.
    hop: Final[int] = HOP
    hop_out: Final[int] = 2 * HOP
    frame: Final[int] = FRAME
    frame_out: Final[int] = 2 * FRAME
    window_samples: Final[int] = WINDOW
    latency: Final[int] = LATENCY
    latency_out: Final[int] = 2 * LATENCY
    # What a stream keeps of its input; there the first frame begins, and what its filter sees.
    kept_samples: Final[int] = WINDOW - HOP
    frame_start: Final[int] = WINDOW - HOP - LATENCY
    filter_start: Final[int] = WINDOW - HOP - LATENCY - (HALF_BAND - 1)
    # A row of the half-band filter: what it sees, what of that the next row sees too, its step.
    filter_samples: Final[int] = SPAN - 1 + 2 * HALF_BAND
    filter_overlap: Final[int] = 2 * HALF_BAND - 1
    filter_step: Final[int] = SPAN
    filter_rows: Final[int] = HOP // SPAN
    # Bins, and real and imaginary parts of them.
    bins: Final[int] = BINS
    bin_parts: Final[int] = 2 * BINS
    first_bin: Final[int] = FIRST_BIN
    first_part: Final[int] = 2 * FIRST_BIN
    filled_bins: Final[int] = BINS - FIRST_BIN
    edge_parts: Final[int] = 2 * EDGE_BINS
    # A window's bins without the last one; a band is two of them, four parts.
    window_bins: Final[int] = WINDOW // 2
    bands: Final[int] = BANDS
    band_parts: Final[int] = 4
    noise_frames: Final[int] = NOISE_FRAMES
    noise_mask: Final[int] = NOISE_FRAMES - 1
    max_frames: Final[int] = MOST_FRAMES
    max_samples: Final[int] = MOST_FRAMES * HOP

    window: Tensor
    ones: Tensor
    top: Tensor
    synthesis_window: Tensor
    half_band: Tensor
    edge: Tensor
    past: Tensor

    def __init__(
        self,
        *,
        width: int = 64,
        kernel: int = 2,
        pointwise: int = 1,
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
        self.seen = kernel + len(MEMORIES_S)
        self.enter = nn.Linear(BANDS, width, bias=False)
        self.loudness = nn.Parameter(torch.zeros(width))
        self.enter_norm = nn.LayerNorm(width)
        self.first = Layer(self.seen * width, width, expansion=expansion)
        self.pointwise = nn.ModuleList(
            Layer(width, width, expansion=expansion) for _ in range(pointwise)
        )
        self.gains = nn.Linear(width, BINS - FIRST_BIN + EDGE_BINS, bias=False)
        phases = torch.rand([NOISE_FRAMES, BINS - FIRST_BIN]) * (2 * math.pi)
        noise = torch.view_as_real(torch.polar(torch.ones([]), phases))
        self.noise = nn.Parameter(noise.flatten(1))
        with torch.no_grad():
            self.enter.weight.mul_(0.3)
            self.gains.weight.mul_(0.3)
            # One channel begins as a constant, the layers' bias. And begin soft: a network that
            # starts too loud has to unlearn it.
            self.enter_norm.weight[0] = 0.0
            self.enter_norm.bias[0] = 1.0
            self.gains.weight[:, 0] = 0.0
            self.gains.weight[: BINS - FIRST_BIN, 0] = -5.0
        # A band is two bins, so a sum of four squares (faster as a product) and half of it.
        self._keep("window", analysis_window() * (math.sqrt(0.5) / QUIET))
        self._keep("ones", torch.ones(4, 1))
        self._keep("top", top_weights())
        self._keep("synthesis_window", torch.hann_window(2 * FRAME).sqrt())
        self._keep("half_band", half_band_matrix())
        self._keep("edge", edge_matrix())
        self._keep("past", past_matrix(kernel))

    def _keep(self, name: str, value: Tensor) -> None:
        # Made of nothing but sizes: no part of a checkpoint.
        self.register_buffer(name, value.contiguous(), persistent=False)

    @torch.jit.export
    def initial_state(self, batch: int) -> list[Tensor]:
        """What the network remembers after silence, for ``batch`` signals."""
        like = self.window
        return [
            like.new_zeros([batch, 1, self.kept_samples]),
            # The last frame, whole: joined faster than halves.
            like.new_zeros([batch, 1, self.frame_out]),
            # Places in the noise of the next frames.
            torch.arange(self.max_frames, device=like.device),
            like.new_zeros([batch, self.seen - 1, self.width]),
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Restore a whole signal."""
        n = x.shape[2]
        state = self.initial_state(x.shape[0])
        if self.training:
            # All of the noise is to be learned; a place that follows from the batch alone.
            state[2] = (state[2] + (x.abs().sum() * 1e3).long()) % self.noise_frames
        padded = functional.pad(x, [0, self.latency + (-n - self.latency) % self.hop])
        y, _ = self.stream(padded, state)
        return y[:, :, self.latency_out : self.latency_out + 2 * n]

    @torch.jit.export
    def stream(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Go on with ``[B, 1, n]``, n a multiple of 128; ``[B, 1, 2 n]``, 448 samples late."""
        if x.shape[2] <= self.max_samples:
            return self._step(x, state)
        parts: list[Tensor] = []
        for part in torch.split(x, self.max_samples, dim=2):
            y, state = self._step(part, state)
            parts.append(y)
        return torch.cat(parts, dim=2), state

    def _spread(self, x: Tensor) -> Tensor:
        """Gains of noise, none for the bins below; and of the edge, for both parts of each bin."""
        below = torch.zeros_like(x[: self.first_bin])
        noise, edge = x[: self.filled_bins], x[self.filled_bins :]
        return torch.cat([below, noise, edge.repeat_interleave(2, dim=0)])

    def _step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        batch, _, n = x.shape
        frames = n // self.hop
        rows = frames * batch
        x = torch.cat([state[0], x], dim=2)
        # Powers of bands, and everything is relative to those at 4 to 8 kHz.
        windows = x.unfold(2, self.window_samples, self.hop)
        spectra = torch.view_as_real(torch.fft.rfft(windows * self.window))
        squares = spectra.narrow(3, 0, self.window_bins).square()
        squares = squares.view(rows * self.bands, self.band_parts)
        power = torch.log1p(torch.mm(squares, self.ones)).view(rows, self.bands)
        top = torch.expm1(torch.mm(power, 0.5 * self.top))
        relative = torch.addr(
            self.enter.weight.t(), self.top[:, 0], self.loudness - self.enter.weight.sum(1)
        )
        h = self.enter_norm(torch.mm(power, relative))
        past = torch.cat([state[3], h.view(batch, frames, -1)], dim=1)
        kept = self.seen - 1
        matrix = self.past[: frames * self.seen, : frames + kept]
        seen = torch.bmm(matrix.expand(batch, -1, -1), past)
        h = self.first(seen.view(rows, -1), h)
        for layer in self.pointwise:
            h = layer(h, h)
        # Gains of all bins: those of the noise begin at 9 kHz, which has no bins below. (A frozen
        # network keeps what is made of weights alone.)
        gains = torch.mm(h, self._spread(self.gains.weight).t().contiguous())
        level = torch.sigmoid(gains.narrow(1, 0, self.bins)) * top
        noise = functional.pad(self.loudest * self.noise, [self.first_part, 0])
        noise = noise.view(-1, self.bins, 2)
        y = level.view(batch, frames, self.bins, 1) * noise.index_select(0, state[2][:frames])
        # What is missing of the input's own bins below the seam.
        own = x.narrow(2, self.frame_start, n + self.hop).unfold(2, self.frame, self.hop)
        own = torch.mm(own.reshape(rows, self.frame), self.edge)
        edge = y.view(rows, self.bin_parts).narrow(1, self.first_part, self.edge_parts)
        edge.addcmul_(own, gains.narrow(1, self.bins, self.edge_parts))
        y = torch.fft.irfft(torch.view_as_complex(y), self.frame_out) * self.synthesis_window
        y = torch.cat([state[1], y], dim=1)
        # The input's own band: its samples, and those between them.
        own = x.narrow(2, self.filter_start, n + self.filter_overlap)
        own = own.unfold(2, self.filter_samples, self.filter_step)
        own = own.reshape(self.filter_rows * rows, self.filter_samples)
        out = torch.mm(own, self.half_band).view(batch, frames, self.hop_out)
        out += y.narrow(1, 1, frames).narrow(2, 0, self.hop_out)
        out += y.narrow(1, 0, frames).narrow(2, self.hop_out, self.hop_out)
        after = [
            x.narrow(2, n, self.kept_samples),
            y.narrow(1, frames, 1),
            torch.bitwise_and(state[2] + frames, self.noise_mask),
            seen.narrow(1, frames * self.seen - kept, kept),
        ]
        return out.view(batch, 1, 2 * n), after
