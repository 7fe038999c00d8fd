"""Messages of the banner, and which of them the user has silenced."""

from PySide6.QtCore import QObject, Signal

from gui.control.warnings import Advice
from gui.panels.banner import Banner, Notice

RETRY, GO_BACK, RESCAN = "Retry", "Go back", "Rescan"


class Notices(QObject):
    """Shows messages in the banner, except those the user has silenced."""

    acted = Signal(str)
    """The pressed action: RETRY, GO_BACK or RESCAN."""

    def __init__(self, banner: Banner, silenced: tuple[str, ...]) -> None:
        super().__init__(banner)
        self.silenced = silenced
        self._banner = banner
        banner.silenced.connect(self._silence)
        banner.acted.connect(self.acted)

    def error(self, text: str, *, advice: str = "", action: str = "") -> None:
        """Show an error and what to do about it."""
        self._banner.show_notice(
            Notice("error", f"{sentence(text)} {advice}".strip(), action=action)
        )

    def info(self, text: str, *, key: str = "", action: str = "") -> None:
        """Show information, unless it was silenced."""
        if key not in self.silenced:
            self._banner.show_notice(Notice("info", text, key, action))

    def warn(self, advice: Advice) -> None:
        """Show a warning, unless it was silenced."""
        if advice.key not in self.silenced:
            self._banner.show_notice(Notice("warning", advice.text, advice.key))

    def withdraw(self, *, kind: str = "", key: str = "") -> None:
        """Remove messages that no longer apply."""
        self._banner.withdraw(kind=kind, key=key)

    def _silence(self, key: str) -> None:
        if key not in self.silenced:
            self.silenced = (*self.silenced, key)


def sentence(text: str) -> str:
    """Add a full stop and a capital letter; a first word such as a file name stays as it is."""
    text = text.strip()
    first = text.split(maxsplit=1)[0] if text else ""
    if first.isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
