"""The bar at the top: start, record, input, models, output and block size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QToolButton

from gui.control.actions import Actions
from gui.widgets import device_choices as lists
from gui.widgets.basic import action_button, create, label, set_tone
from gui.widgets.combo_box import ChoiceBox
from gui.widgets.device_choices import Choice
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
        self._models: list[Choice] = []
        self._files = {"input": "", "output": ""}  # The last ones.
        self.start = create(QPushButton, objectName="primary", minimumWidth=104)
        self.record = create(QPushButton, text="Record", checkable=True)
        self.refresh = action_button(actions["refresh"], style="tool")
        self.menu = action_button(actions["menu"], style="tool")
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.boxes = {field: ChoiceBox(caption) for field, (caption, _) in _FIELDS.items()}
        self.input, self.output = self.boxes["input"], self.boxes["output"]
        self.model, self.model_b = self.boxes["model"], self.boxes["model_b"]
        self.block = self.boxes["block_samples"]
        self.block.setMinimumWidth(136)
        for name, button in (("start", self.start), ("record", self.record)):
            button.setToolTip(actions[name].toolTip())
            button.clicked.connect(actions[name].trigger)
        for field, box in self.boxes.items():
            box.picked.connect(lambda choice, field=field: self._pick(field, choice))
        logo = create(QLabel, pixmap=app_icon().pixmap(38, 38))
        logo.setToolTip("Topoctave: the missing octave, live")
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 8, 12, 9)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        grid.addWidget(logo, 0, 0, 2, 1)
        parts = [self.start, self.record, *self.boxes.values(), self.refresh, self.menu]
        for column, part in enumerate(parts, 1):
            part.setFixedHeight(30)
            grid.addWidget(part, 1, column)
        for column, (caption, share) in enumerate(_FIELDS.values(), 3):
            grid.addWidget(label(caption, "caption"), 0, column)
            grid.setColumnStretch(column, share)
        self.set_theme(theme)
        self.show_running(running=False, busy=False)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.record.setIcon(icon("record", theme.bad))
        self._start_icons = {False: icon("play", theme.on_accent), True: icon("stop", theme.text)}
        self.start.setIcon(self._start_icons[self.start.text() == "Stop"])

    @property
    def input_is_device(self) -> bool:
        """True if the input is a device, not a file."""
        return _is_device(self.settings.input)

    @property
    def output_is_device(self) -> bool:
        """True if the output is a device, not a file or nothing."""
        return _is_device(self.settings.output)

    def set_models(self, models: list[ModelInfo]) -> None:
        """Fill the lists of models."""
        self._models = [Choice(m.name, m.title or m.name, m.name, m.name) for m in models]
        chosen = {self.settings.model, self.settings.model_b}
        self._models += [
            Choice(path, path.replace("\\", "/").split("/")[-1], path, path)
            for path in chosen if path.endswith(".ts")
        ]  # fmt: skip
        if self.settings.model_b not in [model.value for model in self._models]:
            self.settings = replace(self.settings, model_b="")
        self._show()

    def set_devices(self, devices: list[Device]) -> list[str]:
        """Fill the lists of devices; the chosen ones are matched by name.

        Returns:
            Chosen devices that are missing; the system default replaces them.
        """
        before = {field: self.boxes[field].chosen for field in ("input", "output")}
        self._devices = devices
        self._show()
        gone = []
        for field, old in before.items():
            if old is not None and not self._choose(field, old.key):
                gone.append(old.label)
                first = self.boxes[field].choices[0]
                _ = self._choose(field, "default") or self._choose(field, first.key)
        return gone

    def choose(self, *, input_key: str = "", output_key: str = "", notify: bool = False) -> bool:
        """Choose by value, key, name or file path.

        Args:
            input_key: Empty leaves the input.
            output_key: Empty leaves the output.
            notify: True emits `changed`.

        Returns:
            Whether all keys were found.
        """
        keys = {"input": input_key, "output": output_key}
        found = [self._choose(field, key) for field, key in keys.items() if key]
        self._show()
        if notify:
            self.changed.emit()
        return all(found)

    def _choose(self, field: str, key: str) -> bool:
        """Choose a file or an entry of a list; False if it is missing."""
        choices = self.boxes[field].choices
        at = lists.find(choices, key)
        if at < 0 and not is_audio_file(key):
            return False
        value = choices[at].value if at >= 0 else key
        self.settings = replace(self.settings, **{field: value})  # type: ignore[arg-type]
        self._show()
        return True

    def _show(self) -> None:
        """Fill the lists, and select what is chosen."""
        settings = self.settings
        for field in self._files:
            if is_audio_file(path := getattr(settings, field)):
                self._files[field] = path
        blocks = [
            Choice(str(n), f"{n}  ·  {n / 44.1:.0f} ms", str(n), f"{n} samples at 44.1 kHz")
            for n in sorted({*BLOCKS, settings.block_samples})
        ]
        choices = {
            "input": lists.input_choices(self._devices, self._files["input"]),
            "model": [lists.AUTOMATIC, *self._models],
            "model_b": [lists.UPSAMPLED_ONLY, *self._models],
            "output": lists.output_choices(self._devices, self._files["output"]),
            "block_samples": blocks,
        }
        for field, box in self.boxes.items():
            box.set_choices(choices[field], str(getattr(settings, field)))

    def open_file(self, path: str) -> None:
        """Play a file."""
        self.choose(input_key=path, notify=True)

    def go_back(self, settings: Settings) -> None:
        """Restore earlier settings without a signal."""
        self.settings = settings
        self._show()

    def set_loop(self, loop: bool) -> None:
        """Loop files, or play them once; emits no signal."""
        self.settings = replace(self.settings, loop=loop)

    def show_running(self, *, running: bool, busy: bool) -> None:
        """Show Start or Stop."""
        active = running or busy
        self.start.setText("Stop" if active else "Start")
        self.start.setIcon(self._start_icons[active])
        set_tone(self.start, "running" if active else "")
        self.record.setEnabled(running)

    def show_recording(self, recording: bool) -> None:
        """Show whether a recording runs."""
        self.record.setChecked(recording)
        self.record.setText("Recording" if recording else "Record")

    def _pick(self, field: str, choice: Choice) -> None:
        if choice in (lists.OPEN_FILE, lists.SAVE_FILE):
            # The list shows again what plays, until a file was chosen.
            self._show()
            self._actions["open" if choice == lists.OPEN_FILE else "save"].trigger()
        else:
            self.change(**{field: type(getattr(self.settings, field))(choice.value)})

    def change(self, **changes: object) -> None:
        """Change settings; emits `changed` if they differ."""
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        if settings != self.settings:
            self.settings = settings
            self.changed.emit()


def _is_device(value: str) -> bool:
    return value == "default" or value.isdecimal()


def is_audio_file(key: str) -> bool:
    """Whether a key is the path of an audio file."""
    suffixes = {".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"}
    return "\n" not in key and Path(key).suffix.lower() in suffixes
