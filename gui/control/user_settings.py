"""Settings that the window keeps between runs."""

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from PySide6.QtCore import QByteArray, QSettings

from gui.spectrogram.color_maps import ColourMap
from gui.spectrogram.frequency_scale import Scale
from gui.spectrogram.view import ViewSettings
from gui.widgets.theme import ThemeChoice
from realtime.dsp.parameters import Parameters

COMPUTES = ("auto", "cpu", "cuda")

E = TypeVar("E", ThemeChoice, Scale, ColourMap)


@dataclass(frozen=True)
class Preferences:
    """All saved settings with their defaults."""

    input_key: str = ""
    output_key: str = ""
    model: str = "auto"
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

    def load(self) -> Preferences:
        """Load; missing and invalid values get their default."""
        defaults = Preferences()
        text = {f.name: self._text(f.name) for f in fields(Preferences)}
        view = {f.name: self._text(f"look/{f.name}") for f in fields(ViewSettings)}
        return replace(
            defaults,
            input_key=text["input_key"],
            output_key=text["output_key"],
            model=text["model"] or defaults.model,
            block_samples=_whole(text["block_samples"], defaults.block_samples),
            loop=_flag(text["loop"], defaults.loop),
            compute=text["compute"] if text["compute"] in COMPUTES else defaults.compute,
            threads=int(text["threads"]) if text["threads"].isdecimal() else defaults.threads,
            match=_flag(text["match"], defaults.match),
            parameters=_parameters(text["parameters"]),
            view=_view(view),
            theme=_member(ThemeChoice, text["theme"], defaults.theme),
            silenced=tuple(filter(None, text["silenced"].split("|"))),
            folder=text["folder"],
            recent=tuple(filter(None, text["recent"].split("|"))),
        )

    @property
    def first_start(self) -> bool:
        """True if nothing was saved yet."""
        return not self._store.allKeys()

    def save(self, preferences: Preferences) -> None:
        """Save everything."""
        put = self._store.setValue
        for name in ("input_key", "output_key", "model", "compute", "folder"):
            put(name, getattr(preferences, name))
        put("block_samples", str(preferences.block_samples))
        put("threads", str(preferences.threads))
        put("recent", "|".join(preferences.recent))
        put("loop", str(preferences.loop))
        put("match", str(preferences.match))
        # Bypass is not saved: the next start plays the restored sound.
        put("parameters", replace(preferences.parameters, bypass=False).to_json())
        put("theme", preferences.theme.value)
        put("silenced", "|".join(preferences.silenced))
        for f in fields(ViewSettings):
            put(f"look/{f.name}", str(getattr(preferences.view, f.name)))
        self._store.sync()

    def geometry(self) -> QByteArray | None:
        """Saved size and position of the window."""
        value = self._store.value("geometry")
        return value if isinstance(value, QByteArray) else None

    def save_geometry(self, geometry: QByteArray) -> None:
        """Save size and position of the window."""
        self._store.setValue("geometry", geometry)

    def _text(self, name: str) -> str:
        value = self._store.value(name, "")
        return value if isinstance(value, str) else ""


def _whole(text: str, default: int) -> int:
    value = int(text) if text.isdecimal() else default
    return value if 128 <= value <= 65_536 and value % 128 == 0 else default


def _flag(text: str, default: bool) -> bool:
    return {"True": True, "False": False}.get(text, default)


def _member(kind: type[E], text: str, default: E) -> E:
    try:
        return kind(text)
    except ValueError:
        return default


def _parameters(text: str) -> Parameters:
    try:
        return Parameters.from_json(text) if text else Parameters()
    except ValueError:
        return Parameters()


def _view(text: dict[str, str]) -> ViewSettings:
    defaults = ViewSettings()
    try:
        low, high = float(text["low_db"]), float(text["high_db"])
    except ValueError:
        low, high = defaults.low_db, defaults.high_db
    if not -127.5 <= low < high <= 0:
        low, high = defaults.low_db, defaults.high_db
    return ViewSettings(
        scale=_member(Scale, text["scale"], defaults.scale),
        colour_map=_member(ColourMap, text["colour_map"], defaults.colour_map),
        low_db=low,
        high_db=high,
        spectrum=_flag(text["spectrum"], defaults.spectrum),
        wave=_flag(text["wave"], defaults.wave),
    )
