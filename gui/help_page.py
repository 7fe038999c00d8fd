"""The help page: a short text and the table of keys."""

from importlib import resources

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from gui.keyboard import KEYS


def help_text() -> str:
    """The page as Markdown, keys included."""
    text = resources.files("gui").joinpath("help.md").read_text(encoding="utf-8")
    rows = "".join(f"| **{key.label}** | {key.help} |\n" for key in KEYS)
    return f"{text}\n| key | does |\n|---|---|\n{rows}"


class HelpPage(QDialog):
    """Shows the text beside the running window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Topoctave help")
        self.resize(720, 640)
        self.browser = QTextBrowser()
        self.browser.setOpenExternalLinks(False)
        self.browser.document().setDocumentMargin(16)
        self.browser.setMarkdown(help_text())
        self.browser.setAccessibleName("Help")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(self.browser)
        column.addWidget(buttons)
