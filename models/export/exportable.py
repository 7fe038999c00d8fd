"""Trained networks on their way into model files: what each kind needs, and what its file says."""

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
from models.export.pruning import listening, pruned
from models.export.remove_dc import silenced
from models.export.streaming_unet import StreamingUNet
from models.networks.registry import NETWORKS
from models.networks.tone_guard import ToneGuard
from models.networks.unet import BLOCK_MULTIPLE, LOOK_AHEAD_SAMPLES, LOOK_BACK_SAMPLES, UNet
from realtime.sample_rates import SAMPLE_RATE_OUT

# Nothing of a 22.05 kHz input is left above it.
OCTAVE_HZ = 11_500

# Windows of a windowed run: the U-Net's receptive field, rounded up to its grid.
CONTEXT_SAMPLES = (
    -(-LOOK_BACK_SAMPLES // BLOCK_MULTIPLE) * BLOCK_MULTIPLE,
    -(-LOOK_AHEAD_SAMPLES // BLOCK_MULTIPLE) * BLOCK_MULTIPLE,
)
# The octave remembers the last second.
OCTAVE_MEMORY_SAMPLES = 172 * 256


class Form(ABC):
    """A trained network and how it is written; all methods leave it as it is.

    Args:
        network: in evaluation mode, without gradients.

    Attributes:
        front_end, kind, block_multiple, latency_samples, context_samples, crossfade_samples: of
            the metadata, in output samples.
        settled_samples: output samples behind the beginning of a whole signal that its padding
            reaches; from there on a stream gives the same.
    """

    front_end: str
    kind = "streaming"
    block_multiple: int
    latency_samples: int
    context_samples: tuple[int, int]
    crossfade_samples: int
    settled_samples = 0

    def __init__(self, network: Any) -> None:
        self.network = network

    @property
    def ratio(self) -> int:
        """Output samples per input sample."""
        return 2 if self.front_end == "none" else 1

    @property
    @abstractmethod
    def title(self) -> str:
        """One line for people."""

    @abstractmethod
    def amplified(self, gain_db: float) -> "Form":
        """With all that the network adds above the input's band louder."""

    def pruned(self, recordings: Path) -> "Form":
        """Without channels that make no difference to a folder of recordings.

        Raises:
            CheckpointError: if the kind of network has none to leave out.
            DataError: if the folder has no recordings, or one is unreadable.
        """
        del recordings
        raise CheckpointError("only U-Nets have channels to prune")

    def guarded(self) -> "Form":
        """Adding nothing to lone tones."""
        return self

    @abstractmethod
    def rounded(self) -> "Form":
        """With weights of 11 significant bits; see :mod:`models.export.half_precision`."""

    @abstractmethod
    def silent(self) -> "Form":
        """Answering digital silence by digital silence."""

    @abstractmethod
    def module(self) -> nn.Module:
        """What is scripted: ``forward``, and where it streams ``initial_state`` and ``stream``."""

    @abstractmethod
    def added(self, x: Tensor, y: Tensor) -> Tensor:
        """What of the output ``y`` the network added to its input ``x``."""


class UNetForm(Form):
    """The U-Net: streaming, or with aligned corners windowed; batch norm folded in."""

    front_end = NETWORKS["unet"].front_end
    block_multiple = BLOCK_MULTIPLE
    context_samples = CONTEXT_SAMPLES
    crossfade_samples = 128
    settled_samples = LOOK_BACK_SAMPLES

    def __init__(self, network: UNet) -> None:
        super().__init__(network)
        streams = not network.align_corners
        self.kind = "streaming" if streams else "windowed"
        self.latency_samples = LOOK_AHEAD_SAMPLES if streams else CONTEXT_SAMPLES[1]

    @property
    def title(self) -> str:
        """One line for people."""
        return f"U-Net, width {self.network.width}"

    def amplified(self, gain_db: float) -> "UNetForm":
        """The last convolution makes all that is added, so it is scaled."""
        network = copy.deepcopy(self.network)
        for parameter in network.final.parameters():
            parameter.mul_(10 ** (gain_db / 20))
        return UNetForm(network)

    def pruned(self, recordings: Path) -> "UNetForm":
        """See :mod:`models.export.pruning`."""
        return UNetForm(pruned(self.network, listening(recordings)))

    def guarded(self) -> "UNetForm":
        """See :mod:`models.networks.tone_guard`; octaves need no guard against tones."""
        network = copy.deepcopy(self.network)
        network.guard = ToneGuard()
        return UNetForm(network)

    def rounded(self) -> "UNetForm":
        """Batch norms are folded first."""
        return UNetForm(with_rounded_weights(self.network))

    def silent(self) -> "UNetForm":
        """See :mod:`models.export.remove_dc`."""
        return UNetForm(silenced(self.network, _unet_module))

    def module(self) -> nn.Module:
        """A network with aligned corners cannot stream."""
        return _unet_module(self.network)

    def added(self, x: Tensor, y: Tensor) -> Tensor:
        """All that differs from the input."""
        return y - x


class OctaveForm(Form):
    """The octave, which is written as it is: it streams, and scripts, by itself."""

    front_end = NETWORKS["octave"].front_end
    crossfade_samples = 256

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.block_multiple = self.network.block_multiple
        self.latency_samples = self.network.latency_samples
        ahead = -(-self.latency_samples // self.block_multiple) * self.block_multiple
        self.context_samples = (OCTAVE_MEMORY_SAMPLES, ahead)

    @property
    def title(self) -> str:
        """One line for people."""
        return f"Octave, width {self.network.width}"

    def amplified(self, gain_db: float) -> "OctaveForm":
        """All that it adds is made of its noise; the bins below the seam are the input's own."""
        network = copy.deepcopy(self.network)
        network.noise.mul_(10 ** (gain_db / 20))
        return OctaveForm(network)

    def rounded(self) -> "OctaveForm":
        """All matrices; vectors are few."""
        network = copy.deepcopy(self.network)
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.copy_(round_bits(parameter))
        return OctaveForm(network)

    def silent(self) -> "OctaveForm":
        """All it adds is relative to its input."""
        return self

    def module(self) -> nn.Module:
        """The network itself."""
        module: nn.Module = copy.deepcopy(self.network)
        return module

    def added(self, x: Tensor, y: Tensor) -> Tensor:
        """What lies above the input's band."""
        del x
        spectrum = torch.fft.rfft(y)
        first = math.ceil(OCTAVE_HZ * y.shape[2] / SAMPLE_RATE_OUT)
        spectrum[:, :, :first] = 0.0
        above: Tensor = torch.fft.irfft(spectrum, y.shape[2])
        return above


FORMS: dict[str, type[Form]] = {"unet": UNetForm, "octave": OctaveForm}


def _unet_module(network: UNet) -> nn.Module:
    return fold_batch_norm(network) if network.align_corners else StreamingUNet(network)
