"""The window's menu, made of the actions."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from gui.control.actions import Actions
from gui.spectrogram.color_maps import ColourMap
from gui.widgets.theme import ThemeChoice

_SECTIONS: tuple[tuple[str, ...], ...] = (
    ("open", "save", "restore", "folder"),
    ("blind",),
    ("live", "copy_values", "copy_picture", "save_picture"),
)
_LAST_SECTIONS: tuple[tuple[str, ...], ...] = (("unsilence", "help", "about"), ("quit",))
_THEMES = {ThemeChoice.SYSTEM: "Like the system"}
_MAPS = {ColourMap.GREY: "Grey"}

Choice = TypeVar("Choice", bound=StrEnum)


def build_menu(
    parent: QWidget,
    actions: Actions,
    *,
    colour_map: ColourMap,
    choose_map: Callable[[ColourMap], None],
    theme: ThemeChoice,
    choose_theme: Callable[[ThemeChoice], None],
) -> QMenu:
    """The menu, with submenus for the colour map and the theme."""
    menu = QMenu(parent)
    for section in _SECTIONS:
        menu.addActions([actions[name] for name in section])
        menu.addSeparator()
    _add_choices(menu, "Colours of the spectrograms", ColourMap, _MAPS, colour_map, choose_map)
    _add_choices(menu, "Theme", ThemeChoice, _THEMES, theme, choose_theme)
    for section in _LAST_SECTIONS:
        menu.addSeparator()
        menu.addActions([actions[name] for name in section])
    return menu


def _add_choices(
    menu: QMenu,
    title: str,
    kind: type[Choice],
    names: dict[Choice, str],
    current: Choice,
    choose: Callable[[Choice], None],
) -> None:
    choices = menu.addMenu(title)
    group = QActionGroup(choices)
    for choice in kind:
        text = names.get(choice, choice.value.capitalize())
        action = QAction(text, choices, checkable=True, checked=choice is current)
        action.triggered.connect(lambda _=False, chosen=choice: choose(chosen))
        group.addAction(action)
        choices.addAction(action)
