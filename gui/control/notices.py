"""Messages of the banner, and which of them the user has silenced."""

from PySide6.QtCore import QObject

from gui.panels.banner import Banner, Notice


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

    def error(self, text: str, advice: str = "", action: str = "") -> None:
        """Show an error and what to do about it."""
        self.show(Notice("error", f"{sentence(text)} {advice}".strip(), action=action))

    def info(self, text: str) -> None:
        """Show what happened."""
        self.show(Notice("info", text))

    def _silence(self, key: str) -> None:
        self.silenced = tuple(dict.fromkeys((*self.silenced, key)))


def sentence(text: str) -> str:
    """Add a full stop and a capital letter; a first word such as a file name stays as it is."""
    text = text.strip()
    first = text.split(maxsplit=1)[0] if text else ""
    if first.isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
