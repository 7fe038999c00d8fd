"""The training of the width-16 U-Net for a given time: minutes of one GPU.

A step makes its batch on the device, computes the network in float16, and is one CUDA graph. The
last part of the time is in float32, as the exported network is: float16 adds noise 70 dB below the
signal, and the network's contribution may be as low.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from models.networks.unet import UNet
from models.training.ema import averaged_model
from scripts.unet.bands import BandLosses, BandObjective
from scripts.unet.device_corpus import DeviceCorpus, DeviceDegrader, without_lossy_errors
from scripts.unet.fast_unet import FastUNet

# The loss's factor in float16: grows slowly, and is halved when a gradient overflows.
FIRST_SCALE, MAX_SCALE, GROWTH = 2.0**12, 2.0**24, 2.0**1e-3
# Steps before a CUDA graph is captured; libraries choose their kernels in them.
WARM_UP_STEPS = 3
# Steps between two updates of the averaged weights.
CHUNK_STEPS = 8


@dataclass(frozen=True, kw_only=True)
class TimedConfig:
    """What is trained, and for how long."""

    width: int = 16
    segment_samples: int = 44_032
    batch_size: int = 32
    seconds: float = 480.0
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-5
    gradient_norm: float = 10.0
    warm_up_share: float = 0.02
    """Share of the time in which the learning rate rises."""
    float32_share: float = 0.25
    """Share of the time, at its end, in float32."""
    ema_decay: float = 0.999
    pool: int = 300
    variety: float = 1.5
    air_db: float = 4.0
    seed: int = 0


def learning_rate_factor(config: TimedConfig, progress: float) -> float:
    """Linear rise, then a cosine to 0; ``progress`` is the share of the time that has passed."""
    rise = min(1.0, progress / config.warm_up_share) if config.warm_up_share else 1.0
    return max(1e-3, rise) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)))


class TimedTrainer:
    """Network, averaged weights, optimiser, and the mean losses since the last report.

    Args:
        config: see :class:`TimedConfig`.
        corpus: of the segments; on the same device.
        device: of the training; a CUDA device runs graphs.
    """

    def __init__(self, config: TimedConfig, corpus: DeviceCorpus, device: torch.device) -> None:
        self.config, self.corpus, self.device = config, corpus, device
        torch.manual_seed(config.seed)
        self.network = UNet(width=config.width).to(device).train()
        self.network.start_as_identity()
        for module in self.network.modules():
            # The batch norm that follows removes such a bias.
            if isinstance(module, nn.Conv1d) and module is not self.network.final:
                assert module.bias is not None
                nn.init.zeros_(module.bias).requires_grad_(False)
        self.averaged = averaged_model(self.network, config.ema_decay**CHUNK_STEPS)
        self.objective = BandObjective().to(device)
        self.degrader = DeviceDegrader(
            config.segment_samples,
            pool=config.pool,
            variety=config.variety,
            air_db=config.air_db,
            device=device,
        )
        on_cuda = device.type == "cuda"
        self._parameters = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(
            self._parameters,
            # A graph reads the rate from a tensor.
            lr=torch.zeros((), device=device) if on_cuda else config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
            capturable=on_cuda,
        )
        self._scale, self._divisor, self._overflow = torch.ones(3, device=device)
        # The fused kernel divides gradients by the first, and skips a step if the second is 1.
        self.optimiser.grad_scale = self._divisor  # type: ignore[attr-defined]
        self.optimiser.found_inf = self._overflow  # type: ignore[attr-defined]
        self.names = (*BandLosses._fields, "gradient_norm", "overflow")
        self._sums = torch.zeros(len(self.names), device=device)
        self.step = self._summed = 0

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """The network's input, its target, and 1.0 for each lossy target."""
        audio, lossy = self.corpus.segments(self.config.batch_size, self.degrader.n)
        return *self.degrader(audio), lossy

    def chunk_of(self, dtype: torch.dtype, *, compiled: bool = False) -> Callable[[float], None]:
        """A function that takes :data:`CHUNK_STEPS` steps at a factor on the learning rate."""
        fast: nn.Module = FastUNet(self.network, dtype)
        if compiled:
            fast = torch.compile(fast, dynamic=False)  # type: ignore[assignment]
        exact = dtype == torch.float32
        self._scale.fill_(1.0 if exact else FIRST_SCALE)

        def step() -> None:
            self._descend(fast, 1.0 if exact else GROWTH)

        run = self._captured(step) if self.device.type == "cuda" else step

        def chunk(factor: float) -> None:
            self._set_learning_rate(factor)
            for _ in range(CHUNK_STEPS):
                run()
            self.step += CHUNK_STEPS
            self.averaged.update_parameters(self.network)
            self._wait()

        return chunk

    def _descend(self, fast: nn.Module, growth: float) -> None:
        x, y, lossy = self.batch()
        losses = self.objective(without_lossy_errors(fast(x), y, lossy), y)
        self.optimiser.zero_grad(set_to_none=True)
        (losses.total * self._scale).backward()
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients) / self._scale
        finite = torch.isfinite(norm)
        # One division clips and removes the scale.
        clip = (norm / self.config.gradient_norm).clamp_min(1.0)
        self._divisor.copy_(torch.where(finite, self._scale * clip, 1.0))
        self._overflow.copy_((~finite).float())
        self.optimiser.step()
        grown = (self._scale * growth).clamp_max(MAX_SCALE)
        self._scale.copy_(torch.where(finite, grown, 0.5 * self._scale))
        row = torch.stack([*(v.detach() for v in losses), norm.detach(), self._overflow])
        self._sums.add_(torch.nan_to_num(row, nan=0.0, posinf=0.0))

    def _captured(self, step: Callable[[], None]) -> Callable[[], None]:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's own
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph.replay

    def _set_learning_rate(self, factor: float) -> None:
        rate = factor * self.config.learning_rate
        group = self.optimiser.param_groups[0]
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def mean_losses(self) -> dict[str, float]:
        """Means since the last call."""
        means = (self._sums / max(self.step - self._summed, 1)).tolist()
        self._sums.zero_()
        self._summed = self.step
        return dict(zip(self.names, means, strict=True))

    def state(self, train: str) -> dict[str, object]:
        """A checkpoint for the export; ``train`` names the recordings."""
        network = {"kind": "unet", "width": self.config.width, "align_corners": False}
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "config": {"network": network, "data": {"train": train}, "timed": asdict(self.config)},
            "step": self.step,
            "best": 0.0,
            "validation": {},
        }
