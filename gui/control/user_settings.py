"""Settings that the window keeps between runs."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QSettings

from gui.control.actions import CHOICES
from gui.spectrogram.color_maps import MIN_DB
from gui.spectrogram.view import ViewSettings
from gui.widgets.theme import ThemeChoice
from realtime.dsp.parameters import Parameters
from realtime.engine.settings import Settings

_KEY = "preferences"
_VALID: dict[str, Callable[[Any], bool]] = {
    "block_samples": lambda samples: 128 <= samples <= 65_536 and samples % 128 == 0,
    "compute": lambda compute: compute in CHOICES["compute"][1],
    "model": bool,
    "view": lambda view: MIN_DB <= view.low_db < view.high_db <= 0,
}
"""Conditions on saved values besides their types."""


@dataclass(frozen=True)
class Preferences:
    """All saved settings with their defaults."""

    settings: Settings = field(default_factory=lambda: Settings(loop=True))
    """Input and output are keys of :class:`gui.widgets.device_choices.Choice`."""
    parameters: Parameters = field(default_factory=Parameters)
    view: ViewSettings = field(default_factory=ViewSettings)
    match: bool = False
    theme: ThemeChoice = ThemeChoice.SYSTEM
    silenced: tuple[str, ...] = ()
    """Keys of notices that are not shown again."""
    folder: str = ""
    """Folder of recordings; empty for the music folder."""
    recent: tuple[str, ...] = ()
    """Paths of recent files, the newest first."""
    geometry: str = ""
    """Size and position of the window: Qt's bytes in base 64."""


class UserSettings:
    """Loads and saves :class:`Preferences`.

    Args:
        path: Path of an INI file; empty for the one in the system's settings folder.
    """

    def __init__(self, path: str = "") -> None:
        form = QSettings.Format.IniFormat
        if path:
            self._store = QSettings(path, form)
        else:
            self._store = QSettings(form, QSettings.Scope.UserScope, "Topoctave", "Topoctave")

    @property
    def first_start(self) -> bool:
        """True if nothing was saved yet."""
        return not self._store.allKeys()

    def load(self) -> Preferences:
        """Load; missing and invalid values get their default."""
        saved: Any = None
        with contextlib.suppress(ValueError):
            saved = json.loads(str(self._store.value(_KEY)))
        loaded: Preferences = _checked("", saved, Preferences())
        return loaded

    def save(self, preferences: Preferences) -> None:
        """Save everything."""
        self._store.setValue(_KEY, json.dumps(asdict(preferences)))
        self._store.sync()


def _checked(name: str, saved: Any, default: Any) -> Any:
    """A saved value, or the default where it is not valid or has another type."""
    value = saved
    if is_dataclass(default) and not isinstance(default, type):
        given = saved if isinstance(saved, dict) else {}
        parts = {f.name: getattr(default, f.name) for f in fields(default)}
        parts = {part: _checked(part, given.get(part), parts[part]) for part in parts}
        with contextlib.suppress(ValueError):
            value = replace(default, **parts)
    elif isinstance(default, StrEnum):
        value = next((choice for choice in type(default) if choice == saved), None)
    elif isinstance(saved, list):
        value = tuple(map(str, saved))
    # Only the number of threads has None as its default.
    kinds: dict[type, tuple[type, ...]] = {type(None): (int,), float: (int, float)}
    right = isinstance(value, kinds.get(type(default), (type(default),)))
    return value if right and _VALID.get(name, lambda _: True)(value) else default
