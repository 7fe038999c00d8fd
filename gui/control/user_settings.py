"""What the window remembers from one day to the next."""

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from PySide6.QtCore import QByteArray, QSettings

from gui.spectrogram.color_maps import ColourMap
from gui.spectrogram.frequency_scale import Scale
from gui.spectrogram.view import Look
from gui.widgets.theme import ThemeChoice
from realtime.dsp.parameters import Parameters

E = TypeVar("E", ThemeChoice, Scale, ColourMap)


@dataclass(frozen=True)
class Remembered:
    """Everything that is kept, with what holds at the first start."""

    input_key: str = ""
    output_key: str = ""
    model: str = "auto"
    block_samples: int = 1024
    loop: bool = True
    match: bool = False
    parameters: Parameters = field(default_factory=Parameters)
    look: Look = field(default_factory=Look)
    theme: ThemeChoice = ThemeChoice.SYSTEM
    silenced: tuple[str, ...] = ()
    """Keys of notices that are not to be shown again."""
    folder: str = ""
    """Where recordings go; empty for the music folder."""


class Memory:
    """Keeps :class:`Remembered` in the system's place for settings, or in a file.

    Args:
        path: An INI file; empty for the system's place.
    """

    def __init__(self, path: str = "") -> None:
        form = QSettings.Format.IniFormat
        if path:
            self._store = QSettings(path, form)
        else:
            self._store = QSettings(form, QSettings.Scope.UserScope, "Topoctave", "Topoctave")

    def load(self) -> Remembered:
        """What was kept; what is missing or makes no sense takes its default."""
        known = Remembered()
        text = {f.name: self._text(f.name) for f in fields(Remembered)}
        look = {f.name: self._text(f"look/{f.name}") for f in fields(Look)}
        return replace(
            known,
            input_key=text["input_key"],
            output_key=text["output_key"],
            model=text["model"] or known.model,
            block_samples=_whole(text["block_samples"], known.block_samples),
            loop=_flag(text["loop"], known.loop),
            match=_flag(text["match"], known.match),
            parameters=_parameters(text["parameters"]),
            look=_look(look),
            theme=_member(ThemeChoice, text["theme"], known.theme),
            silenced=tuple(filter(None, text["silenced"].split("|"))),
            folder=text["folder"],
        )

    def save(self, remembered: Remembered) -> None:
        """Keep it all."""
        put = self._store.setValue
        for name in ("input_key", "output_key", "model", "folder"):
            put(name, getattr(remembered, name))
        put("block_samples", str(remembered.block_samples))
        put("loop", str(remembered.loop))
        put("match", str(remembered.match))
        # A toggle is of the moment: the next start is to be heard with the network.
        put("parameters", replace(remembered.parameters, bypass=False).to_json())
        put("theme", remembered.theme.value)
        put("silenced", "|".join(remembered.silenced))
        for f in fields(Look):
            put(f"look/{f.name}", str(getattr(remembered.look, f.name)))
        self._store.sync()

    def geometry(self) -> QByteArray | None:
        """Where the window was."""
        value = self._store.value("geometry")
        return value if isinstance(value, QByteArray) else None

    def save_geometry(self, geometry: QByteArray) -> None:
        """Keep where the window is."""
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


def _look(text: dict[str, str]) -> Look:
    known = Look()
    try:
        low, high = float(text["low_db"]), float(text["high_db"])
    except ValueError:
        low, high = known.low_db, known.high_db
    if not -127.5 <= low < high <= 0:
        low, high = known.low_db, known.high_db
    return Look(
        scale=_member(Scale, text["scale"], known.scale),
        colour_map=_member(ColourMap, text["colour_map"], known.colour_map),
        low_db=low,
        high_db=high,
        spectrum=_flag(text["spectrum"], known.spectrum),
        wave=_flag(text["wave"], known.wave),
    )
