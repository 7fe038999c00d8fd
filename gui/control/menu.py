"""The window's menu, made of the actions."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from gui.control.actions import Actions

_SECTIONS: tuple[tuple[str, ...], ...] = (
    ("open", "save", "restore", "folder"),
    ("blind",),
    ("long_term", "hold"),
    ("live", "copy_values", "copy_picture", "save_picture"),
)
_LAST_SECTIONS: tuple[tuple[str, ...], ...] = (
    ("unsilence", "first_steps", "help", "about"),
    ("quit",),
)

Value = TypeVar("Value")


def build_menu(parent: QWidget, actions: Actions, submenus: list[QMenu]) -> QMenu:
    """The menu of the window.

    Args:
        parent: The window.
        actions: The actions by name.
        submenus: Submenus that stand between the actions.
    """
    menu = QMenu(parent)
    for section in _SECTIONS:
        menu.addActions([actions[name] for name in section])
        menu.addSeparator()
    for submenu in submenus:
        menu.addMenu(submenu)
    for section in _LAST_SECTIONS:
        menu.addSeparator()
        menu.addActions([actions[name] for name in section])
    return menu


def choice_menu(
    title: str,
    parent: QWidget,
    choices: list[tuple[Value, str]],
    current: Value,
    choose: Callable[[Value], None],
) -> QMenu:
    """A submenu with one checked choice.

    Args:
        title: Title of the submenu.
        parent: The window.
        choices: Values and their texts.
        current: The checked value.
        choose: Called with the chosen value.
    """
    menu = QMenu(title, parent)
    group = QActionGroup(menu)
    for value, text in choices:
        action = QAction(text, menu, checkable=True, checked=value == current)
        action.triggered.connect(lambda _=False, chosen=value: choose(chosen))
        group.addAction(action)
        menu.addAction(action)
    return menu


def recent_menu(
    parent: QWidget, recent: Callable[[], tuple[str, ...]], choose: Callable[[str], None]
) -> QMenu:
    """A submenu of recent files, filled whenever it opens."""
    menu = QMenu("Recent files", parent)

    def fill() -> None:
        menu.clear()
        for path in recent():
            action = menu.addAction(Path(path).name)
            action.setToolTip(path)
            action.triggered.connect(lambda _=False, chosen=path: choose(chosen))

    menu.setToolTipsVisible(True)
    menu.aboutToShow.connect(fill)
    return menu


def thread_choices() -> list[tuple[int, str]]:
    """Numbers of threads up to the processor's; 0 leaves the choice to the engine."""
    count = os.cpu_count() or 1
    numbers = [n for n in (1, 2, 3, 4, 6, 8, 12, 16) if n <= count]
    return [(0, "Automatic"), *((n, str(n)) for n in numbers)]
