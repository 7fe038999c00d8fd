"""Colours, fonts and style sheet of the dark and the light theme."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication


class ThemeChoice(StrEnum):
    """Theme setting."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"

    @property
    def label(self) -> str:
        """Text for the user."""
        return "Like the system" if self is ThemeChoice.SYSTEM else self.value.capitalize()


@dataclass(frozen=True)
class Theme:
    """Named colours; the defaults are the dark theme's. Spectrograms are dark in both themes."""

    window: str = "#121419"
    panel: str = "#1a1d23"
    raised: str = "#242830"
    hover: str = "#2e333d"
    border: str = "#2b3039"
    text: str = "#e8eaef"
    muted: str = "#9aa2b1"
    faint: str = "#6a7280"
    accent: str = "#f0a44b"
    """Restored octave, B, marks, active controls."""
    on_accent: str = "#1c1206"
    source: str = "#6db3f2"
    """Original, A."""
    on_source: str = "#06131f"
    good: str = "#56c596"
    warn: str = "#f2c14e"
    bad: str = "#f2716b"
    track: str = "#0e1014"
    """Background of sliders, meters and gauges."""

    @lru_cache(maxsize=256)  # noqa: B019 (the two themes live as long as the program)
    def colour(self, name: str, alpha: int = 255) -> QColor:
        """Colour by attribute name."""
        colour = QColor(getattr(self, name))
        colour.setAlpha(alpha)
        return colour


DARK = Theme()
LIGHT = Theme(
    window="#eceef1", panel="#fbfbfc", raised="#ffffff", hover="#e9ecf0", border="#d3d8df",
    text="#1a1e25", muted="#56606f", faint="#808997", accent="#a85a00", on_accent="#ffffff",
    source="#1668ad", on_source="#ffffff", good="#1a7f4e", warn="#8f6400", bad="#c0322b",
    track="#dde1e7",
)  # fmt: skip
PICTURE = DARK
"""Theme of everything drawn on spectrograms."""

_FAMILIES = ("Inter", "SF Pro Text", "Segoe UI", "Cantarell", "Noto Sans", "DejaVu Sans")
_PALETTE = {
    "Window": "window", "WindowText": "text", "Base": "raised", "AlternateBase": "panel",
    "Text": "text", "PlaceholderText": "faint", "Button": "raised", "ButtonText": "text",
    "ToolTipBase": "raised", "ToolTipText": "text", "Highlight": "accent",
    "HighlightedText": "on_accent", "Link": "source", "Mid": "border",
}  # fmt: skip
"""Colours by the names of Qt's roles."""


def resolve(choice: ThemeChoice) -> Theme:
    """The theme for a setting."""
    if choice is ThemeChoice.SYSTEM:
        scheme = QGuiApplication.styleHints().colorScheme()
        return LIGHT if scheme is Qt.ColorScheme.Light else DARK
    return DARK if choice is ThemeChoice.DARK else LIGHT


def apply(app: QApplication, theme: Theme) -> None:
    """Apply a theme to the application."""
    palette = QPalette()
    for role, name in _PALETTE.items():
        palette.setColor(QPalette.ColorRole[role], theme.colour(name))
    for role in ("Text", "ButtonText"):
        disabled = QPalette.ColorGroup.Disabled
        palette.setColor(disabled, QPalette.ColorRole[role], theme.colour("faint"))
    app.setStyle("Fusion")
    app.setFont(base_font())
    app.setPalette(palette)
    folder = Path(str(resources.files("gui.widgets")))
    sheet = (folder / "style.qss").read_text(encoding="utf-8")
    icons = (folder / "icons").as_posix()
    app.setStyleSheet(Template(sheet).substitute(asdict(theme), icons=icons))


@lru_cache(maxsize=32)
def base_font(pixels: int = 13, *, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The application's font with digits of equal width, so that changing numbers do not move."""
    font = QFont()
    installed = set(QFontDatabase.families())
    font.setFamilies([f for f in _FAMILIES if f in installed] or [font.defaultFamily()])
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
