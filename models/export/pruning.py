"""Structured pruning: removes the channels of a trained U-Net that have no effect.

Weight decay drives unused weights to zero, and some ReLUs are never active: in the deep levels of
unet-small two thirds of the channels are almost constant. They cost multiplications, and memory
bandwidth in every block. (Li et al. 2017, Pruning Filters for Efficient ConvNets. Nothing is
trained again here, because the output does not change.)
"""

import copy
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from models.data.corpus import Corpus, find_audio, training_batch
from models.data.degrade import Degrader
from models.export.fold_batch_norm import ROW_COLUMNS, fold_batch_norm
from models.export.half_precision import error_db
from models.networks.unet import UNet

# The error must be this far below what the network adds, unless a caller asks for less.
BELOW_ADDED_DB = 60.0

# Channel counts are multiples of 8, to fill registers. Fewer than ROW_COLUMNS channels would be
# computed several frames at a time (see fold_batch_norm.py), which deep levels do not have.
MULTIPLE, MIN_CHANNELS = 8, ROW_COLUMNS

# Thresholds to try, of a channel's share in a convolution's input.
SHARES = tuple(10.0**-k for k in range(2, 9))

# The input that channels are judged by: degraded segments of recordings, and tones.
SEGMENTS, SEGMENT_SAMPLES, TONES_SHARE = 32, 88_064, 0.1


class _Use(NamedTuple):
    """A convolution that reads a layer's channels, as its own channels from ``first`` on."""

    convolution: nn.Conv1d
    first: int


class _Layer(NamedTuple):
    """A convolution, the module whose output is read, and its readers."""

    convolution: nn.Conv1d
    output: nn.Module
    """The ReLU after the convolution, or the convolution itself."""
    uses: list[_Use]


def pruning_input(folder: Path) -> Tensor:
    """A fixed network input made from a folder of recordings: ``[32, 1, 88064]``.

    Raises:
        DataError: if there are none, or one cannot be read.
    """
    degrader = Degrader(SEGMENT_SAMPLES, random=True)
    corpus = Corpus.of(find_audio(folder))
    return training_batch(
        corpus, degrader, batch_size=SEGMENTS, seed=0, step=0, tones_share=TONES_SHARE
    )[0]


def pruned(network: UNet, x: Tensor, below_db: float = BELOW_ADDED_DB) -> UNet:
    """A copy with folded batch norms and without the channels that have no effect.

    A channel's share in a convolution's input is its variance times the squared norm of its
    weights. Channels whose largest share is below a threshold are replaced by their mean. The
    thresholds are tried from the largest down.

    Args:
        network: in evaluation mode.
        x: typical input, ``[B, 1, T]``: many voices, levels and rooms.
        below_db: how far below what the network adds the error must be.

    Returns:
        The narrowest network whose error on ``x`` is ``below_db`` below what ``network``
        adds; one of full width if there is none.
    """
    folded = fold_batch_norm(network)
    y, moments = _moments(folded, x)
    for share in SHARES:
        narrow = copy.deepcopy(folded)
        _narrow(narrow, moments, share)
        with torch.inference_mode():
            error = error_db(narrow(x), y, y - x)
        # An error of NaN fails too.
        if error <= -below_db:
            return narrow
    return folded


def _layers(network: UNet) -> list[_Layer]:
    """All layers in the order of computation."""
    children: Any = network  # nn.ModuleList does not know the types of its children
    pairs = [network.inp, *children.down, *(up.conv for up in children.up)]
    layers = []
    for i, pair in enumerate(pairs):
        first, _, relu, second, _ = pair
        layers.append(_Layer(first, relu, [_Use(second, 0)]))
        uses = [_Use(network.final, 0)]
        if i + 1 < len(pairs):
            following = pairs[i + 1][0]
            # In an up block the skip comes first.
            uses = [_Use(following, following.in_channels - second.out_channels)]
        if i < len(children.down):
            uses.append(_Use(pairs[-1 - i][0], 0))
        layers.append(_Layer(second, second, uses))
    return layers


def _moments(network: UNet, x: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """The network's output, and mean and variance of each layer's: ``[C]`` each, float64."""
    found = []

    def measure(_module: nn.Module, _inputs: Any, out: Tensor) -> None:
        flat = out.transpose(0, 1).flatten(1).double()
        found.append((flat.mean(dim=1), flat.var(dim=1)))

    hooks = [layer.output.register_forward_hook(measure) for layer in _layers(network)]
    try:
        with torch.inference_mode():
            y = network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return y, found


def _narrow(network: UNet, moments: list[tuple[Tensor, Tensor]], share: float) -> None:
    """Remove the channels whose share is at most ``share`` for all readers."""
    layers = _layers(network)
    power: dict[nn.Conv1d, float] = {}
    parts: list[list[Tensor]] = []
    for layer, (_, variance) in zip(layers, moments, strict=True):
        parts.append([])
        for use in layer.uses:
            weight = use.convolution.weight[:, use.first : use.first + len(variance)].double()
            part = variance * weight.square().sum(dim=(0, 2))
            parts[-1].append(part)
            power[use.convolution] = power.get(use.convolution, 0.0) + float(part.sum())
    kept = []
    for layer, of_uses in zip(layers, parts, strict=True):
        shares = [
            part / max(power[use.convolution], 1e-30)
            for use, part in zip(layer.uses, of_uses, strict=True)
        ]
        kept.append(_kept(torch.stack(shares).amax(dim=0), share))
    # From the last layer to the first, so that the channels removed so far lie after ``first``.
    for layer, keep, (mean, _) in list(zip(layers, kept, moments, strict=True))[::-1]:
        for use in layer.uses:
            _replace_by_mean(use, keep, mean)
        for parameter in layer.convolution.parameters():
            parameter.data = parameter.data[keep].clone()
        layer.convolution.out_channels = int(keep.sum())


def _kept(shares: Tensor, share: float) -> Tensor:
    """The channels to keep: those above the share, rounded up to a multiple."""
    count = int((shares > share).sum())
    count = min(len(shares), max(MIN_CHANNELS, math.ceil(count / MULTIPLE) * MULTIPLE))
    keep = torch.zeros(len(shares), dtype=torch.bool)
    keep[shares.topk(count).indices] = True
    return keep


def _replace_by_mean(use: _Use, keep: Tensor, mean: Tensor) -> None:
    """Remove a reader's channels, and add their means to its bias."""
    convolution, end = use.convolution, use.first + len(keep)
    weight = convolution.weight.data
    removed = weight[:, use.first : end][:, ~keep].double()
    assert convolution.bias is not None
    convolution.bias.data += torch.einsum("oct,c->o", removed, mean[~keep]).float()
    parts = [weight[:, : use.first], weight[:, use.first : end][:, keep], weight[:, end:]]
    convolution.weight.data = torch.cat(parts, dim=1)
    convolution.in_channels = convolution.weight.shape[1]
