"""Channels that do nothing, taken out of a trained U-Net.

Weight decay draws what a training has no use for to zero, and rectifiers that no recording opens
stay shut: of the deep levels of unet-small two thirds of the channels are as good as constant.
Their share of the products, and of the weights that are read from memory in every block, is for
nothing. (Structured pruning; see Li et al. 2017, Pruning Filters for Efficient ConvNets. Here
nothing is trained again, because nothing is lost.)
"""

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.data.corpus import Corpus, training_batch
from models.data.degrade import Degrader
from models.export.fold_batch_norm import ROW_COLUMNS, fold_batch_norm
from models.export.half_precision import error_db
from models.networks.unet import UNet

# The error must be this far below what the network adds: that of 16-bit weights is not less.
BELOW_ADDED_DB = 60.0

# Channels come in multiples of the first, so that no register is read half, and from the second on:
# fewer would be computed several frames at a time (models/export/fold_batch_norm.py), which deep
# levels lack.
MULTIPLE, LEAST = 8, ROW_COLUMNS

# Shares of a convolution's input that are tried, the largest first.
SHARES = tuple(10.0**-k for k in range(2, 9))

# By what channels are judged: segments of a corpus in other rooms and at other levels, and tones.
SEGMENTS, SEGMENT_SAMPLES, TONES_SHARE = 32, 88_064, 0.1


@dataclass(frozen=True)
class _Use:
    """That a convolution reads a layer's channels, from one of its own channels on."""

    convolution: nn.Conv1d
    first: int


@dataclass(frozen=True)
class _Layer:
    """A convolution, its norm folded in, and what reads it; all modules of the network itself."""

    convolution: nn.Conv1d
    heard: nn.Module
    """Whose output (of the rectifier, or of the convolution) the readers get."""
    uses: list[_Use]


def listening(folder: Path) -> Tensor:
    """What a network hears of the recordings in a folder: ``[32, 1, 88064]``, always the same.

    Raises:
        DataError: if there are none, or one is unreadable.
    """
    degrader = Degrader(SEGMENT_SAMPLES, random=True)
    corpus = Corpus.read(folder)
    return training_batch(
        corpus, degrader, batch_size=SEGMENTS, seed=0, step=0, tones_share=TONES_SHARE
    )[0]


def pruned(network: UNet, x: Tensor) -> UNet:
    """A copy without the channels that make no difference, batch norms folded in.

    A channel counts by the largest share that it has in what any convolution makes of it: its
    variance times the squared norm of the weights. What is left out is taken for its mean. How
    small a share has to be is found by trying, with ``x`` itself.

    Args:
        network: in evaluation mode.
        x: what it will hear: ``[B, 1, T]``, many voices, levels and rooms.

    Returns:
        The narrowest network whose error is :data:`BELOW_ADDED_DB` below what ``network`` adds;
        one of full width if there is none.
    """
    folded = fold_batch_norm(network)
    moments = _moments(folded, x)
    for share in SHARES:
        narrow = copy.deepcopy(folded)
        _narrow(narrow, moments, share)
        # Written so that NaN fails as well.
        if error_db(narrow, folded, x) <= -BELOW_ADDED_DB:
            return narrow
    return folded


def _layers(network: UNet) -> list[_Layer]:
    """In the order of computation."""
    children: Any = network  # nn.ModuleList does not know the types of its children
    pairs = [network.inp, *children.down, *(up.conv for up in children.up)]
    layers = []
    for i, pair in enumerate(pairs):
        first, _, relu, second, _ = pair
        layers.append(_Layer(first, relu, [_Use(second, 0)]))
        uses = [_Use(network.final, 0)]
        if i + 1 < len(pairs):
            following = pairs[i + 1][0]
            # On the way up the skip comes first.
            uses = [_Use(following, following.in_channels - second.out_channels)]
        if i < len(children.down):
            uses.append(_Use(pairs[-1 - i][0], 0))
        layers.append(_Layer(second, second, uses))
    return layers


def _moments(network: UNet, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Mean and variance of what each layer gives: ``[C]`` each, float64."""
    found = []

    def listen(_module: nn.Module, _inputs: Any, out: Tensor) -> None:
        flat = out.transpose(0, 1).flatten(1).double()
        found.append((flat.mean(dim=1), flat.var(dim=1)))

    hooks = [layer.heard.register_forward_hook(listen) for layer in _layers(network)]
    try:
        with torch.inference_mode():
            network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _narrow(network: UNet, moments: list[tuple[Tensor, Tensor]], share: float) -> None:
    """Take the channels out whose share is below ``share`` everywhere."""
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
    # From the last layer on: what is cut from a reader's front leaves the places behind it.
    for layer, keep, (mean, _) in list(zip(layers, kept, moments, strict=True))[::-1]:
        for use in layer.uses:
            _forget(use, keep, mean)
        for parameter in layer.convolution.parameters():
            parameter.data = parameter.data[keep].clone()
        layer.convolution.out_channels = int(keep.sum())


def _kept(shares: Tensor, share: float) -> Tensor:
    """Which channels stay: those above the share, filled up to a multiple."""
    count = int((shares > share).sum())
    count = min(len(shares), max(LEAST, math.ceil(count / MULTIPLE) * MULTIPLE))
    keep = torch.zeros(len(shares), dtype=torch.bool)
    keep[shares.topk(count).indices] = True
    return keep


def _forget(use: _Use, keep: Tensor, mean: Tensor) -> None:
    """Let a reader take the missing channels for their means."""
    convolution, end = use.convolution, use.first + len(keep)
    weight = convolution.weight.data
    gone = weight[:, use.first : end][:, ~keep].double()
    assert convolution.bias is not None
    convolution.bias.data += torch.einsum("oct,c->o", gone, mean[~keep]).float()
    parts = [weight[:, : use.first], weight[:, use.first : end][:, keep], weight[:, end:]]
    convolution.weight.data = torch.cat(parts, dim=1)
    convolution.in_channels = convolution.weight.shape[1]
