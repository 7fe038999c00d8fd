"""Problems that are not faults: a silent input, feedback, overload."""

from gui.panels.banner import Notice

SILENCE_S = 2.0
"""Digital silence of this length means a muted or blocked microphone; real ones have noise."""

OVERLOAD_S = 3.0
"""Equal to the averaging time of the real-time ratio."""

SILENT = Notice(
    "warning",
    "The input is digital silence. Is the microphone muted, or may this program not use it? "
    "(macOS: System Settings, Privacy, Microphone. Windows: Settings, Privacy, Microphone.)",
    "silence",
)
FEEDBACK = Notice(
    "warning",
    "A microphone next to a loudspeaker can howl. Use headphones, or turn the output down.",
    "feedback",
)
TOO_SLOW = Notice(
    "warning",
    "This machine does not keep up, sound is being dropped. Choose a larger block or a smaller "
    "model, or close other programs.",
    "too-slow",
)
NO_DEVICES = Notice(
    "warning",
    "No sound device was found: the clip is computed and drawn, but not heard.",
    "no-devices",
)

_HARMLESS = ("headphone", "headset", "airpods", "earbuds", "cable", "blackhole", "null",
             "monitor", "virtual", "vb-audio", "loopback", "soundflower")  # fmt: skip


def feedback_risk(input_is_device: bool, output_is_device: bool, names: str) -> bool:
    """Whether a microphone probably hears the loudspeaker, judged by the device names."""
    harmless = any(word in names.lower() for word in _HARMLESS)
    return input_is_device and output_is_device and not harmless


class Lasting:
    """Tells whether a condition has held for a time without a break.

    Args:
        limit_s: The time in seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._held_s = 0.0

    def update(self, holds: bool, elapsed_s: float) -> bool:
        """Whether the condition has lasted, `elapsed_s` after the last update."""
        self._held_s = self._held_s + elapsed_s if holds else 0.0
        return self._held_s >= self._limit_s
