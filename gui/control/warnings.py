"""Detects problems that are not faults: a silent input, feedback, overload."""

import math
from dataclasses import dataclass

from realtime.engine.snapshot import Snapshot, State

SILENCE_S = 2.0
"""Digital silence of this length means a muted or blocked microphone; real ones have noise."""

OVERLOAD_S = 3.0
"""Equal to the averaging time of the real-time ratio."""


@dataclass(frozen=True)
class Advice:
    """A warning.

    Attributes:
        key: Identifies the warning for "don't show again".
        text: The problem and what to do, in one line.
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
    """Whether a microphone probably hears the loudspeaker, judged by the device names."""
    return (
        input_is_device
        and output_is_device
        and not any(word in names.lower() for word in _HARMLESS)
    )


class OverloadDetector:
    """Detects lasting overload and ignores single late blocks."""

    def __init__(self) -> None:
        self._slow_s = 0.0

    def update(self, snapshot: Snapshot, elapsed_s: float) -> bool:
        """True after :data:`OVERLOAD_S` with a real-time ratio below 1."""
        ratio = snapshot.recent.ratio_median
        slow = snapshot.state is State.RUNNING and 0 < ratio < 1
        self._slow_s = self._slow_s + elapsed_s if slow else 0.0
        return self._slow_s >= OVERLOAD_S


class SilenceDetector:
    """Detects an input that is exactly zero."""

    def __init__(self) -> None:
        self._silent_s = 0.0

    def update(self, snapshot: Snapshot, elapsed_s: float) -> bool:
        """True after :data:`SILENCE_S` of digital silence."""
        silent = snapshot.state is State.RUNNING and snapshot.input_level.peak_db == -math.inf
        self._silent_s = self._silent_s + elapsed_s if silent else 0.0
        return self._silent_s >= SILENCE_S
