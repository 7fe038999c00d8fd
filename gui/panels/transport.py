"""The bar at the top: start, record, input, model, output and block size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton

from gui.control.actions import Actions
from gui.widgets import device_choices as choices
from gui.widgets.combo_box import ChoiceBox, Field
from gui.widgets.device_choices import Choice
from gui.widgets.icon import app_icon, icon
from gui.widgets.theme import Theme
from realtime.engine.settings import Settings
from realtime.inference.model_file import ModelInfo

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.

BLOCKS = (256, 512, 1024, 2048, 4096, 8192)


class Transport(QFrame):
    """Converts the choices into :class:`Settings`."""

    changed = Signal()
    """The settings changed; a running engine must be reopened."""

    def __init__(self, theme: Theme, settings: Settings, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.theme = theme
        self._settings = settings
        self._actions = actions
        self._devices: list[Device] = []
        self._files = {"input": "", "output": ""}
        self.start = QPushButton("Start")
        self.start.setObjectName("primary")
        self.start.setIconSize(QSize(16, 16))
        self.start.setFixedWidth(104)
        self.record = QPushButton("Record")
        self.record.setCheckable(True)
        self.record.setToolTip(actions["record"].toolTip())
        self.record.setEnabled(False)
        self.input = ChoiceBox(theme, "Input")
        self.output = ChoiceBox(theme, "Output")
        self.model = ChoiceBox(theme, "Model")
        self.block = ChoiceBox(theme, "Block size")
        self.refresh = QToolButton()
        self.refresh.setToolTip(actions["refresh"].toolTip())
        self.refresh.setAccessibleName("Refresh devices")
        self.menu = QToolButton()
        self.menu.setToolTip(actions["menu"].toolTip())
        self.menu.setAccessibleName("Menu")
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._logo = _logo()
        self._lay_out()
        self._connect()
        self.set_theme(theme)
        self.show_running(running=False, busy=False)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 12, 9)
        row.setSpacing(10)
        row.addWidget(self._logo)
        row.addSpacing(2)
        bottom = Qt.AlignmentFlag.AlignBottom
        row.addWidget(self.start, 0, bottom)
        row.addWidget(self.record, 0, bottom)
        row.addSpacing(4)
        row.addWidget(Field("Input", self.input), 5)
        row.addWidget(Field("Model", self.model), 3)
        row.addWidget(Field("Output", self.output), 5)
        block = Field("Block", self.block)
        block.setFixedWidth(134)
        row.addWidget(block)
        for tool in (self.refresh, self.menu):
            tool.setFixedSize(34, 30)
            tool.setIconSize(QSize(16, 16))
            row.addWidget(tool, 0, bottom)
        for button in (self.start, self.record, self.refresh, self.menu):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for box in (self.start, self.record, self.input, self.model, self.output, self.block):
            box.setFixedHeight(30)

    def _connect(self) -> None:
        self.start.clicked.connect(self._actions["start"].trigger)
        self.refresh.clicked.connect(self._actions["refresh"].trigger)
        # The owner of the recorder sets the checked state.
        self.record.clicked.connect(self._actions["record"].trigger)
        self.input.picked.connect(self._pick_input)
        self.output.picked.connect(self._pick_output)
        self.model.picked.connect(lambda line: self.change(model=line.value))
        self.block.picked.connect(lambda line: self.change(block_samples=int(line.value)))

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.theme = theme
        for box in (self.input, self.output, self.model, self.block):
            box.theme = theme
            box.update()
        self.refresh.setIcon(icon("refresh", theme.muted))
        self.menu.setIcon(icon("menu", theme.text, size=16))
        self.record.setIcon(icon("record", theme.bad, size=14))
        self._paint_start()

    @property
    def settings(self) -> Settings:
        """The chosen settings."""
        return self._settings

    @property
    def input_is_device(self) -> bool:
        """True if the input is a device, not a file."""
        return self._is_device(self.input.chosen)

    @property
    def output_is_device(self) -> bool:
        """True if the output is a device, not a file or nothing."""
        return self._is_device(self.output.chosen)

    @staticmethod
    def _is_device(choice: Choice | None) -> bool:
        return choice is not None and (choice.value == "default" or choice.value.isdecimal())

    def set_models(self, models: list[ModelInfo]) -> None:
        """Fill the list of models."""
        lines = [
            Choice(model.name, model.title or model.name, model.name, model.name)
            for model in models
        ]
        wanted = self._settings.model
        if wanted.endswith(".ts"):
            lines.append(Choice(wanted, wanted.replace("\\", "/").split("/")[-1], wanted, wanted))
        if not lines or wanted == "auto":
            lines.insert(0, Choice("auto", "Automatic", "auto", "The best model for this machine"))
        self.model.set_choices(lines, wanted)
        blocks = [
            Choice(str(n), f"{n}  ·  {n / 44.1:.0f} ms", str(n), f"{n} samples at 44.1 kHz")
            for n in sorted({*BLOCKS, self._settings.block_samples})
        ]
        self.block.set_choices(blocks, str(self._settings.block_samples))

    def set_devices(self, devices: list[Device]) -> list[str]:
        """Fill the lists of devices; the chosen ones are matched by name.

        Returns:
            Chosen devices that are missing; the system default replaces them.
        """
        gone = []
        before = self.input.chosen, self.output.chosen
        self._devices = devices
        self._fill()
        for box, old, name in (
            (self.input, before[0], "input"),
            (self.output, before[1], "output"),
        ):
            if old is None:
                continue
            if not box.choose(old.key):
                gone.append(old.label)
                box.choose("default")
            if box.chosen is not None:
                self._settings = replace(
                    self._settings,
                    **{name: box.chosen.value},  # type: ignore[arg-type]
                )
        return gone

    def _fill(self) -> None:
        self.input.set_choices(
            choices.input_choices(self._devices, self._files["input"]), self._settings.input
        )
        self.output.set_choices(
            choices.output_choices(self._devices, self._files["output"]), self._settings.output
        )

    def choose(self, *, input_key: str = "", output_key: str = "", notify: bool = False) -> bool:
        """Choose by value, key, name or file path.

        Args:
            input_key: Empty leaves the input.
            output_key: Empty leaves the output.
            notify: True emits `changed`.

        Returns:
            Whether all keys were found.
        """
        changes: dict[str, str] = {}
        found = True
        for name, key, box in (
            ("input", input_key, self.input),
            ("output", output_key, self.output),
        ):
            if not key:
                continue
            if is_audio_file(key):
                self._files[name] = key
                self._fill()
            if box.choose(key) and box.chosen is not None:
                changes[name] = box.chosen.value
            else:
                found = False
        self._settings = replace(self._settings, **changes)  # type: ignore[arg-type]
        self._restore()
        if notify:
            self.changed.emit()
        return found

    def go_back(self, settings: Settings) -> None:
        """Restore earlier settings without a signal."""
        self._settings = settings
        self._restore()
        self.model.choose(settings.model)
        self.block.choose(str(settings.block_samples))

    def set_loop(self, loop: bool) -> None:
        """Loop files, or play them once; emits no signal."""
        self._settings = replace(self._settings, loop=loop)

    def show_running(self, *, running: bool, busy: bool) -> None:
        """Show Start or Stop."""
        self._running = running or busy
        self.start.setText("Stop" if self._running else "Start")
        self.start.setToolTip(self._actions["start"].toolTip())
        self.start.setProperty("running", self._running)
        self.start.style().unpolish(self.start)
        self.start.style().polish(self.start)
        self.record.setEnabled(running)
        self._paint_start()

    def show_recording(self, recording: bool) -> None:
        """Show whether a recording runs."""
        self.record.setChecked(recording)
        self.record.setText("Recording" if recording else "Record")

    def _paint_start(self) -> None:
        running = getattr(self, "_running", False)
        colour = self.theme.text if running else self.theme.on_accent
        self.start.setIcon(icon("stop" if running else "play", colour, size=16))

    def _restore(self) -> None:
        """Show the chosen settings again after "Open a file…" was picked."""
        self.input.choose(self._settings.input)
        self.output.choose(self._settings.output)

    def _pick_input(self, line: Choice) -> None:
        if line == choices.OPEN_FILE:
            self._restore()
            self._actions["open"].trigger()
        else:
            self.change(input=line.value)

    def _pick_output(self, line: Choice) -> None:
        if line == choices.SAVE_FILE:
            self._restore()
            self._actions["save"].trigger()
        else:
            self.change(output=line.value)

    def open_file(self, path: str) -> None:
        """Play a file."""
        self.choose(input_key=path, notify=True)

    def change(self, **changes: object) -> None:
        """Change settings; emits `changed` if they differ."""
        settings = replace(self._settings, **changes)  # type: ignore[arg-type]
        if settings != self._settings:
            self._settings = settings
            self.changed.emit()


def is_audio_file(key: str) -> bool:
    """Whether a key is the path of an audio file."""
    suffix = key.rsplit(".", 1)[-1].lower()
    return "\n" not in key and suffix in {"wav", "flac", "ogg", "mp3", "aif", "aiff"}


def _logo() -> QLabel:
    logo = QLabel()
    logo.setPixmap(app_icon().pixmap(38, 38))
    logo.setAccessibleName("Topoctave")
    logo.setToolTip("Topoctave: the missing octave, live")
    return logo
