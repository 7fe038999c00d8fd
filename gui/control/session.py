"""The session: opens the engine for the chosen settings and shows its state."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from gui.control.engine_thread import EngineThread
from gui.control.hotplug import HotPlug
from gui.control.notices import GO_BACK, RESCAN, RETRY, Notices, sentence
from gui.control.recording import RecordingControl
from gui.control.user_settings import Preferences
from gui.control.warnings import FEEDBACK, NO_DEVICES, TOO_SLOW, feedback_risk
from gui.engine_interface import Services
from gui.panels.layout import Panels
from gui.panels.transport import is_audio_file
from gui.widgets.device_choices import RATE_SEPARATOR, Choice
from realtime.dsp.processor import Audio
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.
    from realtime.engine.engine import Engine  # Loads PortAudio.

HOT_PLUG_KEY = "hot-plug"
HOT_PLUG_START_MS = 1500
MAX_RECENT_FILES = 8


class Session(QObject):
    """Starts, stops and restarts the engine, and shows the result.

    Owns the engine thread, the panels, the notices and the recording.

    Args:
        panels: The panels that show the state.
        services: The engine and the devices.
        requested: Settings of the command line, or None.
        preferences: Input, output and silenced notices of the last run.
    """

    def __init__(
        self,
        panels: Panels,
        services: Services,
        *,
        requested: Settings | None,
        preferences: Preferences,
    ) -> None:
        super().__init__(panels)
        self.panels = panels
        self.engine_thread = EngineThread(services, self)
        self.notices = Notices(panels.banner, preferences.silenced)
        self.recording = RecordingControl(self)
        self._requested = requested
        self._saved_keys = preferences.input_key, preferences.output_key
        self._hot_plug = HotPlug(self)
        self._hot_plug_start = QTimer(self)
        self._hot_plug_start.setSingleShot(True)
        self._hot_plug_start.setInterval(HOT_PLUG_START_MS)
        self._hot_plug_start.timeout.connect(lambda: self._hot_plug.start())
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
        self.engine_thread.job_failed.connect(self._job_failed)
        panels.spectrograms.loop.changed.connect(self.play_loop)
        self._hot_plug.changed.connect(self.devices_changed)
        self.notices.acted.connect(self._act)

    @property
    def active(self) -> bool:
        """True while the engine runs or opens."""
        return self.engine_thread.engine is not None or self.engine_thread.busy

    def begin(self) -> None:
        """List the devices, then play the clip or wait for Start."""
        self.panels.status.show_state("Loading", "looking for sound devices")
        self.engine_thread.list_devices()

    def close(self) -> None:
        """Stop everything within two seconds; later signals of the engine thread are ignored."""
        self.engine_thread.blockSignals(True)
        self._hot_plug_start.stop()
        self._hot_plug.stop()
        self.recording.close()
        self.engine_thread.shut_down()

    def toggle(self) -> None:
        """Start, or stop if active."""
        if self.active:
            self.stop()
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
        self.engine_thread.open(panels.transport.settings, position_s=position_s)
        panels.transport.show_running(running=False, busy=True)

    def stop(self) -> None:
        """Stop the engine."""
        self._end("Stopped")
        self.panels.spectrograms.set_hint("")

    def restart(self) -> None:
        """Open the current settings; the same file continues at its position."""
        same = (
            self._last_working is not None
            and self._last_working.input == self.panels.transport.settings.input
        )
        self.start(position_s=self.position_s if same else 0.0)

    def refresh(self) -> None:
        """Rescan the devices, then resume."""
        self._resume = self._resume or self.active
        self.recording.finish()
        self.panels.spectrograms.follow(None)
        self.panels.status.show_state("Loading", "looking for sound devices")
        self.notices.withdraw(key=HOT_PLUG_KEY)
        self.engine_thread.list_devices(rescan=True)

    def settings_changed(self) -> None:
        """Apply changed settings."""
        if self.active or is_audio_file(self.panels.transport.settings.input):
            self.restart()

    def lost(self, error: str) -> None:
        """The engine failed while running, for example because a device was unplugged."""
        self._end("Failed")
        advice = "Plug it in again or choose another device, then try again."
        self.notices.error(error, advice=advice, action=RETRY)

    def finished(self) -> None:
        """The file has ended."""
        self.position_s = 0.0
        self._end("Finished")

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
        panels, notices = self.panels, self.notices
        panels.spectrograms.set_hint("")
        self._last_working = panels.transport.settings
        if is_audio_file(self._last_working.input):
            path = self._last_working.input
            others = [other for other in self.recent_files if other != path]
            self.recent_files = (path, *others[: MAX_RECENT_FILES - 1])
        panels.spectrograms.follow(engine)
        panels.transport.show_running(running=True, busy=False)
        panels.status.show_state("Running")
        snapshot = engine.snapshot()
        self._show_route(snapshot)
        panels.performance.show_snapshot(snapshot)
        notices.withdraw(key=TOO_SLOW.key)
        names = f"{snapshot.input_name} {snapshot.output_name}"
        transport = panels.transport
        if feedback_risk(transport.input_is_device, transport.output_is_device, names):
            notices.warn(FEEDBACK)
        else:
            notices.withdraw(key=FEEDBACK.key)

    def _show_route(self, snapshot: Snapshot) -> None:
        transport = self.panels.transport
        self.panels.status.show_route(
            snapshot,
            source=_place(transport.input.chosen, snapshot.input_name),
            destination=_place(transport.output.chosen, snapshot.output_name),
        )

    def _failed(self, error: str) -> None:
        self.panels.spectrograms.set_hint("")
        self.panels.show_stopped("Failed")
        back = (
            self._last_working is not None and self._last_working != self.panels.transport.settings
        )
        advice = "Choose another input, output or model, or try again."
        self.notices.error(error, advice=advice, action=GO_BACK if back else RETRY)

    def _job_failed(self, error: str) -> None:
        # A method, because a signal from another thread needs a receiver object in this thread.
        self.notices.error(error)

    def _listed(self, devices: list[Device]) -> None:
        gone = self.panels.transport.set_devices(devices)
        if gone and self._listed_once:
            transport = self.panels.transport
            self.notices.info(
                f"No longer available: {', '.join(dict.fromkeys(gone))}. Chosen instead: "
                f"{transport.input.currentText()} into {transport.output.currentText()}."
            )
        if any(device.outputs for device in devices):
            self.notices.withdraw(key=NO_DEVICES.key)
        else:
            self.notices.warn(NO_DEVICES)
        if not self._listed_once:
            self._listed_once = True
            self._choose_at_start(devices)
            # Later, so that it does not delay the first start. On Linux without devices there is no
            # sound server that could report new ones.
            if devices or not sys.platform.startswith("linux"):
                self._hot_plug_start.start()
        elif self._resume:
            self.restart()
        else:
            self.panels.status.show_state("Stopped")
        self._resume = False

    def _choose_at_start(self, devices: list[Device]) -> None:
        transport, requested = self.panels.transport, self._requested
        transport.choose(
            input_key="default" if any(device.inputs for device in devices) else "demo",
            output_key="default" if any(device.outputs for device in devices) else "null",
        )
        wanted = (requested.input, requested.output) if requested is not None else self._saved_keys
        keys = [key if key != "default" else "" for key in wanted]
        found = transport.choose(input_key=keys[0], output_key=keys[1])
        if not found:
            lost = " or ".join(key.split("\n")[-1] for key in keys if key)
            self.notices.info(f"{lost} is not available; the default is used instead.")
        # A clip plays at once; a microphone needs the user to press Start.
        if not transport.input_is_device:
            self.start()
        else:
            self.panels.show_stopped("Stopped")
            self.panels.spectrograms.set_hint("Press Start, or the space bar")

    def devices_changed(self) -> None:
        """A device was added or removed."""
        if self.active:
            text = "Sound devices were added or removed. Rescanning stops the sound for a moment."
            self.notices.info(text, key=HOT_PLUG_KEY, action=RESCAN)
        else:
            self.refresh()

    def _act(self, action: str) -> None:
        if action == GO_BACK and self._last_working is not None:
            self.panels.transport.go_back(self._last_working)
            self.start(position_s=self.position_s)
        elif action == RETRY:
            self._resume = True
            self.refresh()
        elif action == RESCAN:
            self.refresh()


def _place(choice: Choice | None, name: str) -> str:
    """Display name of an input or output: the choice, with the device name for a default."""
    if choice is None:
        return name
    if choice.value == "default" and name != "default":
        return f"{choice.label} ({name})"
    return choice.label.split(RATE_SEPARATOR)[0]
