"""The actions of the window: one list for shortcuts, menu, buttons, tool tips and help."""

from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from gui.widgets.icon import icon
from gui.widgets.theme import Theme


@dataclass(frozen=True)
class ActionSpec:
    """One action.

    Attributes:
        name: Identifies the action in the program.
        text: Text in the menu and on buttons.
        help: One line for tool tips and the help page.
        keys: Shortcut in Qt's portable notation; empty for none.
        checkable: Whether the action is switched on and off.
        icon: Name of an icon; empty for none.
        repeats: Whether a held key repeats the action.
        group: Exclusive group of checkable actions; empty for none.
    """

    name: str
    text: str
    help: str
    keys: str = ""
    checkable: bool = False
    icon: str = ""
    repeats: bool = False
    group: str = ""


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
    ActionSpec("refresh", "Rescan devices", "Rescan the sound devices", "F5"),
    ActionSpec("dismiss", "Dismiss", "Dismiss a message, leave the blind test", "Esc"),
    ActionSpec("unsilence", "Show hidden warnings again", "Show hidden warnings again"),
    ActionSpec("help", "Help", "Help", "F1"),
    ActionSpec("first_steps", "First steps", "How to begin"),
    ActionSpec("about", "About Topoctave", "About Topoctave"),
    ActionSpec("menu", "Menu", "More", "F10"),
    ActionSpec("quit", "Quit", "Quit", "Ctrl+Q"),
)  # fmt: skip


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
        self._actions: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, self)
            action.setObjectName(spec.name)
            action.setCheckable(spec.checkable)
            action.setToolTip(f"{spec.help} ({key_text(spec.keys)})" if spec.keys else spec.help)
            action.setAutoRepeat(spec.repeats)
            if spec.keys:
                action.setShortcut(QKeySequence(spec.keys))
            if spec.group:
                groups.setdefault(spec.group, QActionGroup(self)).addAction(action)
            window.addAction(action)
            self._actions[spec.name] = action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def set_theme(self, theme: Theme) -> None:
        """Change the colours of the icons."""
        for spec in ACTIONS:
            if spec.icon:
                self[spec.name].setIcon(icon(spec.icon, theme.muted, checked=theme.accent))
