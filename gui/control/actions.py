"""The actions of the window: one list for shortcuts, menu, buttons, tool tips and help."""

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from gui.spectrogram.analysis.spectra import Slope
from gui.spectrogram.color_maps import ColourMap
from gui.widgets.icon import icon
from gui.widgets.theme import Theme, ThemeChoice


@dataclass(frozen=True)
class ActionSpec:
    """One action, known to the program by its name."""

    name: str
    text: str
    help: str
    """One line for tool tips and the help page; `text` is for the menu and buttons."""
    keys: str = ""
    """Shortcut in Qt's portable notation; empty for none."""
    checkable: bool = False
    icon: str = ""
    repeats: bool = False
    """A held key repeats the action."""
    group: str = ""
    """Exclusive group of checkable actions; empty for none."""


ACTIONS = (
    ActionSpec("start", "Start", "Start and stop", "Space"),
    ActionSpec("bypass", "Switch A/B", "Switch between A and B; hold the key to compare", "B"),
    ActionSpec("listen_a", "Listen to A", "Listen to A", "A"),
    ActionSpec("match", "Match loudness", "Match the loudness of A and B", "M", checkable=True),
    ActionSpec("blind", "Blind test (ABX)…", "Blind test (ABX)", "X"),
    ActionSpec("answer_a", "X is A", "Blind test: X is A", "Shift+A"),
    ActionSpec("answer_b", "X is B", "Blind test: X is B", "Shift+B"),
    ActionSpec("record", "Record", "Record input and output as two WAV files", "R"),
    ActionSpec(
        "freeze", "Freeze", "Freeze the spectrograms; the audio continues", "F",
        checkable=True, icon="freeze",
    ),
    ActionSpec(
        "loop_picture", "Loop", "Play what the frozen spectrograms show, round and round", "L",
        checkable=True, icon="loop",
    ),
    ActionSpec("live", "Back to live", "Show the newest sound, without zoom", "Home"),
    ActionSpec("zoom_in", "Zoom in", "Zoom in time", "+", repeats=True),
    ActionSpec("zoom_out", "Zoom out", "Zoom out in time", "-", repeats=True),
    ActionSpec("linear", "Linear", "Linear frequency axis", "1", checkable=True, group="scale"),
    ActionSpec("mel", "Mel", "Mel frequency axis", "2", checkable=True, group="scale"),
    ActionSpec("log", "Log", "Logarithmic frequency axis", "3", checkable=True, group="scale"),
    ActionSpec(
        "spectrum", "Spectrum", "Spectra of input, output and their difference", "S",
        checkable=True, icon="spectrum",
    ),
    ActionSpec("long_term", "Long-term spectrum", "Spectra as means of the last half minute",
               "Shift+S", checkable=True),
    ActionSpec("hold", "Hold maximum", "Also draw the highest levels of the spectra", "H",
               checkable=True),
    ActionSpec("wave", "Waveform", "Waveforms", "W", checkable=True, icon="wave"),
    ActionSpec("copy_values", "Copy values", "Copy the values under the cross-hair", "C"),
    ActionSpec("copy_picture", "Copy picture", "Copy the spectrograms as a picture", "Ctrl+C"),
    ActionSpec("save_picture", "Save picture…", "Save the spectrograms as PNG or SVG", "Ctrl+S"),
    ActionSpec("loop", "Loop", "Loop the file", "L", checkable=True, icon="loop"),
    ActionSpec("back", "Back", "Five seconds back in a file", "Left", repeats=True),
    ActionSpec("forward", "Forward", "Five seconds forward in a file", "Right", repeats=True),
    ActionSpec("more", "More octave", "More of the restored octave", "Up", repeats=True),
    ActionSpec("less", "Less octave", "Less of the restored octave", "Down", repeats=True),
    ActionSpec("reset", "Reset counters", "Reset faults, clip lights and long-term spectra", "0"),
    ActionSpec("open", "Open a file…", "Open a file as input", "Ctrl+O"),
    ActionSpec("save", "Write to a file…", "Write the output to a file"),
    ActionSpec("restore", "Restore files…", "Restore files and folders", "Ctrl+R"),
    ActionSpec("folder", "Recordings folder…", "Choose the folder of recordings"),
    ActionSpec("export", "Export answers…", "Export the answers of the blind test"),
    ActionSpec("refresh", "Rescan devices", "Rescan the sound devices", "F5", icon="refresh"),
    ActionSpec("dismiss", "Dismiss", "Dismiss a message, leave the blind test", "Esc"),
    ActionSpec("unsilence", "Show hidden warnings again", "Show hidden warnings again"),
    ActionSpec("help", "Help", "Help", "F1"),
    ActionSpec("first_steps", "First steps", "How to begin"),
    ActionSpec("about", "About Topoctave", "About Topoctave"),
    ActionSpec("menu", "Menu", "More", "F10", icon="menu"),
    ActionSpec("quit", "Quit", "Quit", "Ctrl+Q"),
)  # fmt: skip

CHOICES: dict[str, tuple[str, dict[Any, str]]] = {
    "compute": ("Compute on", {"auto": "Automatic", "cpu": "CPU", "cuda": "GPU (CUDA)"}),
    "threads": ("CPU threads", {0: "Automatic"} | {
        n: str(n) for n in (1, 2, 3, 4, 6, 8, 12, 16) if n <= (os.cpu_count() or 1)
    }),
    "colours": ("Colours of the spectrograms", {kind: kind.label for kind in ColourMap}),
    "slope": ("Slope of the spectra", {slope: slope.label for slope in Slope}),
    "theme": ("Theme", {choice: choice.label for choice in ThemeChoice}),
}  # fmt: skip
"""Titles of submenus, and the values and texts of their choices, of which one is checked."""

Sections = tuple[tuple[str, ...], ...]
MENU: Sections = (
    ("open", "recent", "save", "restore", "folder"),
    ("blind",),
    ("long_term", "hold"),
    ("live", "copy_values", "copy_picture", "save_picture"),
    tuple(CHOICES),
    ("unsilence", "first_steps", "help", "about"),
    ("quit",),
)
PLOT_MENU: Sections = (
    ("live", "freeze", "loop_picture"),
    ("long_term", "hold"),
    ("copy_values", "copy_picture", "save_picture"),
)


def key_text(keys: str) -> str:
    """A shortcut as the system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class Actions(QObject):
    """The ``QAction`` objects of :data:`ACTIONS`, by name.

    Args:
        window: Window in which the shortcuts work.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QAction] = {}
        self.groups = defaultdict[str, QActionGroup](lambda: QActionGroup(self))
        """Exclusive groups and those of :data:`CHOICES`; their actions' data are the values."""
        for spec in ACTIONS:
            action = QAction(spec.text, self, checkable=spec.checkable, autoRepeat=spec.repeats)
            action.setObjectName(spec.name)
            action.setToolTip(f"{spec.help} ({key_text(spec.keys)})" if spec.keys else spec.help)
            action.setShortcut(QKeySequence(spec.keys))
            if spec.group:
                self._add_choice(spec.group, action, spec.name)
            window.addAction(action)
            self._actions[spec.name] = action
        for group, (_, choices) in CHOICES.items():
            for value, text in choices.items():
                self._add_choice(group, QAction(text, self, checkable=True), value)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def _add_choice(self, group: str, action: QAction, value: str | int) -> None:
        action.setData(value)
        self.groups[group].addAction(action)

    def choose(self, group: str, value: str | int) -> None:
        """Check the action with this value."""
        for action in self.groups[group].actions():
            if action.data() == value:
                action.setChecked(True)

    def chosen(self, group: str) -> str:
        """The value of the checked action as text."""
        return str(self.groups[group].checkedAction().data())

    def menu(self, sections: Sections, submenus: dict[str, QMenu] | None = None) -> QMenu:
        """A menu with a separator between sections.

        Args:
            sections: Names of actions, of :data:`CHOICES` and of submenus.
            submenus: Further submenus by name.
        """
        menu = QMenu(self._window)
        for section in sections:
            for name in section:
                if name in CHOICES:
                    menu.addMenu(CHOICES[name][0]).addActions(self.groups[name].actions())
                elif submenus and name in submenus:
                    menu.addMenu(submenus[name])
                else:
                    menu.addAction(self[name])
            menu.addSeparator()
        return menu

    def set_theme(self, theme: Theme) -> None:
        """Change the colours of the icons."""
        for spec in ACTIONS:
            if spec.icon:
                self[spec.name].setIcon(icon(spec.icon, theme.muted, checked=theme.accent))
