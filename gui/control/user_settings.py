"""Settings that the window keeps between runs."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from PySide6.QtCore import QByteArray, QSettings

from gui.spectrogram.color_maps import MIN_DB
from gui.spectrogram.view import ViewSettings
from gui.widgets.theme import ThemeChoice
from realtime.dsp.parameters import Parameters

COMPUTES = ("auto", "cpu", "cuda")

Kept = TypeVar("Kept", "Preferences", ViewSettings)


@dataclass(frozen=True)
class Preferences:
    """All saved settings with their defaults."""

    input_key: str = ""
    output_key: str = ""
    model: str = "auto"
    model_b: str = ""
    """The network that A plays; empty for the plain upsampled sound."""
    block_samples: int = 1024
    loop: bool = True
    compute: str = "auto"
    threads: int = 0
    """CPU threads; 0 leaves the choice to the engine."""
    match: bool = False
    parameters: Parameters = field(default_factory=Parameters)
    view: ViewSettings = field(default_factory=ViewSettings)
    theme: ThemeChoice = ThemeChoice.SYSTEM
    silenced: tuple[str, ...] = ()
    """Keys of notices that are not shown again."""
    folder: str = ""
    """Folder of recordings; empty for the music folder."""
    recent: tuple[str, ...] = ()
    """Paths of recent files, the newest first."""


class UserSettings:
    """Loads and saves :class:`Preferences` as an INI file.

    Args:
        path: Path of the INI file; empty for the system's settings folder.
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
        saved, defaults = self._load(Preferences(), ""), Preferences()
        view = self._load(ViewSettings(), "look/")
        if not MIN_DB <= view.low_db < view.high_db <= 0:
            view = replace(view, low_db=defaults.view.low_db, high_db=defaults.view.high_db)
        block = saved.block_samples
        if not (128 <= block <= 65_536 and block % 128 == 0):
            saved = replace(saved, block_samples=defaults.block_samples)
        if saved.compute not in COMPUTES:
            saved = replace(saved, compute=defaults.compute)
        return replace(saved, view=view, model=saved.model or defaults.model)

    def save(self, preferences: Preferences) -> None:
        """Save everything."""
        # Bypass is not saved: the next start plays the restored sound.
        parameters = replace(preferences.parameters, bypass=False)
        self._save(replace(preferences, parameters=parameters), "")
        self._save(preferences.view, "look/")
        self._store.sync()

    def geometry(self) -> QByteArray | None:
        """Saved size and position of the window."""
        value = self._store.value("geometry")
        return value if isinstance(value, QByteArray) else None

    def save_geometry(self, geometry: QByteArray) -> None:
        """Save size and position of the window."""
        self._store.setValue("geometry", geometry)

    def _load(self, defaults: Kept, prefix: str) -> Kept:
        values = {}
        for name in (f.name for f in fields(defaults)):
            text = self._store.value(f"{prefix}{name}")
            if isinstance(text, str):
                try:
                    values[name] = _parse(text, getattr(defaults, name))
                except ValueError:
                    continue
        return replace(defaults, **values)

    def _save(self, kept: Kept, prefix: str) -> None:
        for name in (f.name for f in fields(kept)):
            value = getattr(kept, name)
            if isinstance(value, Parameters):
                text = value.to_json()
            else:
                text = "|".join(value) if isinstance(value, tuple) else str(value)
            if not isinstance(value, ViewSettings):
                self._store.setValue(f"{prefix}{name}", text)


def _parse(text: str, default: Any) -> Any:
    """The value of a text, of the same type as the default.

    Raises:
        ValueError: if the text is no such value.
    """
    match default:
        case bool():
            if text not in ("True", "False"):
                raise ValueError(f"True or False, got {text}")
            return text == "True"
        case tuple():
            return tuple(filter(None, text.split("|")))
        case Parameters():
            return Parameters.from_json(text)
        case StrEnum() | int() | float():
            return type(default)(text)
        case _:
            return text
