"""The help page: text and the table of keys."""

from importlib import resources

from PySide6.QtGui import QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from gui.control.actions import ACTIONS, key_text


def help_text() -> str:
    """The page as Markdown, keys included."""
    text = resources.files("gui").joinpath("help.md").read_text(encoding="utf-8")
    rows = "".join(
        f"| **{key_text(spec.keys)}** | {spec.help} |\n" for spec in ACTIONS if spec.keys
    )
    return f"{text}\n| key | does |\n|---|---|\n{rows}"


def first_steps_text() -> str:
    """The page of the first start as Markdown."""
    return resources.files("gui").joinpath("first_steps.md").read_text(encoding="utf-8")


class HelpPage(QDialog):
    """A window with the help text."""

    def __init__(
        self, parent: QWidget | None = None, *, title: str = "Topoctave help", text: str = ""
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 640)
        self.browser = QTextBrowser()
        self.browser.setAccessibleName("Help")
        self.browser.document().setDocumentMargin(16)
        self.browser.setMarkdown(text or help_text())
        # Markdown has neither line height nor margins.
        form = QTextBlockFormat()
        form.setLineHeight(125, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        form.setBottomMargin(6)
        cursor = QTextCursor(self.browser.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(form)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(self.browser)
        column.addWidget(buttons)
