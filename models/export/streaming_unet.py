"""The U-Net as a streaming network with explicit state, exactly equal to the whole-signal one."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.export.unet_layers import Pair, Up
from models.networks.tone_guard import PAST
from models.networks.unet import BLOCK_MULTIPLE, DOWN_BLOCKS, UNet

# Length of the silence that fills a new state: the receptive field of 1402 samples, plus the less
# than 100 samples of the state.
SILENCE_SAMPLES = 1536

# Latency if blocks end one sample after a line of the network's grid.
CORE_LATENCY_SAMPLES = 4 * BLOCK_MULTIPLE - 2


class StreamingUNet(nn.Module):
    """A trained U-Net for whole signals (``forward``) and for blocks of a stream (``stream``).

    ``stream`` gives the samples of ``forward`` for the whole signal, delayed by the latency, for
    any block lengths. Only a few frames between two convolutions are computed twice. The edges of a
    signal differ: ``forward`` zero-pads every layer, while a stream begins and ends with silence.

    Latency: some output samples depend on the input 637 samples ahead. All blocks end at the same
    position in the network's grid of 128 samples, and if that is *one sample after a line of the
    grid*, every stride-2 convolution has just received the frame it needs: level k is complete up
    to two of its frames before the line, each level up loses two more, and the output is complete
    up to 510 samples before the end of the block. Blocks that end on the line miss these frames by
    one sample and need 637. ``lead`` sets the position: it is the number of samples of the stream
    in the first block, at its end, after zeros that are not part of the stream. The latency is
    ``509 + lead`` samples.

    ::

        lead 128   | x0 ...... x127 | x128 ... x255 | ...    y0 comes in the place of x637
        lead 1     | 0 0 0 ..... x0 | x1 ..... x128 | ...    y0 comes in the place of x510

    Each level keeps the frames that its convolutions still need. Its skip is delayed until the
    levels below are ready, by ``4 * 2**(7 - k) - 6`` frames at level k.

    Args:
        network: with ``align_corners=False``; its weights are copied, with batch norms folded.

    Shape:
        - Input: ``[B, 1, T]`` at 44.1 kHz, float32
        - Output: ``[B, 1, T]``, float32

    Raises:
        ValueError: if the network has ``align_corners=True``: it cannot stream.
    """

    def __init__(self, network: UNet) -> None:
        if network.align_corners:
            raise ValueError("a network with align_corners=True cannot stream")
        super().__init__()
        self.block_multiple = BLOCK_MULTIPLE
        self.core_latency = CORE_LATENCY_SAMPLES
        self.silence = SILENCE_SAMPLES
        # For the default lead.
        self.latency_samples = CORE_LATENCY_SAMPLES + BLOCK_MULTIPLE - 1
        self.guard = copy.deepcopy(network.guard)
        # Samples that the guard needs before a block.
        self.past = 0 if network.guard is None else PAST
        children: Any = network  # nn.ModuleList does not know the types of its children
        skips = [down[0].in_channels for down in children.down]
        self.inp = Pair(network.inp)
        downs = [Pair(down) for down in children.down]
        ups = [
            Up(up, skip_channels=channels, final=network.final if up is children.up[-1] else None)
            for up, channels in zip(children.up, skips[::-1], strict=True)
        ]
        self.down = nn.ModuleList(downs)
        self.up = nn.ModuleList(ups)
        # Per level: the frames to keep on the way down, and where in them the inputs of the next
        # convolution and of the delayed skip begin.
        waits = [4 * 2 ** (DOWN_BLOCKS - k) - 6 for k in range(DOWN_BLOCKS)]
        of_skip = [wait + up.pair.history for wait, up in zip(waits, ups[::-1], strict=True)]
        of_down = [down.history for down in downs]
        kept = [max(pair) for pair in zip(of_skip, of_down, strict=True)]
        self.up_from = [a - b for a, b in zip(kept, of_skip, strict=True)][::-1]
        self.down_from = [a - b for a, b in zip(kept, of_down, strict=True)]
        # Frames and channels of the state's tensors after the first, which holds the signal.
        self.state_shapes = list(zip(kept, skips, strict=True)) + [
            (up.below_history, up.below_channels) for up in ups
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Restore a whole signal or window, any T."""
        length = x.size(2)
        padded = functional.pad(x, [0, -length % self.block_multiple])
        h = self.inp(padded.to(self.inp.first.bias.dtype))
        skips: list[Tensor] = []
        for down in self.down:
            skips.append(h)
            h = down(h)
        for up in self.up:
            h = up(h, skips.pop())
        added: Tensor = h[:, :, :length]
        if self.guard is not None:
            added = added * self.guard(x[:, 0])
        return x + added

    @torch.jit.export
    def initial_state(self, batch: int, lead: int = 128) -> list[Tensor]:
        """The state after a long silence.

        Args:
            batch: number of signals.
            lead: samples of the stream in the first block; see the class.

        Raises:
            ValueError: if batch is not positive, or lead is not from 1 to 128.
        """
        if batch < 1:
            raise ValueError(f"batch must be positive, got {batch}")
        if lead < 1 or lead > self.block_multiple:
            raise ValueError(f"lead must be from 1 to 128, got {lead}")
        like = self.inp.first.bias
        signal = [batch, 1, self.past + self.core_latency - 1 + lead]
        state = [torch.zeros(signal, device=like.device)]
        for frames, channels in self.state_shapes:
            state.append(like.new_zeros([frames * batch, channels]))
        silence = torch.zeros([batch, 1, self.silence], device=like.device)
        return self.stream(silence, state)[1]

    @torch.jit.export
    def stream(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Restore the next block of a stream.

        Args:
            x: ``[B, 1, n]``, n a multiple of 128; float32.
            state: from :meth:`initial_state` or the last call; not changed.

        Returns:
            ``[B, 1, n]``, and the new state with the same shapes.

        Raises:
            ValueError: if n is not a positive multiple of 128.
        """
        batch, n = x.size(0), x.size(2)
        if n < 1 or n % self.block_multiple != 0:
            raise ValueError(f"a block must have a multiple of 128 samples, got {n}")
        signal = torch.cat([state[0], x], dim=2)
        new_state = [signal[:, :, n:]]
        # The network reads the samples after this end with the next block.
        end = self.past + self.core_latency + n
        recent = signal[:, 0, end - n - self.inp.history : end]
        h = recent.t().reshape(-1, 1).to(self.inp.first.bias.dtype)
        h = self.inp.rows(h, 0, n, batch)
        skips: list[Tensor] = []
        count = n
        for k, down in enumerate(self.down):
            level = torch.cat([state[1 + k], h])
            new_state.append(level[count * batch :])
            skips.append(level)
            count = count // 2
            # mypy does not know the type of the children of an nn.ModuleList.
            h = down.rows(level, self.down_from[k], count, batch)  # type: ignore[operator]
        for k, up in enumerate(self.up):
            below = torch.cat([state[8 + k], h])
            new_state.append(below[count * batch :])
            count = count * 2
            first = self.up_from[k]
            h = up.rows(skips.pop(), first, below, count, batch)  # type: ignore[operator]
        added = h.view(n, batch).t().unsqueeze(1)
        if self.guard is not None:
            gains = self.guard.between(signal[:, 0, :end], n // self.block_multiple)
            added = added * gains
        return signal[:, :, self.past : self.past + n] + added, new_state
