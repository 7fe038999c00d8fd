"""What is said in the banner, and what is not to be said again."""

from PySide6.QtCore import QObject, Signal

from gui.control.warnings import Advice
from gui.panels.banner import Banner, Notice

RETRY, GO_BACK, LOOK_NOW = "Retry", "Go back", "Look now"


class Notices(QObject):
    """Says things through the banner and remembers what the user silenced for good."""

    acted = Signal(str)
    """RETRY, GO_BACK or LOOK_NOW was pressed."""

    def __init__(self, banner: Banner, silenced: tuple[str, ...]) -> None:
        super().__init__(banner)
        self.silenced = silenced
        self._banner = banner
        banner.silenced.connect(self._silence)
        banner.acted.connect(self.acted)

    def error(self, text: str, *, advice: str = "", action: str = "") -> None:
        """Say what went wrong and what to do."""
        self._banner.say(Notice("error", f"{sentence(text)} {advice}".strip(), action=action))

    def info(self, text: str, *, key: str = "", action: str = "") -> None:
        """Say what is worth knowing, unless it was silenced."""
        if key not in self.silenced:
            self._banner.say(Notice("info", text, key, action))

    def advise(self, advice: Advice) -> None:
        """Warn, unless it was silenced."""
        if advice.key not in self.silenced:
            self._banner.say(Notice("warning", advice.text, advice.key))

    def withdraw(self, *, kind: str = "", key: str = "") -> None:
        """Take back what no longer holds."""
        self._banner.withdraw(kind=kind, key=key)

    def _silence(self, key: str) -> None:
        if key not in self.silenced:
            self.silenced = (*self.silenced, key)


def sentence(text: str) -> str:
    """With a full stop, and a capital unless it begins with a name such as a file's."""
    text = text.strip()
    first = text.split(maxsplit=1)[0] if text else ""
    if first.isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
