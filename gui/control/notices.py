"""Messages of the banner: problems that are not faults, and what the user has silenced."""

from PySide6.QtCore import QObject

from gui.panels.banner import Banner, Notice

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
RETRY, GO_BACK, RESCAN = "Retry", "Go back", "Rescan"
HOT_PLUGGED = Notice(
    "info",
    "Sound devices were added or removed. Rescanning stops the sound for a moment.",
    "hot-plug",
    RESCAN,
)
_HARMLESS = ("headphone", "headset", "airpods", "earbuds", "cable", "blackhole", "null",
             "monitor", "virtual", "vb-audio", "loopback", "soundflower")  # fmt: skip


class Notices(QObject):
    """Shows messages in the banner, except those that the user has silenced."""

    def __init__(self, banner: Banner, silenced: tuple[str, ...]) -> None:
        super().__init__(banner)
        self.silenced = silenced
        self.withdraw = banner.withdraw
        self._banner = banner
        banner.silenced.connect(self._silence)

    def show(self, notice: Notice) -> None:
        """Show a notice, unless it was silenced."""
        if notice.key not in self.silenced:
            self._banner.show_notice(notice)

    def show_if(self, applies: bool, notice: Notice) -> None:
        """Show a notice, or withdraw one that no longer applies."""
        if applies:
            self.show(notice)
        else:
            self.withdraw(key=notice.key)

    def error(self, text: str, advice: str = "", action: str = "") -> None:
        """Show an error and what to do about it."""
        self.show(Notice("error", f"{sentence(text)} {advice}".strip(), action=action))

    def info(self, text: str) -> None:
        """Show what happened."""
        self.show(Notice("info", sentence(text)))

    def _silence(self, key: str) -> None:
        self.silenced = (*self.silenced, key)


def sentence(text: str) -> str:
    """Add a full stop and a capital letter; a first word such as a file name stays as it is."""
    text = text.strip()
    if text.partition(" ")[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def feedback_risk(input_is_device: bool, output_is_device: bool, names: str) -> bool:
    """Whether a microphone probably hears the loudspeaker, judged by the device names."""
    harmless = any(word in names.lower() for word in _HARMLESS)
    return input_is_device and output_is_device and not harmless
