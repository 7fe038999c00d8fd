"""Keeps the audio going on the CPU when a GPU is lost."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from realtime.dsp.delay import Delay
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.errors import error_line
from realtime.inference.windowed import WindowFunction

if TYPE_CHECKING:
    from realtime.inference.network import ScriptNetwork
    from realtime.inference.stream_network import StreamNetwork

# From dry to wet in 15 ms, as for a toggle of the bypass.
FADE_SAMPLES = 662

T = TypeVar("T")


class DeviceLossMonitor:
    """Calls a device until a call fails, and never again.

    ``backup`` says what replaces it: ``on the CPU``.
    """

    def __init__(self, device: str, backup: str) -> None:
        self._device = device
        self._backup = backup
        # Written by the worker and read by other threads: one reference.
        self.notice = ""
        """One line for the user about the loss; empty before it."""

    @property
    def lost(self) -> bool:
        """Whether the device has failed."""
        return bool(self.notice)

    def run(self, call: Callable[..., T], *arguments: object) -> T | None:
        """The result of a call to the device; None if the device is lost."""
        if self.lost:
            return None
        try:
            return call(*arguments)
        except RuntimeError as error:
            reason = error_line(error)
            self.notice = f"{self._device} was lost ({reason}): continuing {self._backup}"
            return None


def fallback_windows(
    device: "ScriptNetwork", backup: "ScriptNetwork | None", loss_monitor: DeviceLossMonitor
) -> WindowFunction:
    """Windows on a device, or on the CPU once the device is lost. Windows have no past.

    Without a backup kaiser_fast replaces the network: the CPU is too slow.
    """
    replacement = backup or dry_windows(device.ratio)

    def run(x: Audio) -> Audio:
        y = loss_monitor.run(device, x)
        return replacement(x) if y is None else y

    return run


def dry_windows(ratio: int) -> WindowFunction:
    """Replaces a network by kaiser_fast, window by window, in time with the network's.

    At a ratio of 1 the window is already upsampled, and returned as it is.
    """
    upsampler = KaiserUpsampler()

    def run(x: Audio) -> Audio:
        padded = np.pad(x, ((0, 0), (0, upsampler.reach)))
        upsampler.prepare(ProcessSpec(max_block_samples=padded.shape[1], channels=len(x)))
        return upsampler.process(padded)[:, upsampler.latency_samples :]

    return run if ratio > 1 else lambda x: x


@dataclass
class FallbackStream:
    """A streaming network on a device, or on the CPU once the device is lost.

    The device's state is lost too, so the backup begins after silence. The dry signal replaces it
    until it has received its context, with the same delay; then the backup fades in. The dry signal
    is the input, or kaiser_fast for a network that takes the 22.05 kHz input.

    Args:
        device: the network; raises RuntimeError when the device is lost.
        backup: the same network on the CPU, warm; None keeps the dry signal: the CPU is too slow.
        context_samples: how far the network looks back, in output samples.
        call_samples: input samples of the longest call.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, ratio * n]``
    """

    device: "StreamNetwork"
    backup: "StreamNetwork | None"
    loss_monitor: DeviceLossMonitor
    _: KW_ONLY
    context_samples: int
    call_samples: int

    def __post_init__(self) -> None:
        device, self.ratio = self.device, self.device.ratio
        self.block_multiple = device.block_multiple
        latency = device.latency_samples
        self._dry: KaiserUpsampler | Delay = (
            KaiserUpsampler(latency_samples=latency) if device.ratio > 1 else Delay(latency)
        )
        # A network with less latency than kaiser_fast has to wait for it.
        self.latency_samples = self._dry.latency_samples
        self._wet_delay = Delay(self.latency_samples - device.latency_samples)
        self._fade_begins = self.context_samples + self.latency_samples
        self.start(1)

    def start(self, channels: int) -> None:
        """Forget the past."""
        self.loss_monitor.run(self.device.start, channels)
        # Now, so that at the loss it only has to continue.
        if self.backup is not None:
            self.backup.start(channels)
        spec = ProcessSpec(max_block_samples=self.ratio * self.call_samples, channels=channels)
        self._dry.prepare(spec)
        self._wet_delay.prepare(spec)
        # Output samples of the backup so far. At a start its context is silence, and known.
        lost = self.loss_monitor.lost
        self._backup_samples = self._fade_begins + FADE_SAMPLES if lost else 0

    def __call__(self, x: Audio) -> Audio:
        """Process the next samples."""
        dry = self._dry.process(x)
        y = self.loss_monitor.run(self.device, x)
        if y is not None:
            return self._wet_delay.process(y)
        if self.backup is None:
            return dry
        wet = self._wet_delay.process(self.backup(x))
        n = wet.shape[1]
        begin = self._backup_samples - self._fade_begins
        self._backup_samples += n
        if begin >= FADE_SAMPLES:
            return wet
        gain = np.clip((begin + 0.5 + np.arange(n)) / FADE_SAMPLES, 0.0, 1.0).astype(np.float32)
        out: Audio = dry + gain * (wet - dry)
        return out
