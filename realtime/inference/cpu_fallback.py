"""A network on a device that may be lost: the audio goes on, on the processor."""

from collections.abc import Callable

import numpy as np

from realtime.dsp.delay import Delay
from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.upsampler import KaiserUpsampler
from realtime.inference.streaming import StreamingCallable
from realtime.inference.windowed import WindowFunction

# From dry to wet, 15 ms: as for a toggle.
FADE_SAMPLES = 662


class DeviceLossMonitor:
    """Knows whether a device still computes, and what to tell the user when it does not.

    Args:
        device: its name.
        backup: what goes on in its place, in words: ``on the CPU``.
    """

    def __init__(self, device: str, backup: str) -> None:
        self._device = device
        self._backup = backup
        # Stored by the worker, read by others: one reference.
        self.notice = ""

    @property
    def lost(self) -> bool:
        """Whether the device has failed; it is not asked again."""
        return bool(self.notice)

    def lose(self, error: BaseException) -> None:
        """Note the device's failure."""
        lines = str(error).strip().splitlines()
        reason = lines[0][:120] if lines else type(error).__name__
        self.notice = f"{self._device} was lost ({reason}): continuing {self._backup}"


class FallbackWindows:
    """Windows on a device, or on the processor from its loss on; windows have no past.

    Args:
        device: runs a window; raises RuntimeError when it is lost.
        backup: runs the same network on the processor.
        loss_monitor: told of the loss.

    Shape:
        - Input: ``[C, W]``
        - Output: ``[C, W]``
    """

    def __init__(
        self, device: WindowFunction, backup: WindowFunction, loss_monitor: DeviceLossMonitor
    ) -> None:
        self._device = device
        self._backup = backup
        self._lifeline = loss_monitor

    def __call__(self, x: Audio) -> Audio:
        """Run a window."""
        if not self._lifeline.lost:
            try:
                return self._device(x)
            except RuntimeError as error:
                self._lifeline.lose(error)
        return self._backup(x)


class FallbackStream:
    """A streaming network on a device, or on the processor from its loss on.

    The device's state is lost with it, so the backup begins after silence. Until it has heard
    enough the input itself is heard in its place, delayed alike: a network on top of kaiser_fast
    is left out, nothing else, and one that takes the 22.05 kHz input is replaced by kaiser_fast.
    Then it fades in.

    Args:
        device: the network; raises RuntimeError when the device is lost.
        backup: the same network on the processor, warm; None where that is too slow, and the
            input is heard from then on.
        loss_monitor: told of the loss.
        context_samples: that the network looks back, in output samples.
        call_samples: the longest call's input.

    Raises:
        ValueError: if the backup is not the device's equal in ratio, grid and latency.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, ratio * n]``
    """

    def __init__(
        self,
        device: StreamingCallable,
        backup: StreamingCallable | None,
        loss_monitor: DeviceLossMonitor,
        *,
        context_samples: int,
        call_samples: int,
    ) -> None:
        for name in ("ratio", "block_multiple", "latency_samples"):
            if backup is not None and getattr(backup, name) != getattr(device, name):
                raise ValueError(f"the backup's {name} is another one")
        self._device = device
        self._backup = backup
        self._lifeline = loss_monitor
        self.ratio = device.ratio
        self.block_multiple = device.block_multiple
        self._call_samples = call_samples
        self._upsampler = KaiserUpsampler() if device.ratio > 1 else None
        dry = self._upsampler.latency_samples if self._upsampler else 0
        # A network that is earlier than kaiser_fast has to wait for it.
        self.latency_samples = max(device.latency_samples, dry)
        self._dry_delay = Delay(self.latency_samples - dry)
        self._wet_delay = Delay(self.latency_samples - device.latency_samples)
        self._fade_begins = context_samples + self.latency_samples
        self.start(1)

    def start(self, channels: int) -> None:
        """Forget the past: there was silence."""
        self._guarded(lambda: self._device.start(channels))
        # Now, so that at the loss it only has to go on.
        if self._backup is not None:
            self._backup.start(channels)
        longest = self._call_samples
        if self._upsampler is not None:
            self._upsampler.prepare(ProcessSpec(max_block_samples=longest, channels=channels))
        for delay in (self._dry_delay, self._wet_delay):
            delay.prepare(ProcessSpec(max_block_samples=self.ratio * longest, channels=channels))
        # Of the backup; after silence it knows all there is to know.
        self._heard_samples = self._fade_begins + FADE_SAMPLES if self._lifeline.lost else 0

    def _guarded(self, call: Callable[[], object]) -> None:
        if not self._lifeline.lost:
            try:
                call()
            except RuntimeError as error:
                self._lifeline.lose(error)

    def __call__(self, x: Audio) -> Audio:
        """Go on with the next samples."""
        dry = self._dry_delay.process(self._upsampler.process(x) if self._upsampler else x)
        if not self._lifeline.lost:
            try:
                return self._delayed(self._device(x))
            except RuntimeError as error:
                self._lifeline.lose(error)
        if self._backup is None:
            return dry
        return self._fade(dry, self._delayed(self._backup(x)))

    def _delayed(self, wet: Audio) -> Audio:
        """What a network returned, as late as the dry path."""
        return self._wet_delay.process(wet) if self._wet_delay.latency_samples else wet

    def _fade(self, dry: Audio, wet: Audio) -> Audio:
        n = wet.shape[1]
        begin = self._heard_samples - self._fade_begins
        self._heard_samples += n
        if begin >= FADE_SAMPLES:
            return wet
        gain = np.clip((begin + 0.5 + np.arange(n)) / FADE_SAMPLES, 0.0, 1.0).astype(np.float32)
        out: Audio = dry + gain * (wet - dry)
        return out
