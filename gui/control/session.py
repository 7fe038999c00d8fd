"""The session: opens the engine for the chosen settings and shows its state."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from gui.control.engine_thread import EngineThread, Services
from gui.control.hotplug import HotPlug
from gui.control.notices import (
    FEEDBACK,
    GO_BACK,
    HOT_PLUGGED,
    NO_DEVICES,
    RESCAN,
    RETRY,
    TOO_SLOW,
    Notices,
    feedback_risk,
    sentence,
)
from gui.control.recording import RecordingControl
from gui.control.user_settings import Preferences
from gui.panels.layout import Panels
from gui.panels.transport import is_audio_file
from gui.widgets.device_choices import RATE_SEPARATOR, Choice
from realtime.dsp.processor import Audio
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot, State

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.
    from realtime.engine.engine import Engine  # Loads PortAudio.

MAX_RECENT_FILES = 8


class Session(QObject):
    """Starts, stops and restarts the engine, and shows the result.

    Owns the engine thread, the notices and the recording.

    Args:
        panels: The panels that show the state.
        services: The engine and the devices.
        settings: Input and output to start with, by name or saved key.
        preferences: Silenced notices, recent files and the folder of recordings.
    """

    def __init__(
        self, panels: Panels, services: Services, settings: Settings, preferences: Preferences
    ) -> None:
        super().__init__(panels)
        self.panels = panels
        self.engine_thread = EngineThread(services, self)
        self.notices = Notices(panels.banner, preferences.silenced)
        self.recording = RecordingControl(self.notices, preferences.folder)
        self._wanted = settings
        self._hot_plug = HotPlug(self)
        self._listed_once = False
        self._resume = False
        self._last_working: Settings | None = None
        self.recent_files = preferences.recent
        """Paths of the last inputs that were files, the newest first."""
        self.position_s = 0.0
        """Last known position of a file input, in seconds."""
        self.engine_thread.progressed.connect(self._progressed)
        self.engine_thread.opened.connect(self._opened)
        self.engine_thread.failed.connect(self._failed)
        self.engine_thread.listed.connect(self._listed)
        self.engine_thread.job_failed.connect(self.notices.error)
        panels.spectrograms.loop.changed.connect(self.play_loop)
        self._hot_plug.changed.connect(self.devices_changed)
        panels.banner.acted.connect(self._act)

    @property
    def active(self) -> bool:
        """True while the engine runs or opens."""
        return self.engine_thread.engine is not None or self.engine_thread.busy

    def close(self, deadline: float) -> None:
        """Stop everything, and wait until this time of ``time.monotonic`` at most."""
        self._hot_plug.blockSignals(True)
        self.recording.finish()
        self.engine_thread.shut_down()
        self.recording.close(deadline)
        self.engine_thread.join(deadline)

    def toggle(self) -> None:
        """Start, or stop if active."""
        if self.active:
            self._end("Stopped")
            self.panels.spectrograms.set_hint("")
        else:
            self.start()

    def start(self, *, position_s: float = 0.0) -> None:
        """Open the chosen settings and play, a file from `position_s` on."""
        panels = self.panels
        self.notices.withdraw(kind="error")
        self.recording.finish()
        panels.spectrograms.follow(None)
        panels.spectrograms.set_hint("")
        panels.status.show_state("Loading", "opening")
        settings, parameters = panels.transport.settings, panels.listening.parameters
        self.engine_thread.open(settings, parameters, position_s)
        panels.transport.show_running(running=False, busy=True)

    def restart(self) -> None:
        """Open the current settings; the same file continues at its position."""
        last, settings = self._last_working, self.panels.transport.settings
        same = last is not None and last.input == settings.input
        self.start(position_s=self.position_s if same else 0.0)

    def refresh(self, *, rescan: bool = True) -> None:
        """List the devices, anew or for the first time; then resume, play the clip or wait."""
        self._resume = self._resume or self.active
        self.recording.finish()
        self.panels.spectrograms.follow(None)
        self.panels.status.show_state("Loading", "looking for sound devices")
        self.notices.withdraw(key=HOT_PLUGGED.key)
        self.engine_thread.list_devices(rescan=rescan)

    def settings_changed(self) -> None:
        """Apply changed settings."""
        if self.active or is_audio_file(self.panels.transport.settings.input):
            self.restart()

    def ended(self, snapshot: Snapshot) -> None:
        """The file has ended, or the engine has failed, for example without its device."""
        if snapshot.state is State.FINISHED:
            self.position_s = 0.0
            self._end("Finished")
        else:
            self._end("Failed")
            advice = "Plug it in again or choose another device, then try again."
            self.notices.error(snapshot.error, advice, RETRY)

    def play_loop(self, sound: Audio | None) -> None:
        """Play a sound ``[C, n]`` at 22.05 kHz round and round; None for the input again."""
        if self.engine_thread.engine is not None:
            self.engine_thread.engine.play_loop(sound)

    def _end(self, word: str) -> None:
        self.recording.finish()
        self.engine_thread.close()
        self.panels.show_stopped(word)

    def _progressed(self, text: str) -> None:
        if self.engine_thread.busy:
            self.panels.status.show_state("Loading", text)
            self.panels.spectrograms.set_hint(sentence(text.rstrip(".…")).rstrip(".") + "…")

    def _opened(self, engine: Engine) -> None:
        panels, notices, transport = self.panels, self.notices, self.panels.transport
        panels.spectrograms.set_hint("")
        self._last_working = transport.settings
        path = self._last_working.input
        if is_audio_file(path):
            recent = dict.fromkeys((path, *self.recent_files))
            self.recent_files = tuple(recent)[:MAX_RECENT_FILES]
        # They may have changed while the engine was being opened.
        engine.parameters = panels.listening.parameters
        panels.spectrograms.follow(engine)
        transport.show_running(running=True, busy=False)
        panels.status.show_state("Running")
        snapshot = engine.snapshot()
        panels.show_models(snapshot)
        panels.status.show_route(
            snapshot,
            source=_place(transport.input.chosen, snapshot.input_name),
            destination=_place(transport.output.chosen, snapshot.output_name),
        )
        panels.performance.show_snapshot(snapshot)
        notices.withdraw(key=TOO_SLOW.key)
        names = f"{snapshot.input_name} {snapshot.output_name}"
        risk = feedback_risk(transport.input_is_device, transport.output_is_device, names)
        notices.show_if(risk, FEEDBACK)

    def _failed(self, error: str) -> None:
        self.panels.spectrograms.set_hint("")
        self.panels.show_stopped("Failed")
        back = self._last_working not in (None, self.panels.transport.settings)
        advice = "Choose another input, output or model, or try again."
        self.notices.error(error, advice, GO_BACK if back else RETRY)

    def _listed(self, devices: list[Device]) -> None:
        gone = self.panels.transport.set_devices(devices)
        if gone and self._listed_once:
            transport = self.panels.transport
            self.notices.info(
                f"No longer available: {', '.join(dict.fromkeys(gone))}. Chosen instead: "
                f"{transport.input.currentText()} into {transport.output.currentText()}."
            )
        self.notices.show_if(not any(device.outputs for device in devices), NO_DEVICES)
        if not self._listed_once:
            self._listed_once = True
            self._choose_at_start(devices)
            # On Linux without devices there is no sound server that could report new ones.
            if devices or not sys.platform.startswith("linux"):
                self._hot_plug.start()
        elif self._resume:
            self.restart()
        else:
            self.panels.status.show_state("Stopped")
        self._resume = False

    def _choose_at_start(self, devices: list[Device]) -> None:
        transport, wanted = self.panels.transport, self._wanted
        transport.choose(
            input_key="default" if any(device.inputs for device in devices) else "demo",
            output_key="default" if any(device.outputs for device in devices) else "null",
        )
        keys = ["" if key == "default" else key for key in (wanted.input, wanted.output)]
        found = transport.choose(input_key=keys[0]), transport.choose(output_key=keys[1])
        for key in (key for key, there in zip(keys, found, strict=True) if not there):
            name = key.split("\n")[-1]
            self.notices.info(f"{name} is not available; the default is used instead.")
        # A clip plays at once; a microphone needs the user to press Start.
        if not transport.input_is_device:
            self.start()
        else:
            self.panels.show_stopped("Stopped")
            self.panels.spectrograms.set_hint("Press Start, or the space bar")

    def devices_changed(self) -> None:
        """A device was added or removed."""
        if self.active:
            self.notices.show(HOT_PLUGGED)
        else:
            self.refresh()

    def _act(self, action: str) -> None:
        if action == GO_BACK and self._last_working is not None:
            self.panels.transport.go_back(self._last_working)
            self.start(position_s=self.position_s)
        elif action in (RETRY, RESCAN):
            self._resume = self._resume or action == RETRY
            self.refresh()


def _place(choice: Choice | None, name: str) -> str:
    """Display name of an input or output: the choice, with the device name for a default."""
    if choice is None:
        return name
    if choice.value == "default" and name != "default":
        return f"{choice.label} ({name})"
    return choice.label.split(RATE_SEPARATOR)[0]
