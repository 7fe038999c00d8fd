"""Colours, fonts and style sheet of the dark and the light theme."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
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
    """Named colours. Spectrograms are dark in both themes."""

    dark: bool
    window: str
    panel: str
    raised: str
    hover: str
    border: str
    text: str
    muted: str
    faint: str
    accent: str
    """Restored octave, B, marks, active controls."""
    on_accent: str
    source: str
    """Original, A."""
    on_source: str
    good: str
    warn: str
    bad: str
    track: str
    """Background of sliders, meters and gauges."""

    @lru_cache(maxsize=256)  # noqa: B019 (the two themes live as long as the program)
    def colour(self, name: str, alpha: int = 255) -> QColor:
        """Colour by attribute name."""
        colour = QColor(getattr(self, name))
        colour.setAlpha(alpha)
        return colour


DARK = Theme(
    dark=True,
    window="#121419",
    panel="#1a1d23",
    raised="#242830",
    hover="#2e333d",
    border="#2b3039",
    text="#e8eaef",
    muted="#9aa2b1",
    faint="#6a7280",
    accent="#f0a44b",
    on_accent="#1c1206",
    source="#6db3f2",
    on_source="#06131f",
    good="#56c596",
    warn="#f2c14e",
    bad="#f2716b",
    track="#0e1014",
)
LIGHT = Theme(
    dark=False,
    window="#eceef1",
    panel="#fbfbfc",
    raised="#ffffff",
    hover="#e9ecf0",
    border="#d3d8df",
    text="#1a1e25",
    muted="#56606f",
    faint="#808997",
    accent="#a85a00",
    on_accent="#ffffff",
    source="#1668ad",
    on_source="#ffffff",
    good="#1a7f4e",
    warn="#8f6400",
    bad="#c0322b",
    track="#dde1e7",
)
PICTURE = DARK
"""Theme of everything drawn on spectrograms."""

_FAMILIES = ("Inter", "SF Pro Text", "Segoe UI", "Cantarell", "Noto Sans", "DejaVu Sans")


def resolve(choice: ThemeChoice) -> Theme:
    """The theme for a setting."""
    if choice is ThemeChoice.SYSTEM:
        scheme = QGuiApplication.styleHints().colorScheme()
        return LIGHT if scheme is Qt.ColorScheme.Light else DARK
    return DARK if choice is ThemeChoice.DARK else LIGHT


def apply(app: QApplication, theme: Theme) -> None:
    """Apply a theme to the application."""
    app.setStyle("Fusion")
    app.setFont(base_font())
    app.setPalette(_palette(theme))
    app.setStyleSheet(style_sheet(theme))


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


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.raised,
        QPalette.ColorRole.AlternateBase: theme.panel,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.faint,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Link: theme.source,
        QPalette.ColorRole.Mid: theme.border,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.faint))
    return palette


def style_sheet(theme: Theme) -> str:
    """The style sheet with the theme's colours."""
    sheet = resources.files("gui.widgets").joinpath("style.qss").read_text(encoding="utf-8")
    colours = {name: value for name, value in vars(theme).items() if isinstance(value, str)}
    return Template(sheet).substitute(colours)
