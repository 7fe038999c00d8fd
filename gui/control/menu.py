"""The window's menu."""

from collections.abc import Callable

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from gui.spectrogram.color_maps import ColourMap
from gui.widgets.theme import ThemeChoice

_MAPS = {
    ColourMap.INFERNO: "Inferno",
    ColourMap.MAGMA: "Magma",
    ColourMap.VIRIDIS: "Viridis",
    ColourMap.CIVIDIS: "Cividis",
    ColourMap.GREY: "Grey",
}
_THEMES = {
    ThemeChoice.SYSTEM: "Like the system",
    ThemeChoice.DARK: "Dark",
    ThemeChoice.LIGHT: "Light",
}


def build_menu(
    parent: QWidget,
    *,
    act: Callable[[str], None],
    colour_map: ColourMap,
    choose_map: Callable[[ColourMap], None],
    theme: ThemeChoice,
    choose_theme: Callable[[ThemeChoice], None],
) -> QMenu:
    """A menu whose plain lines call `act` with a name of the window's actions."""
    menu = QMenu(parent)

    def line(text: str, name: str, keys: str = "") -> None:
        action = QAction(f"{text}\t{keys}" if keys else text, menu)
        action.triggered.connect(lambda: act(name))
        menu.addAction(action)

    line("Open a file…", "open", "Ctrl+O")
    line("Recordings folder…", "folder")
    menu.addSeparator()
    line("Blind test (ABX)…", "blind", "X")
    menu.addSeparator()
    maps = menu.addMenu("Colours of the pictures")
    group = QActionGroup(maps)
    for kind, text in _MAPS.items():
        action = QAction(text, maps, checkable=True, checked=kind is colour_map)
        action.triggered.connect(lambda _=False, chosen=kind: choose_map(chosen))
        group.addAction(action)
        maps.addAction(action)
    themes = menu.addMenu("Theme")
    group = QActionGroup(themes)
    for choice, text in _THEMES.items():
        action = QAction(text, themes, checkable=True, checked=choice is theme)
        action.triggered.connect(lambda _=False, chosen=choice: choose_theme(chosen))
        group.addAction(action)
        themes.addAction(action)
    menu.addSeparator()
    line("Show hidden warnings again", "unsilence")
    line("Help", "help", "F1")
    line("About Topoctave", "about")
    menu.addSeparator()
    line("Quit", "quit", "Ctrl+Q")
    return menu
