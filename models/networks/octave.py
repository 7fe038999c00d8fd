"""Octave: a causal network at frame rate that generates only the missing octave."""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks import octave_matrices as sizes

# Magnitudes are relative to this one, that of 16-bit rounding noise.
MAGNITUDE_FLOOR = 3e-5
# Largest gain of the noise, relative to the magnitude at 4 to 8 kHz.
MAX_GAIN = 30.0
# Period of the noise in frames (1.5 s).
NOISE_FRAMES = 256


class Layer(nn.Module):
    """A residual block: two linear layers with a ReLU between them.

    Freezing folds the transposition of the weights, which makes products of few rows up to 25 %
    faster (measured with MKL).

    Args:
        seen: input channels.
        width: output channels.
        expansion: hidden channels, in widths.

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
        """Update the frames ``x``."""
        y = torch.mm(seen, self.wide.weight.t().contiguous())
        return x + torch.mm(functional.relu(y, inplace=True), self.narrow.weight.t().contiguous())


class Octave(nn.Module):
    """Fills 9 to 22 kHz of 22.05 kHz audio; the band below passes unchanged.

    Everything is computed once per frame of 256 output samples (5.8 ms)::

        x --- its own samples, and a half-band filter between them -------------- + -- y
          |-- 23 ms window --- bands --- layers, memory --- gains                 |
          `-- 12 ms frame ---- bins 9-11 kHz x gains ------ + -- IFFT, overlap-add
                               noise, 9-22 kHz x gains -----'

    The noise is a learned parameter of 1.5 s that repeats. White noise has random holes in its
    short-time spectra; learned noise has fewer (low-noise noise, Pumplin 1985), so that its
    envelope follows the gains more closely. The gains at 9-11 kHz restore what the anti-aliasing
    filter left. Levels are relative to the input's mean log power at 4-8 kHz in the window. So
    silence stays silent, tones get no noise, and the layers do not depend on the input's level.

    The layers see the newest frames and three exponential means over all earlier ones, which hold
    voice, microphone and room. One matrix product computes them for calls of any length.

    A window ends 96 input samples after its frame. With one hop of overlap the latency is 224 input
    samples (10.2 ms). The state holds the input of a window, the past, the last frame and the
    position in the noise; streaming gives exactly the output for the whole signal.

    Args:
        width: channels of the layers.
        kernel: frames that the first layer sees individually, including the newest.
        pointwise: number of further layers, which see one frame.
        expansion: hidden channels of a layer, in widths.

    Shape:
        - Input: ``[B, 1, n]`` at 22.05 kHz
        - Output: ``[B, 1, 2 n]`` at 44.1 kHz

    Raises:
        ValueError: if a size is not positive.
    """

    # Constants for TorchScript, which sees no module-level names. Lengths are in samples at
    # 22.05 kHz; those that end with _out are at 44.1 kHz.
    hop: Final[int] = sizes.HOP
    hop_out: Final[int] = 2 * sizes.HOP
    frame: Final[int] = sizes.FRAME
    frame_out: Final[int] = 2 * sizes.FRAME
    window_samples: Final[int] = sizes.WINDOW
    latency: Final[int] = sizes.LATENCY
    latency_out: Final[int] = 2 * sizes.LATENCY
    # Input in the state; start of the first frame and of the filter's first row in it.
    kept_samples: Final[int] = sizes.WINDOW - sizes.HOP
    frame_start: Final[int] = sizes.WINDOW - sizes.HOP - sizes.LATENCY
    filter_start: Final[int] = sizes.WINDOW - sizes.HOP - sizes.LATENCY - (sizes.HALF_BAND - 1)
    # Rows of the half-band filter: length, overlap, step, and number per hop.
    filter_samples: Final[int] = sizes.SPAN - 1 + 2 * sizes.HALF_BAND
    filter_overlap: Final[int] = 2 * sizes.HALF_BAND - 1
    filter_step: Final[int] = sizes.SPAN
    filter_rows: Final[int] = sizes.HOP // sizes.SPAN
    # Bins, and parts (real and imaginary).
    bins: Final[int] = sizes.BINS
    bin_parts: Final[int] = 2 * sizes.BINS
    first_bin: Final[int] = sizes.FIRST_BIN
    first_part: Final[int] = 2 * sizes.FIRST_BIN
    filled_bins: Final[int] = sizes.BINS - sizes.FIRST_BIN
    edge_parts: Final[int] = 2 * sizes.EDGE_BINS
    # A window's bins without the last; a band is two bins, so four parts.
    window_bins: Final[int] = sizes.WINDOW // 2
    bands: Final[int] = sizes.BANDS
    band_parts: Final[int] = 4
    noise_frames: Final[int] = NOISE_FRAMES
    noise_mask: Final[int] = NOISE_FRAMES - 1
    max_frames: Final[int] = sizes.MAX_FRAMES
    max_samples: Final[int] = sizes.MAX_FRAMES * sizes.HOP

    window: Tensor
    ones: Tensor
    top: Tensor
    synthesis_window: Tensor
    half_band: Tensor
    edge: Tensor
    past: Tensor

    def __init__(
        self, *, width: int = 64, kernel: int = 2, pointwise: int = 1, expansion: int = 2
    ) -> None:
        for name, size in (("width", width), ("kernel", kernel), ("expansion", expansion)):
            if size < 1:
                raise ValueError(f"{name} must be positive, got {size}")
        if pointwise < 0:
            raise ValueError(f"pointwise must not be negative, got {pointwise}")
        super().__init__()
        self.block_multiple = 2 * sizes.HOP
        self.latency_samples = 2 * sizes.LATENCY
        self.width = width
        self.max_gain = MAX_GAIN * MAGNITUDE_FLOOR
        self.seen = kernel + len(sizes.MEMORIES_S)
        self.enter = nn.Linear(sizes.BANDS, width, bias=False)
        self.loudness = nn.Parameter(torch.zeros(width))
        self.enter_norm = nn.LayerNorm(width)
        self.first = Layer(self.seen * width, width, expansion=expansion)
        self.pointwise = nn.ModuleList(
            Layer(width, width, expansion=expansion) for _ in range(pointwise)
        )
        self.gains = nn.Linear(width, sizes.BINS - sizes.FIRST_BIN + sizes.EDGE_BINS, bias=False)
        phases = torch.rand([NOISE_FRAMES, sizes.BINS - sizes.FIRST_BIN]) * (2 * math.pi)
        noise = torch.view_as_real(torch.polar(torch.ones([]), phases))
        self.noise = nn.Parameter(noise.flatten(1))
        with torch.no_grad():
            self.enter.weight.mul_(0.3)
            self.gains.weight.mul_(0.3)
            # Channel 0 starts as a constant, the layers' bias, and makes the initial gains small.
            self.enter_norm.weight[0] = 0.0
            self.enter_norm.bias[0] = 1.0
            self.gains.weight[:, 0] = 0.0
            self.gains.weight[: sizes.BINS - sizes.FIRST_BIN, 0] = -5.0
        # A band's power is half the sum of four squares; a product with ones is the fastest sum.
        self._keep("window", sizes.analysis_window() * (math.sqrt(0.5) / MAGNITUDE_FLOOR))
        self._keep("ones", torch.ones(4, 1))
        self._keep("top", sizes.top_weights())
        self._keep("synthesis_window", torch.hann_window(2 * sizes.FRAME).sqrt())
        self._keep("half_band", sizes.half_band_matrix())
        self._keep("edge", sizes.edge_matrix())
        self._keep("past", sizes.past_matrix(kernel))

    def _keep(self, name: str, value: Tensor) -> None:
        # Not in checkpoints: these depend on the sizes only.
        self.register_buffer(name, value.contiguous(), persistent=False)

    @torch.jit.export
    def initial_state(self, batch: int) -> list[Tensor]:
        """The state after silence, for ``batch`` signals."""
        like = self.window
        return [
            like.new_zeros([batch, 1, self.kept_samples]),
            # The last frame.
            like.new_zeros([batch, 1, self.frame_out]),
            # Positions of the next frames in the noise.
            torch.arange(self.max_frames, device=like.device),
            like.new_zeros([batch, self.seen - 1, self.width]),
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Restore a whole signal."""
        n = x.shape[2]
        state = self.initial_state(x.shape[0])
        if self.training:
            # A start that depends on the batch only, so that all of the noise is trained.
            state[2] = (state[2] + (x.abs().sum() * 1e3).long()) % self.noise_frames
        padded = functional.pad(x, [0, self.latency + (-n - self.latency) % self.hop])
        y, _ = self.stream(padded, state)
        return y[:, :, self.latency_out : self.latency_out + 2 * n]

    @torch.jit.export
    def stream(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Restore a block ``[B, 1, n]``, n a multiple of 128; ``[B, 1, 2 n]``, 448 samples late."""
        if x.shape[2] <= self.max_samples:
            return self._step(x, state)
        parts: list[Tensor] = []
        for part in torch.split(x, self.max_samples, dim=2):
            y, state = self._step(part, state)
            parts.append(y)
        return torch.cat(parts, dim=2), state

    def _spread(self, x: Tensor) -> Tensor:
        """Gains of the noise, 0 below its first bin, then of the edge, for both parts of a bin."""
        below = torch.zeros_like(x[: self.first_bin])
        noise, edge = x[: self.filled_bins], x[self.filled_bins :]
        return torch.cat([below, noise, edge.repeat_interleave(2, dim=0)])

    def _step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        batch, _, n = x.shape
        frames = n // self.hop
        rows = frames * batch
        x = torch.cat([state[0], x], dim=2)
        # Powers of the bands, relative to those at 4 to 8 kHz.
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
        # Gains of all bins. Freezing folds what depends on weights only.
        gains = torch.mm(h, self._spread(self.gains.weight).t().contiguous())
        level = torch.sigmoid(gains.narrow(1, 0, self.bins)) * top
        noise = functional.pad(self.max_gain * self.noise, [self.first_part, 0])
        noise = noise.view(-1, self.bins, 2)
        y = level.view(batch, frames, self.bins, 1) * noise.index_select(0, state[2][:frames])
        # Restore the input's own bins at 9 to 11 kHz.
        own = x.narrow(2, self.frame_start, n + self.hop).unfold(2, self.frame, self.hop)
        own = torch.mm(own.reshape(rows, self.frame), self.edge)
        edge = y.view(rows, self.bin_parts).narrow(1, self.first_part, self.edge_parts)
        edge.addcmul_(own, gains.narrow(1, self.bins, self.edge_parts))
        y = torch.fft.irfft(torch.view_as_complex(y), self.frame_out) * self.synthesis_window
        y = torch.cat([state[1], y], dim=1)
        # Upsample the input.
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
