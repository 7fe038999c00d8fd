"""Colours, fonts and style sheet of the dark and the light theme."""

from dataclasses import dataclass
from enum import StrEnum
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication


class ThemeChoice(StrEnum):
    """Theme setting."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


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
    names = {k: v for k, v in vars(theme).items() if isinstance(v, str)}
    return _SHEET.substitute(names)


_SHEET = Template("""
QWidget { color: $text; }
QMainWindow, QDialog { background: $window; }
QFrame#bar, QFrame#section { background: $panel; border: 1px solid $border; border-radius: 8px; }
QFrame#bar { border-radius: 0; border-width: 0 0 1px 0; }
QFrame#statusLine { background: $panel; border: 0; border-top: 1px solid $border; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: 0; }
QLabel { background: transparent; }
QLabel[role="heading"] { color: $muted; font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="caption"] { color: $muted; font-size: 11px; }
QLabel[role="count"] { font-size: 16px; font-weight: 600; }
QLabel[role="big"] { font-size: 24px; font-weight: 600; }
QLabel[role="title"] { font-size: 19px; font-weight: 600; }
QPushButton, QToolButton {
  background: $raised; border: 1px solid $border; border-radius: 6px;
  padding: 4px 10px; min-height: 20px; }
QToolButton { padding: 4px 6px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $border; }
QPushButton:disabled, QToolButton:disabled { color: $faint; }
QPushButton:checked, QToolButton:checked {
  border-color: $accent; color: $accent; font-weight: 600; }
QPushButton:focus, QToolButton:focus, QComboBox:focus { border-color: $source; }
QPushButton#primary { background: $accent; color: $on_accent; border-color: $accent;
  font-weight: 600; padding: 4px 14px; }
QPushButton#primary:hover { border-color: $text; }
QPushButton#primary:focus { border-color: $text; }
QPushButton#primary:disabled { background: $raised; color: $faint; border-color: $border; }
QPushButton#primary[running="true"] { background: $raised; color: $text; border-color: $border; }
QPushButton#link, QToolButton#link { background: transparent; border: 1px solid transparent;
  color: $source; padding: 1px 2px; min-height: 16px; font-weight: 400; }
QToolButton#link:checked { border-color: transparent; color: $source; }
QPushButton#link:hover, QToolButton#link:hover { text-decoration: underline; }
QPushButton#link:focus, QToolButton#link:focus { border-color: $source; }
QToolButton#plain { background: transparent; border-color: transparent; }
QToolButton#plain:hover { background: $hover; }
QToolButton#plain:checked { background: $raised; border-color: $accent; }
QToolButton#plain:focus { border-color: $source; }
QToolButton::menu-indicator { image: none; }
QComboBox { combobox-popup: 0; background: $raised; border: 1px solid $border; border-radius: 6px;
  padding: 3px 8px; min-height: 22px; }
QComboBox:hover { background: $hover; }
QComboBox:disabled { color: $faint; }
QComboBox::drop-down { border: 0; width: 22px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border; outline: 0;
  padding: 4px; selection-background-color: $hover; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 6px; }
QComboBox QAbstractItemView::item:disabled { color: $muted; }
QMenu { background: $raised; border: 1px solid $border; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $border; margin: 5px 8px; }
QMenu::indicator { width: 12px; height: 12px; margin-left: 4px; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 5px; }
QSlider { min-height: 22px; }
QSlider::groove:horizontal { height: 4px; background: $track; border-radius: 2px;
  border: 1px solid $border; }
QSlider::sub-page:horizontal { background: $muted; border-radius: 2px; border: 1px solid $muted; }
QSlider#mix::sub-page:horizontal { background: $accent; border-color: $accent; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 7px;
  background: $text; border: 1px solid $panel; }
QSlider::handle:horizontal:hover { background: $accent; }
QSlider::handle:horizontal:focus { background: $source; }
QSlider::handle:horizontal:disabled { background: $faint; }
QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $faint; border-radius: 4px;
  background: $raised; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QCheckBox::indicator:focus { border-color: $source; }
QCheckBox:focus { color: $source; }
QFrame#banner { background: $raised; border: 1px solid $border; border-radius: 8px; }
QFrame#banner[kind="error"] { border-color: $bad; }
QFrame#banner[kind="warning"] { border-color: $warn; }
QTextBrowser, QTableWidget { background: $panel; border: 1px solid $border; border-radius: 6px;
  selection-background-color: $hover; selection-color: $text; gridline-color: $border; }
QHeaderView::section { background: $panel; color: $muted; border: 0; padding: 4px 8px;
  border-bottom: 1px solid $border; }
QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar::handle:vertical { background: $border; border-radius: 5px; min-height: 30px; }
QScrollBar::handle:vertical:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; }
QScrollBar:horizontal { height: 10px; background: transparent; }
QScrollBar::handle:horizontal { background: $border; border-radius: 5px; min-width: 30px; }
QProgressBar { background: $track; border: 0; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
""")
