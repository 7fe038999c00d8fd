"""One sitting: what is chosen becomes an engine, and what becomes of it is shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from gui.control.engine_thread import Controller
from gui.control.hotplug import HotPlug
from gui.control.notices import GO_BACK, LOOK_NOW, RETRY, Notices, sentence
from gui.control.recording import RecordingControl
from gui.control.user_settings import Remembered
from gui.control.warnings import FEEDBACK, NO_DEVICES, TOO_SLOW, feedback_risk
from gui.engine_interface import Engine, Services
from gui.panels.layout import Panels
from gui.panels.transport import find_file
from gui.widgets.device_choices import RATE_SEPARATOR, Choice
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.

HOT_PLUG_KEY = "hot-plug"
HOT_PLUG_START_MS = 1500


class Session(QObject):
    """Starts, stops and starts anew, and says what came of it.

    The one owner of the engine's controller, the panels, the notices and the recording; whoever
    else needs them asks the session.

    Args:
        panels: Where it is shown.
        services: The engine and the devices.
        asked: What the command line asked for.
        remembered: InputStream, output and silenced notices of the last time.
    """

    def __init__(
        self,
        panels: Panels,
        services: Services,
        *,
        asked: Settings | None,
        remembered: Remembered,
    ) -> None:
        super().__init__(panels)
        self.panels = panels
        self.controller = Controller(services, self)
        self.notices = Notices(panels.banner, remembered.silenced)
        self.recording = RecordingControl(self)
        self._asked = asked
        self._remembered = remembered.input_key, remembered.output_key
        self._hot_plug = HotPlug(self)
        self._hot_plug_start = QTimer(self)
        self._hot_plug_start.setSingleShot(True)
        self._hot_plug_start.setInterval(HOT_PLUG_START_MS)
        self._hot_plug_start.timeout.connect(lambda: self._hot_plug.start())
        self._begun = False
        self._resume = False
        self._good: Settings | None = None
        self.position_s = 0.0
        """Where a file input stood when it was last looked at."""
        self.controller.progressed.connect(self._progressed)
        self.controller.opened.connect(self._opened)
        self.controller.failed.connect(self._failed)
        self.controller.listed.connect(self._listed)
        self.controller.broke.connect(self._broke)
        self._hot_plug.changed.connect(self.devices_changed)
        self.notices.acted.connect(self._act)

    @property
    def active(self) -> bool:
        """Audio runs, or is about to."""
        return self.controller.engine is not None or self.controller.busy

    def begin(self) -> None:
        """Look for devices, then play the clip or wait for Start."""
        self.panels.status.show_state("Loading", "looking for sound devices")
        self.controller.list_devices()

    def close(self) -> None:
        """End everything within two seconds; what the engine's thread says from now on is lost."""
        self.controller.blockSignals(True)
        self._hot_plug_start.stop()
        self._hot_plug.stop()
        self.recording.close()
        self.controller.shut_down()

    def toggle(self) -> None:
        """Start or stop."""
        if self.active:
            self.stop()
        else:
            self.start()

    def start(self, *, position_s: float = 0.0) -> None:
        """Open what is chosen and play, a file from `position_s` on."""
        panels = self.panels
        self.notices.withdraw(kind="error")
        self.recording.finish()
        panels.spectrograms.follow(None)
        panels.spectrograms.set_hint("")
        panels.status.show_state("Loading", "opening")
        self.controller.open(panels.transport.settings, position_s=position_s)
        panels.transport.show_running(running=False, busy=True)

    def stop(self) -> None:
        """Stop playing."""
        self._end("Stopped")
        self.panels.spectrograms.set_hint("")

    def restart(self) -> None:
        """Play what is chosen by now, a file from where it stands."""
        same = self._good is not None and self._good.input == self.panels.transport.settings.input
        self.start(position_s=self.position_s if same else 0.0)

    def refresh(self) -> None:
        """Look for devices again; what runs goes on after it."""
        self._resume = self._resume or self.active
        self.recording.finish()
        self.panels.spectrograms.follow(None)
        self.panels.status.show_state("Loading", "looking for sound devices")
        self.notices.withdraw(key=HOT_PLUG_KEY)
        self.controller.list_devices(rescan=True)

    def settings_changed(self) -> None:
        """Something else was chosen."""
        if self.active or find_file(self.panels.transport.settings.input):
            self.restart()

    def lost(self, error: str) -> None:
        """The engine failed while it ran, a device went away."""
        self._end("Failed")
        advice = "Plug it in again or choose another device, then try again."
        self.notices.error(error, advice=advice, action=RETRY)

    def finished(self) -> None:
        """The file is at its end."""
        self.position_s = 0.0
        self._end("Finished")

    def _end(self, word: str) -> None:
        self.recording.finish()
        self.controller.close()
        self.panels.show_stopped(word)

    def _progressed(self, text: str) -> None:
        if self.controller.busy:
            self.panels.status.show_state("Loading", text)
            self.panels.spectrograms.set_hint(sentence(text.rstrip(".…")).rstrip(".") + "…")

    def _opened(self, engine: Engine) -> None:
        panels, notices = self.panels, self.notices
        panels.spectrograms.set_hint("")
        self._good = panels.transport.settings
        panels.spectrograms.follow(engine)
        panels.transport.show_running(running=True, busy=False)
        panels.status.show_state("Running")
        snapshot = engine.snapshot()
        self._show_way(snapshot)
        panels.performance.show_snapshot(snapshot)
        notices.withdraw(key=TOO_SLOW.key)
        names = f"{snapshot.input_name} {snapshot.output_name}"
        transport = panels.transport
        if feedback_risk(transport.input_is_device, transport.output_is_device, names):
            notices.advise(FEEDBACK)
        else:
            notices.withdraw(key=FEEDBACK.key)

    def _show_way(self, snapshot: Snapshot) -> None:
        transport = self.panels.transport
        self.panels.status.show_way(
            snapshot,
            given=_place(transport.input.chosen, snapshot.input_name),
            played=_place(transport.output.chosen, snapshot.output_name),
        )

    def _failed(self, error: str) -> None:
        self.panels.spectrograms.set_hint("")
        self.panels.show_stopped("Failed")
        back = self._good is not None and self._good != self.panels.transport.settings
        advice = "Choose another input, output or model, or try again."
        self.notices.error(error, advice=advice, action=GO_BACK if back else RETRY)

    def _broke(self, error: str) -> None:
        # A method, as a signal from another thread needs an object of this one.
        self.notices.error(error)

    def _listed(self, devices: list[Device]) -> None:
        gone = self.panels.transport.set_devices(devices)
        if gone and self._begun:
            transport = self.panels.transport
            self.notices.info(
                f"No longer there: {', '.join(dict.fromkeys(gone))}. Chosen instead: "
                f"{transport.input.currentText()} into {transport.output.currentText()}."
            )
        if any(device.outputs for device in devices):
            self.notices.withdraw(key=NO_DEVICES.key)
        else:
            self.notices.advise(NO_DEVICES)
        if not self._begun:
            self._begun = True
            self._choose_at_start(devices)
            # After the first start, so that nothing delays it. On Linux without any device there
            # is no sound server to tell of new ones.
            if devices or not sys.platform.startswith("linux"):
                self._hot_plug_start.start()
        elif self._resume:
            self.restart()
        else:
            self.panels.status.show_state("Stopped")
        self._resume = False

    def _choose_at_start(self, devices: list[Device]) -> None:
        transport, asked = self.panels.transport, self._asked
        transport.choose(
            input_key="default" if any(device.inputs for device in devices) else "demo",
            output_key="default" if any(device.outputs for device in devices) else "null",
        )
        wanted = (asked.input, asked.output) if asked is not None else self._remembered
        keys = [key if key != "default" else "" for key in wanted]
        found = transport.choose(input_key=keys[0], output_key=keys[1])
        if not found:
            lost = " or ".join(key.split("\n")[-1] for key in keys if key)
            self.notices.info(f"{lost} is not there (any more); the default is used instead.")
        # A clip plays at once; a microphone waits to be let in.
        if not transport.input_is_device:
            self.start()
        else:
            self.panels.show_stopped("Stopped")
            self.panels.spectrograms.set_hint("Press Start, or the space bar")

    def devices_changed(self) -> None:
        """A device came or went."""
        if self.active:
            text = "Sound devices came or went. Looking for them stops the sound for a moment."
            self.notices.info(text, key=HOT_PLUG_KEY, action=LOOK_NOW)
        else:
            self.refresh()

    def _act(self, action: str) -> None:
        if action == GO_BACK and self._good is not None:
            self.panels.transport.go_back(self._good)
            self.start(position_s=self.position_s)
        elif action == RETRY:
            self._resume = True
            self.refresh()
        elif action == LOOK_NOW:
            self.refresh()


def _place(choice: Choice | None, name: str) -> str:
    """Where sound comes from or goes to: as it was chosen, a default with its device's name."""
    if choice is None:
        return name
    if choice.value == "default" and name != "default":
        return f"{choice.label} ({name})"
    return choice.label.split(RATE_SEPARATOR)[0]
