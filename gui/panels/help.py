"""The help page: text and the table of keys."""

from importlib import resources

from PySide6.QtGui import QFont, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument
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


def _set_type(document: QTextDocument) -> None:
    """Set line height, margins and heading sizes, which Markdown cannot."""
    block = document.begin()
    while block.isValid():
        level = block.blockFormat().headingLevel()
        form = QTextBlockFormat()
        form.setLineHeight(128, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        form.setTopMargin(16 if level == 2 else 0)
        form.setBottomMargin(3 if block.textList() is not None else 7)
        cursor = QTextCursor(block)
        cursor.mergeBlockFormat(form)
        if level:
            look = QTextCharFormat()
            look.setProperty(QTextCharFormat.Property.FontPixelSize, 21 if level == 1 else 15)
            look.setFontWeight(QFont.Weight.DemiBold)
            cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
            cursor.mergeCharFormat(look)
        block = block.next()


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
        document = self.browser.document()
        document.setDocumentMargin(16)
        document.setMarkdown(text or help_text())
        _set_type(document)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(self.browser)
        column.addWidget(buttons)
