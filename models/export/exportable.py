"""How each kind of network is exported."""

import copy
import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import CheckpointError
from models.export.fold_batch_norm import fold_batch_norm
from models.export.half_precision import round_bits, with_rounded_weights
from models.export.pruning import BELOW_ADDED_DB, pruned, pruning_input
from models.export.remove_dc import without_dc
from models.export.streaming_unet import StreamingUNet
from models.networks.octave import Octave
from models.networks.registry import NETWORKS
from models.networks.tone_guard import ToneGuard
from models.networks.unet import BLOCK_MULTIPLE, LOOK_AHEAD_SAMPLES, LOOK_BACK_SAMPLES, UNet
from realtime.sample_rates import SAMPLE_RATE_OUT

# Above this the output has nothing of a 22.05 kHz input.
OCTAVE_HZ = 11_500

# Context of a window: the U-Net's receptive field, rounded up to a multiple of 128 samples.
CONTEXT_SAMPLES = (
    -(-LOOK_BACK_SAMPLES // BLOCK_MULTIPLE) * BLOCK_MULTIPLE,
    -(-LOOK_AHEAD_SAMPLES // BLOCK_MULTIPLE) * BLOCK_MULTIPLE,
)
# Context of the octave: one second.
OCTAVE_MEMORY_SAMPLES = 172 * 256


class Exportable(ABC):
    """A trained network, in evaluation mode, and its metadata. Methods return modified copies.

    Attributes:
        title, front_end, kind, block_multiple, latency_samples, context_samples,
            crossfade_samples: of the metadata, lengths in output samples.
        settled_samples: output samples at the start of a whole signal that depend on its padding;
            a stream differs there.
        ratio: output samples per input sample.
    """

    title: str
    front_end: str
    kind = "streaming"
    block_multiple: int
    latency_samples: int
    context_samples: tuple[int, int]
    crossfade_samples: int
    settled_samples = 0
    ratio = 1

    def __init__(self, network: Any) -> None:
        self.network = network

    @abstractmethod
    def amplified(self, gain_db: float) -> "Exportable":
        """With a gain on everything that the network adds above the input's band."""

    def pruned(self, recordings: Path, below_db: float = BELOW_ADDED_DB) -> "Exportable":
        """Without the channels that a folder of recordings does not use.

        Raises:
            CheckpointError: if networks of this kind cannot be pruned.
            DataError: if the folder has no recordings, or one cannot be read.
        """
        del recordings, below_db
        raise CheckpointError("only U-Nets have channels to prune")

    @abstractmethod
    def rounded(self) -> "Exportable":
        """With weights of 11 significant bits; see :mod:`models.export.half_precision`."""

    def finished(self) -> "Exportable":
        """With a tone guard and an output of 0 for digital silence, where these are missing."""
        return self

    @abstractmethod
    def module(self) -> nn.Module:
        """The module to script: ``forward``, and if streaming ``initial_state`` and ``stream``."""

    @abstractmethod
    def added(self, x: Tensor, y: Tensor) -> Tensor:
        """The part of the output ``y`` that the network added to its input ``x``."""


class ExportableUNet(Exportable):
    """The U-Net: streaming, or with aligned corners windowed; batch norms are folded."""

    front_end = NETWORKS["unet"].front_end
    block_multiple = BLOCK_MULTIPLE
    context_samples = CONTEXT_SAMPLES
    crossfade_samples = 128
    settled_samples = LOOK_BACK_SAMPLES

    def __init__(self, network: UNet) -> None:
        super().__init__(network)
        self.title = f"U-Net, width {network.width}"
        streams = not network.align_corners
        self.kind = "streaming" if streams else "windowed"
        self.latency_samples = LOOK_AHEAD_SAMPLES if streams else CONTEXT_SAMPLES[1]

    def amplified(self, gain_db: float) -> "ExportableUNet":
        """Scales the last convolution."""
        network = copy.deepcopy(self.network)
        for parameter in network.final.parameters():
            parameter.mul_(10 ** (gain_db / 20))
        return ExportableUNet(network)

    def pruned(self, recordings: Path, below_db: float = BELOW_ADDED_DB) -> "ExportableUNet":
        """See :mod:`models.export.pruning`."""
        return ExportableUNet(pruned(self.network, pruning_input(recordings), below_db))

    def rounded(self) -> "ExportableUNet":
        """See :mod:`models.export.half_precision`."""
        return ExportableUNet(with_rounded_weights(self.network))

    def finished(self) -> "ExportableUNet":
        """See :mod:`models.networks.tone_guard` and :mod:`models.export.remove_dc`."""
        network = without_dc(self.network, lambda n: ExportableUNet(n).module())
        network.guard = ToneGuard()
        return ExportableUNet(network)

    def module(self) -> nn.Module:
        """A streaming network, unless it has aligned corners."""
        streams = self.kind == "streaming"
        return StreamingUNet(self.network) if streams else fold_batch_norm(self.network)

    def added(self, x: Tensor, y: Tensor) -> Tensor:
        """The difference from the input."""
        return y - x


class ExportableOctave(Exportable):
    """The octave: a streaming network that TorchScript compiles as it is."""

    front_end = NETWORKS["octave"].front_end
    ratio = 2
    crossfade_samples = 256

    def __init__(self, network: Octave) -> None:
        super().__init__(network)
        self.title = f"Octave, width {self.network.width}"
        self.block_multiple = self.network.block_multiple
        self.latency_samples = self.network.latency_samples
        ahead = -(-self.latency_samples // self.block_multiple) * self.block_multiple
        self.context_samples = (OCTAVE_MEMORY_SAMPLES, ahead)

    def amplified(self, gain_db: float) -> "ExportableOctave":
        """Scales the noise that the octave is made of."""
        network = copy.deepcopy(self.network)
        network.noise.mul_(10 ** (gain_db / 20))
        return ExportableOctave(network)

    def rounded(self) -> "ExportableOctave":
        """Rounds matrices only; vectors are small."""
        network = copy.deepcopy(self.network)
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.copy_(round_bits(parameter))
        return ExportableOctave(network)

    def module(self) -> nn.Module:
        """The network itself."""
        module: nn.Module = copy.deepcopy(self.network)
        return module

    def added(self, x: Tensor, y: Tensor) -> Tensor:
        """The band above that of the input."""
        del x
        spectrum = torch.fft.rfft(y)
        first = math.ceil(OCTAVE_HZ * y.shape[2] / SAMPLE_RATE_OUT)
        spectrum[:, :, :first] = 0.0
        above: Tensor = torch.fft.irfft(spectrum, y.shape[2])
        return above


EXPORTABLES: dict[str, type[Exportable]] = {"unet": ExportableUNet, "octave": ExportableOctave}
