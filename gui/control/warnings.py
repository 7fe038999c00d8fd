"""Looks out for what spoils a session without being a fault: silence, howling, overload."""

import math
from dataclasses import dataclass

from realtime.engine.snapshot import Snapshot, State

SILENCE_S = 2.0
"""Digital silence for so long means a muted or forbidden microphone; a real one has noise."""

OVERLOAD_S = 3.0
"""As long as the gauge's own memory."""


@dataclass(frozen=True)
class Advice:
    """Something the listener should know.

    Attributes:
        key: Under which "don't show again" is remembered.
        text: What to know and what to do, in a line.
    """

    key: str
    text: str


SILENT = Advice(
    "silence",
    "The input is digital silence. Is the microphone muted, or may this program not use it? "
    "(macOS: System Settings, Privacy, Microphone. Windows: Settings, Privacy, Microphone.)",
)
FEEDBACK = Advice(
    "feedback",
    "A microphone next to a loudspeaker can howl. Use headphones, or turn the output down.",
)
TOO_SLOW = Advice(
    "too-slow",
    "This machine does not keep up, sound is being dropped. Choose a larger block or a smaller "
    "model, or close other programs.",
)
NO_DEVICES = Advice(
    "no-devices", "No sound device was found: the clip is computed and drawn, but not heard."
)

_HARMLESS = ("headphone", "headset", "airpods", "earbuds", "cable", "blackhole", "null",
             "monitor", "virtual", "vb-audio", "loopback", "soundflower")  # fmt: skip


def feedback_risk(input_is_device: bool, output_is_device: bool, names: str) -> bool:
    """A microphone plays into a loudspeaker, for all that the devices' names tell."""
    return (
        input_is_device
        and output_is_device
        and not any(word in names.lower() for word in _HARMLESS)
    )


class OverloadWatch:
    """Notices a machine that is too slow, not one that was late once."""

    def __init__(self) -> None:
        self._slow_s = 0.0

    def look(self, snapshot: Snapshot, elapsed_s: float) -> bool:
        """True from :data:`OVERLOAD_S` below a real-time ratio of 1 on."""
        ratio = snapshot.recent.ratio_median
        slow = snapshot.state is State.RUNNING and 0 < ratio < 1
        self._slow_s = self._slow_s + elapsed_s if slow else 0.0
        return self._slow_s >= OVERLOAD_S


class SilenceWatch:
    """Notices an input that is exactly zero."""

    def __init__(self) -> None:
        self._silent_s = 0.0

    def look(self, snapshot: Snapshot, elapsed_s: float) -> bool:
        """True from :data:`SILENCE_S` of digital silence on."""
        silent = snapshot.state is State.RUNNING and snapshot.input_level.peak_db == -math.inf
        self._silent_s = self._silent_s + elapsed_s if silent else 0.0
        return self._silent_s >= SILENCE_S
