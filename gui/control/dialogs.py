"""File dialogs in one class, so that a test can replace them."""

import re
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

SOUND_FILES = "Sound files (*.wav *.flac *.ogg *.mp3 *.aiff *.aif);;All files (*)"


class Dialogs:
    """The system's file dialogs. The answer is empty if the user cancels."""

    def open(self, parent: QWidget, title: str) -> list[Path]:
        """Ask for sound files to read."""
        names = QFileDialog.getOpenFileNames(parent, title, "", SOUND_FILES)[0]
        return [Path(name) for name in names]

    def save(self, parent: QWidget, title: str, name: str, kinds: str) -> str:
        """Ask for a file to write.

        Args:
            parent: The window below the dialog.
            title: Title of the dialog.
            name: Proposed name.
            kinds: Kinds like ``PNG (*.png);;SVG (*.svg)``; a name without one of their suffixes
                gets the suffix of the chosen kind.
        """
        path, chosen = QFileDialog.getSaveFileName(parent, title, name, kinds)
        suffixes = re.findall(r"\*(\.\w+)", kinds)
        if path and Path(path).suffix.lower() not in suffixes:
            path += re.findall(r"\*(\.\w+)", chosen or kinds)[0]
        return path

    def folder(self, parent: QWidget, title: str, start: str = "") -> str:
        """Ask for a folder."""
        return QFileDialog.getExistingDirectory(parent, title, start)
