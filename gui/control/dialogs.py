"""File dialogs in one class, so that a test can replace them."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

SOUND_FILES = "Sound files (*.wav *.flac *.ogg *.mp3 *.aiff *.aif);;All files (*)"


class Dialogs:
    """The system's file dialogs. Each method returns an empty string when the user cancels."""

    def open_sound(self, parent: QWidget) -> str:
        """Ask for a sound file to play."""
        return QFileDialog.getOpenFileName(parent, "Open a sound file", "", SOUND_FILES)[0]

    def save_sound(self, parent: QWidget) -> str:
        """A sound file to write."""
        name, chosen = QFileDialog.getSaveFileName(
            parent, "Write the output to", "restored.wav", "WAV (*.wav);;FLAC (*.flac)"
        )
        if name and not name.lower().endswith((".wav", ".flac")):
            name += ".flac" if "flac" in chosen else ".wav"
        return name

    def save_table(self, parent: QWidget) -> str:
        """Ask for a CSV file to write."""
        name = QFileDialog.getSaveFileName(parent, "Export answers", "abx.csv", "CSV (*.csv)")[0]
        return name if not name or name.lower().endswith(".csv") else f"{name}.csv"

    def save_picture(self, parent: QWidget) -> str:
        """Ask for a PNG or SVG file to write."""
        name, chosen = QFileDialog.getSaveFileName(
            parent, "Save picture", "topoctave.png", "PNG (*.png);;SVG (*.svg)"
        )
        if name and not name.lower().endswith((".png", ".svg")):
            name += ".svg" if "svg" in chosen else ".png"
        return name

    def open_sounds(self, parent: QWidget) -> list[Path]:
        """Ask for sound files to restore."""
        names = QFileDialog.getOpenFileNames(parent, "Restore files", "", SOUND_FILES)[0]
        return [Path(name) for name in names]

    def folder(self, parent: QWidget, start: str, title: str) -> str:
        """Ask for a folder."""
        return QFileDialog.getExistingDirectory(parent, title, start)


def recordings_folder() -> str:
    """Default folder of recordings."""
    music = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MusicLocation)
    return str(Path(music or Path.home()) / "Topoctave")
