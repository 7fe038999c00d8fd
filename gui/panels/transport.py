"""The bar at the top: start, record, input, models, output and block size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QToolButton

from gui.control.actions import Actions
from gui.widgets.basic import label, set_tone
from gui.widgets.combo_box import ChoiceBox
from gui.widgets.device_choices import (
    OPEN_FILE,
    SAVE_FILE,
    UPSAMPLED_ONLY,
    Choice,
    input_choices,
    output_choices,
)
from gui.widgets.icon import app_icon, icon
from gui.widgets.theme import Theme
from realtime.engine.settings import Settings
from realtime.inference.model_file import ModelInfo

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.

BLOCKS = (256, 512, 1024, 2048, 4096, 8192)
_FIELDS = {
    "input": ("Input", 4),
    "model": ("Model", 3),
    "model_b": ("Compare with", 3),
    "output": ("Output", 4),
    "block_samples": ("Block size", 0),
}
"""Caption and share of the width of each list, by its field of :class:`Settings`."""


class Transport(QFrame):
    """Converts the choices into :class:`Settings`."""

    changed = Signal()
    """The settings changed; a running engine must be reopened."""

    def __init__(self, theme: Theme, settings: Settings, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.settings = settings
        """The chosen settings."""
        self._actions = actions
        self._devices: list[Device] = []
        self._files = {"input": "", "output": ""}
        self._running = False
        self.start = QPushButton("Start")
        self.start.setObjectName("primary")
        self.start.setFixedWidth(104)
        self.record = QPushButton("Record")
        self.record.setCheckable(True)
        self.boxes = {field: ChoiceBox(caption) for field, (caption, _) in _FIELDS.items()}
        self.input, self.output = self.boxes["input"], self.boxes["output"]
        self.model, self.model_b = self.boxes["model"], self.boxes["model_b"]
        self.block = self.boxes["block_samples"]
        self.refresh, self.menu = QToolButton(), QToolButton()
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._lay_out()
        for name, button in (("start", self.start), ("record", self.record),
                             ("refresh", self.refresh), ("menu", self.menu)):  # fmt: skip
            button.setToolTip(actions[name].toolTip())
            button.setAccessibleName(actions[name].text())
            if button is not self.menu:
                button.clicked.connect(actions[name].trigger)
        for field, box in self.boxes.items():
            box.picked.connect(lambda choice, field=field: self._pick(field, choice))
        self.set_theme(theme)
        self.show_running(running=False, busy=False)

    def _lay_out(self) -> None:
        logo = QLabel()
        logo.setPixmap(app_icon().pixmap(38, 38))
        logo.setAccessibleName("Topoctave")
        logo.setToolTip("Topoctave: the missing octave, live")
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 8, 12, 9)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        grid.addWidget(logo, 0, 0, 2, 1)
        for button in (self.start, self.record, self.refresh, self.menu):
            button.setIconSize(QSize(16, 16))
        parts = [self.start, self.record, *self.boxes.values(), self.refresh, self.menu]
        for column, part in enumerate(parts, 1):
            part.setFixedHeight(30)
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            grid.addWidget(part, 1, column)
            if isinstance(part, ChoiceBox):
                caption = label(part.name, "caption")
                caption.setBuddy(part)
                grid.addWidget(caption, 0, column)
        for column, (_, share) in enumerate(_FIELDS.values(), 3):
            grid.setColumnStretch(column, share)
        self.block.setFixedWidth(134)
        self.refresh.setFixedWidth(34)
        self.menu.setFixedWidth(34)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.refresh.setIcon(icon("refresh", theme.muted))
        self.menu.setIcon(icon("menu", theme.text))
        self.record.setIcon(icon("record", theme.bad))
        self._paint_start()

    @property
    def input_is_device(self) -> bool:
        """True if the input is a device, not a file."""
        return _is_device(self.input.chosen)

    @property
    def output_is_device(self) -> bool:
        """True if the output is a device, not a file or nothing."""
        return _is_device(self.output.chosen)

    def set_models(self, models: list[ModelInfo]) -> None:
        """Fill the lists of models and block sizes."""
        found = [Choice(m.name, m.title or m.name, m.name, m.name) for m in models]
        settings = self.settings
        for path in {settings.model, settings.model_b}:
            if path.endswith(".ts"):
                name = path.replace("\\", "/").split("/")[-1]
                found.append(Choice(path, name, path, path))
        automatic = Choice("auto", "Automatic", "auto", "The best model for this machine")
        offered = not found or settings.model == "auto"
        self.model.set_choices([automatic, *found] if offered else found, settings.model)
        self.model_b.set_choices([UPSAMPLED_ONLY, *found], settings.model_b)
        if self.model_b.chosen == UPSAMPLED_ONLY:
            # Also where a saved model is gone.
            self.settings = replace(settings, model_b="")
        self.block.set_choices(
            [
                Choice(str(n), f"{n}  ·  {n / 44.1:.0f} ms", str(n), f"{n} samples at 44.1 kHz")
                for n in sorted({*BLOCKS, settings.block_samples})
            ],
            str(settings.block_samples),
        )

    def set_devices(self, devices: list[Device]) -> list[str]:
        """Fill the lists of devices; the chosen ones are matched by name.

        Returns:
            Chosen devices that are missing; the system default replaces them.
        """
        gone = []
        before = {"input": self.input.chosen, "output": self.output.chosen}
        self._devices = devices
        self._fill()
        for field, old in before.items():
            if old is None:
                continue
            if not self.boxes[field].choose(old.key):
                gone.append(old.label)
                self.boxes[field].choose("default")
            self._keep(field)
        return gone

    def _fill(self) -> None:
        settings, files = self.settings, self._files
        self.input.set_choices(input_choices(self._devices, files["input"]), settings.input)
        self.output.set_choices(output_choices(self._devices, files["output"]), settings.output)

    def _keep(self, field: str) -> None:
        """Take the value that a list shows."""
        if chosen := self.boxes[field].chosen:
            self.settings = replace(self.settings, **{field: chosen.value})  # type: ignore[arg-type]

    def choose(self, *, input_key: str = "", output_key: str = "", notify: bool = False) -> bool:
        """Choose by value, key, name or file path.

        Args:
            input_key: Empty leaves the input.
            output_key: Empty leaves the output.
            notify: True emits `changed`.

        Returns:
            Whether all keys were found.
        """
        missing = False
        for field, key in (("input", input_key), ("output", output_key)):
            if is_audio_file(key):
                self._files[field] = key
                self._fill()
            if key and self.boxes[field].choose(key):
                self._keep(field)
            elif key:
                missing = True
        self.go_back(self.settings)
        if notify:
            self.changed.emit()
        return not missing

    def open_file(self, path: str) -> None:
        """Play a file."""
        self.choose(input_key=path, notify=True)

    def go_back(self, settings: Settings) -> None:
        """Show earlier settings without a signal."""
        self.settings = settings
        for field, box in self.boxes.items():
            box.choose(str(getattr(settings, field)))

    def set_loop(self, loop: bool) -> None:
        """Loop files, or play them once; emits no signal."""
        self.settings = replace(self.settings, loop=loop)

    def show_running(self, *, running: bool, busy: bool) -> None:
        """Show Start or Stop."""
        self._running = running or busy
        self.start.setText("Stop" if self._running else "Start")
        set_tone(self.start, "running" if self._running else "")
        self.record.setEnabled(running)
        self._paint_start()

    def show_recording(self, recording: bool) -> None:
        """Show whether a recording runs."""
        self.record.setChecked(recording)
        self.record.setText("Recording" if recording else "Record")

    def _paint_start(self) -> None:
        name, colour = ("stop", "text") if self._running else ("play", "on_accent")
        self.start.setIcon(icon(name, getattr(self._theme, colour)))

    def _pick(self, field: str, choice: Choice) -> None:
        if choice in (OPEN_FILE, SAVE_FILE):
            # The list shows again what plays until a file was chosen.
            self.go_back(self.settings)
            self._actions["open" if choice == OPEN_FILE else "save"].trigger()
        else:
            self.change(**{field: int(choice.value) if field == "block_samples" else choice.value})

    def change(self, **changes: object) -> None:
        """Change settings; emits `changed` if they differ."""
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        if settings != self.settings:
            self.settings = settings
            self.changed.emit()


def _is_device(choice: Choice | None) -> bool:
    return choice is not None and (choice.value == "default" or choice.value.isdecimal())


def is_audio_file(key: str) -> bool:
    """Whether a key is the path of an audio file."""
    suffixes = {".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"}
    return "\n" not in key and Path(key).suffix.lower() in suffixes
