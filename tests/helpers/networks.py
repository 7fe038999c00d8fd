"""Small networks for tests: plain functions for the engine, TorchScript files for the rest."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime.dsp.chain import Chain, NetworkPath
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.inference.load import LoadedChain
from realtime.inference.model_file import METADATA_NAME
from realtime.inference.windowed import WindowedNetwork

# Reach of `smooth` and of `Smooth` on either side.
REACH_SAMPLES = 2
TAPS = np.array([-0.1, 0.3, 0.5, 0.4, -0.2], np.float32)

# Of `Doubling`: linear interpolation, and something to one side; the largest in the middle.
DOUBLING_TAPS = np.array([0.1, 0.0, -0.1, 0.5, 1.0, 0.5, 0.2, 0.05, 0.0], np.float32)
DOUBLING_REACH = len(DOUBLING_TAPS) // 2


def smooth(x: Audio) -> Audio:
    """A centred filter of five taps with zero padding, as a network with context on both sides."""
    padded = np.pad(x, ((0, 0), (REACH_SAMPLES, REACH_SAMPLES)))
    n = x.shape[1]
    out = sum(t * padded[:, k : k + n] for k, t in enumerate(TAPS))
    return np.asarray(out, np.float32)


class Gate:
    """Returns its input; tests can delay it and make it fail."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.calls = 0

    def __call__(self, x: Audio) -> Audio:
        self.calls += 1
        self.open.wait(60)
        if self.failure is not None:
            raise self.failure
        return x.copy()


class NoThread:
    """Takes the place of a thread: runs at once, where it is started."""

    def __init__(self, run: Callable[..., None], **_: Any) -> None:
        self.start = run


def loaded_around(path: NetworkPath, *, block_samples: int, **about: Any) -> LoadedChain:
    """A loaded chain as `load_chain` makes one, around a network path.

    ``channels`` and ``parameters`` are the chain's; all else is the loaded chain's.
    """
    chain = Chain(path, parameters=about.pop("parameters", None))
    block = block_samples // 2
    channels = about.pop("channels", 1)
    chain.prepare(ProcessSpec(max_block_samples=block, channels=channels, block_multiple=block))
    values = {"model": "test", "compute": "cpu", "threads": 1, "bind_thread": lambda: None} | about
    return LoadedChain(chain=chain, block_samples=block_samples, **values)


def windows(
    function: Callable[[Audio], Audio] = smooth,
    *,
    hop: int = 256,
    left: int = 128,
    right: int = 128,
    crossfade: int = 64,
    grid: int = 128,
    origin: int = 46,
) -> WindowedNetwork:
    """Windows of a plain function, like those of a network after kaiser_fast."""
    return WindowedNetwork(
        function, hop_samples=hop, left_samples=left, right_samples=right,
        crossfade_samples=crossfade, grid_multiple=grid, origin_samples=origin,
    )  # fmt: skip


def loaded_chain(
    function: Callable[[Audio], Audio] = smooth, *, block_samples: int = 256, **about: Any
) -> LoadedChain:
    """A loaded chain around windows of a plain function; no torch runs."""
    path = NetworkPath(windows(function, hop=block_samples), "kaiser_fast", 64)
    return loaded_around(path, block_samples=block_samples, **about)


class Smooth(nn.Module):
    """:func:`smooth` in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("taps", torch.from_numpy(TAPS.copy()).view(1, 1, -1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, 1, T] to [B, 1, T]."""
        return functional.conv1d(x, self.taps, padding=2)


# Bodies of ``forward(self, x)`` for `write_model`, [B, 1, T].
NOT_A_NUMBER = "return x / torch.zeros_like(x) * 0.0"
NOT_A_NUMBER_WHEN_LOUD = "return torch.where(x.abs() > 0.5, torch.full_like(x, float('nan')), x)"
RAISING = "assert x.size(2) == 0, 'this network does not like music'\n    return x"


class Doubling(nn.Module):
    """A streaming network that takes the 22.05 kHz input itself: zeros between, then a filter.

    Args:
        latency_samples: of ``stream``, in output samples; even.

    The taps are not symmetric, so that a mirrored or shifted output is detected.
    """

    def __init__(self, latency_samples: int = 448) -> None:
        super().__init__()
        self.register_buffer("taps", torch.from_numpy(DOUBLING_TAPS.copy()).view(1, 1, -1))
        self.past = (latency_samples + DOUBLING_REACH) // 2

    def forward(self, x: Tensor) -> Tensor:
        """[B, 1, n] to [B, 1, 2 n], in time."""
        reach = self.taps.size(2) // 2
        y = self.filtered(functional.pad(x, (reach, reach)))
        return y[:, :, reach : reach + 2 * x.size(2)]

    def filtered(self, x: Tensor) -> Tensor:
        """[B, 1, n] to [B, 1, 2 n - 2 reach]."""
        stuffed = torch.stack([x, torch.zeros_like(x)], dim=3).flatten(2)
        return functional.conv1d(stuffed, self.taps)

    @torch.jit.export
    def initial_state(self, batch: int) -> list[Tensor]:
        """The input's past: [B, 1, (latency + reach) / 2]."""
        return [torch.zeros(batch, 1, self.past)]

    @torch.jit.export
    def stream(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """[B, 1, n] to [B, 1, 2 n]; refuses lengths that are no multiple of its grid."""
        n = x.size(2)
        if n % 128 != 0:
            raise ValueError("not on the grid")
        joined = torch.cat([state[0], x], dim=2)
        state[0].fill_(0.5)  # It is the network's to overwrite.
        return self.filtered(joined)[:, :, : 2 * n], [joined[:, :, n:]]


def doubled(x: Audio) -> Audio:
    """``Doubling.forward`` in numpy."""
    stuffed = np.zeros((len(x), 2 * x.shape[1]), np.float32)
    stuffed[:, ::2] = x
    # A convolution in torch is a correlation.
    rows = [np.convolve(row, DOUBLING_TAPS[::-1], "same") for row in stuffed]
    return np.stack(rows).astype(np.float32)


def metadata(**changes: Any) -> dict[str, Any]:
    """Of a windowed network; ``smooth``'s contexts, rounded up to its grid."""
    return {
        "format": 1, "name": "test", "title": "Test", "kind": "windowed", "parameters": 5,
        "sample_rate_in": 22_050, "sample_rate_out": 44_100, "front_end": "kaiser_fast",
        "block_multiple": 128, "latency_samples": 128, "context_samples": [128, 128],
        "crossfade_samples": 64, "licence": "CC0", "trained_on": "nothing", "metrics": {},
        "created_by": "tests",
    } | changes  # fmt: skip


def unet_metadata(**changes: Any) -> dict[str, Any]:
    """Of the streaming U-Net."""
    about = {"name": "unet", "kind": "streaming", "latency_samples": 637}
    lengths = {"context_samples": [768, 640], "crossfade_samples": 128}
    return metadata(**about | lengths | changes)


def doubling_metadata(**changes: Any) -> dict[str, Any]:
    """Of :class:`Doubling`: lengths are output samples."""
    about = {"name": "doubling", "kind": "streaming", "front_end": "none"}
    reach = [DOUBLING_REACH, DOUBLING_REACH]
    lengths = {"block_multiple": 256, "latency_samples": 448, "context_samples": reach}
    return metadata(**about | lengths | changes)


def write_model(path: Path, module: nn.Module | str, about: dict[str, Any] | None) -> Path:
    """A TorchScript file, with metadata or without; of a module, or of the body of a forward."""
    if isinstance(module, str):
        # Of a class of its own: instances of a class share their methods.
        body, module = module, type("Body", (torch.jit.ScriptModule,), {})()
        module.define(f"def forward(self, x):\n    {body}\n")
    extra = {} if about is None else {METADATA_NAME: json.dumps(about)}
    torch.jit.save(torch.jit.script(module.eval()), str(path), _extra_files=extra)
    return path
