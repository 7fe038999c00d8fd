"""The main window: puts the panels together and carries messages between them.

One timer pulls the engine's snapshot and the taps; no panel knows of the engine's threads.
"""

import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QMainWindow,
    QMessageBox,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from PySide6.QtWidgets import QHBoxLayout as Row

from gui import theme as themes
from gui.abx_page import AbxPage
from gui.banner import Banner, Notice
from gui.colormap import ColourMap
from gui.controller import Controller
from gui.dialogs import Dialogs, recordings_folder
from gui.help_page import HelpPage
from gui.hotplug import HotPlug
from gui.icons import app_icon
from gui.keyboard import Keyboard
from gui.listening import Listening
from gui.loudness import LoudnessMatch
from gui.memory import Memory, Remembered
from gui.menu import build_menu
from gui.performance import Performance
from gui.ports import DeviceLine, Engine, Services
from gui.recording import RecordingControl
from gui.scale import Scale
from gui.spectrograms import Spectrograms
from gui.status_line import StatusLine
from gui.theme import ThemeChoice
from gui.transport import Transport, find_file
from gui.view_bar import STEP_S, ViewBar
from gui.watch import FEEDBACK, NO_DEVICES, SILENT, Advice, SilenceWatch, feedback_risk
from realtime.recorder import Recording
from realtime.settings import Settings
from realtime.snapshot import Snapshot, State

TICK_MS = 33
SLOW_TICKS = 5
"""Numbers change six times a second, so that they can be read; pictures 30 times."""
SPEECH_TICKS = 30
PANEL_WIDTH = 308
SETTLE_S = 0.25
"""After a change of the parameters the sound needs so long until it can be measured."""


class MainWindow(QMainWindow):
    """The whole program.

    Args:
        services: The engine and the devices.
        memory: What is remembered.
        settings: What the command line asked for; None for what is remembered.
        dialogs: Who asks for files.
    """

    def __init__(
        self,
        services: Services,
        memory: Memory,
        settings: Settings | None = None,
        dialogs: Dialogs | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("Topoctave")
        self.setWindowIcon(app_icon())
        self.setMinimumSize(1080, 600)
        self.resize(1280, 800)
        self._asked = settings
        self._memory = memory
        self._kept: Remembered = memory.load()
        self._dialogs = dialogs or Dialogs()
        self.theme = themes.resolve(self._kept.theme)
        self.controller = Controller(services, self)
        start = settings or Settings(
            model=self._kept.model,
            block_samples=self._kept.block_samples,
            loop=self._kept.loop,
        )
        self._build(start)
        self.recording = RecordingControl(self)
        self.hot_plug = HotPlug(self)
        self._match = LoudnessMatch()
        self._silence = SilenceWatch()
        self._keyboard = Keyboard(self, self.act, self._released)
        self._first_list = True
        self._resume = False
        self._good: Settings | None = None
        self._position_s = 0.0
        self._ticks = 0
        self._last_tick = time.monotonic()
        self._changed_at = 0.0
        self._closing = False
        self._connect()
        self.transport.set_models(services.list_models())
        self._restore()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self.status.show_state("Loading", "looking for sound devices")
        self.controller.list_devices()

    # ---- building

    def _build(self, settings: Settings) -> None:
        theme = self.theme
        self.transport = Transport(theme, settings)
        self.banner = Banner(theme)
        self.spectrograms = Spectrograms(theme)
        self.view_bar = ViewBar(theme)
        self.listening = Listening(theme)
        self.performance = Performance(theme)
        self.abx = AbxPage()
        self.status = StatusLine(theme)
        pictures = QWidget()
        column = QVBoxLayout(pictures)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.spectrograms, 1)
        column.addWidget(self.view_bar)
        self.centre = QStackedWidget()
        self.centre.addWidget(pictures)
        self.centre.addWidget(self.abx)
        panel = QWidget()
        column = QVBoxLayout(panel)
        column.setContentsMargins(0, 10, 10, 10)
        column.setSpacing(10)
        column.addWidget(self.listening)
        column.addWidget(self.performance)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFixedWidth(PANEL_WIDTH)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(panel)
        middle = Row()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(4)
        middle.addWidget(self.centre, 1)
        middle.addWidget(scroll)
        notes = QVBoxLayout()
        notes.setContentsMargins(12, 8, 12, 0)
        notes.addWidget(self.banner)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.transport)
        column.addLayout(notes)
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        controller, transport, view = self.controller, self.transport, self.view_bar
        controller.progressed.connect(lambda text: self.status.show_state("Loading", text))
        controller.opened.connect(self._opened)
        controller.failed.connect(self._failed)
        controller.closed.connect(self._closed)
        controller.listed.connect(self._listed)
        transport.toggled.connect(self.toggle)
        transport.changed.connect(self._settings_changed)
        transport.open_asked.connect(lambda: self.act("open"))
        transport.save_asked.connect(self._choose_output_file)
        transport.refresh_asked.connect(self.refresh)
        transport.record_asked.connect(self._toggle_record)
        self.listening.changed.connect(self._parameters_changed)
        self.listening.blind_asked.connect(lambda: self.act("blind"))
        self.performance.reset_asked.connect(lambda: self.act("reset"))
        self.spectrograms.read_out.connect(self.status.read_out.setText)
        self.spectrograms.range_changed.connect(
            lambda low, high: self._look(low_db=low, high_db=high)
        )
        view.sought.connect(self._seek)
        view.looped.connect(self._loop)
        view.scale_chosen.connect(lambda scale: self._look(scale=scale))
        view.spectrum_toggled.connect(lambda on: self._look(spectrum=on))
        view.wave_toggled.connect(lambda on: self._look(wave=on))
        view.freeze_toggled.connect(self.spectrograms.set_frozen)
        self.abx.bypass_wanted.connect(self.listening.set_bypass)
        self.abx.left.connect(lambda: self.set_blind(False))
        self.abx.export_asked.connect(self._export)
        self.recording.ended.connect(self._recorded)
        self.recording.refused.connect(lambda text: self._say("error", text))
        self.banner.silenced.connect(self._silence_for_good)
        self.banner.acted.connect(self._act_on_notice)
        self.hot_plug.changed.connect(self._devices_changed)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply_theme)

    def _restore(self) -> None:
        kept = self._kept
        self.listening.restore(kept.parameters, match=kept.match)
        loop = self._asked.loop if self._asked else kept.loop
        self.view_bar.loop.setChecked(loop)
        self.view_bar.spectrum.setChecked(kept.look.spectrum)
        self.view_bar.wave.setChecked(kept.look.wave)
        self.view_bar.scales[kept.look.scale].setChecked(True)
        self.spectrograms.set_look(kept.look)
        geometry = self._memory.geometry()
        if geometry is not None:
            self.restoreGeometry(geometry)
        self._fill_menu()

    def _fill_menu(self) -> None:
        self.transport.menu.setMenu(
            build_menu(
                self,
                act=self.act,
                colour_map=self._kept.look.colour_map,
                choose_map=lambda chosen: self._look(colour_map=chosen),
                theme=self._kept.theme,
                choose_theme=self.set_theme_choice,
            )
        )

    # ---- the engine

    @property
    def running(self) -> bool:
        """Audio runs."""
        return self.controller.engine is not None

    def toggle(self) -> None:
        """Start or stop."""
        if self.running or self.controller.busy:
            self.stop()
        else:
            self.start()

    def start(self, *, position_s: float = 0.0) -> None:
        """Open what is chosen and play."""
        self.banner.withdraw(kind="error")
        self.recording.finish()
        self.spectrograms.follow(None)
        self.spectrograms.set_hint("")
        self.status.show_state("Loading", "opening")
        self.controller.open(self.transport.settings, position_s=position_s)
        self.transport.show_running(running=False, busy=True)

    def stop(self) -> None:
        """Stop playing."""
        self.recording.finish()
        self.controller.close()
        self._show_stopped("Stopped")

    def refresh(self) -> None:
        """Look for devices again; what runs goes on after it."""
        self._resume = self._resume or self.running or self.controller.busy
        self.recording.finish()
        self.spectrograms.follow(None)
        self.status.show_state("Loading", "looking for sound devices")
        self.banner.withdraw(key="hot-plug")
        self.controller.list_devices(rescan=True)

    def _opened(self, engine: Engine) -> None:
        self._good = self.transport.settings
        self._match.reset()
        self._silence = SilenceWatch()
        self.spectrograms.follow(engine)
        self.spectrograms.set_hint("")
        self.transport.show_running(running=True, busy=False)
        self.status.show_state("Running")
        snapshot = engine.snapshot()
        self.status.show_way(snapshot)
        self.performance.show_snapshot(snapshot)
        names = f"{snapshot.input_name} {snapshot.output_name}"
        transport = self.transport
        if feedback_risk(transport.input_is_device, transport.output_is_device, names):
            self._advise(FEEDBACK)
        else:
            self.banner.withdraw(key=FEEDBACK.key)

    def _failed(self, error: str) -> None:
        self._show_stopped("Failed")
        back = self._good is not None and self._good != self.transport.settings
        advice = "Choose another input, output or model, or try again."
        self._say("error", f"{_sentence(error)} {advice}", action="Go back" if back else "Retry")

    def _closed(self) -> None:
        if not self._resume:
            self._show_stopped("Stopped")

    def _show_stopped(self, word: str) -> None:
        self.spectrograms.follow(None)
        self.spectrograms.input_meter.reset()
        self.spectrograms.output_meter.reset()
        self.performance.show_idle()
        self.view_bar.show_position(None)
        self.transport.show_running(running=False, busy=self.controller.busy)
        self.status.show_state(word)

    def _settings_changed(self) -> None:
        self._remember_settings()
        if self.running or self.controller.busy or find_file(self.transport.settings.input):
            same = self._good is not None and self._good.input == self.transport.settings.input
            self.start(position_s=self._position_s if same else 0.0)

    def _listed(self, devices: list[DeviceLine]) -> None:
        self.transport.set_devices(devices)
        if not any(device.outputs for device in devices):
            self._advise(NO_DEVICES)
        else:
            self.banner.withdraw(key=NO_DEVICES.key)
        if self._first_list:
            self._first_list = False
            self._choose_at_start(devices)
            # After the first start, so that nothing delays it.
            QTimer.singleShot(1500, self.hot_plug.start)
        elif self._resume:
            self.start(position_s=self._position_s)
        self._resume = False

    def _choose_at_start(self, devices: list[DeviceLine]) -> None:
        asked = self._asked
        microphone = any(device.inputs for device in devices)
        given = "default" if microphone else "demo"
        played = "default" if any(device.outputs for device in devices) else "null"
        transport = self.transport
        transport.choose(input_key=given, output_key=played)
        if asked is None:
            transport.choose(input_key=self._kept.input_key, output_key=self._kept.output_key)
        else:
            wanted_in = asked.input if asked.input != "default" else ""
            wanted_out = asked.output if asked.output != "default" else ""
            transport.choose(input_key=wanted_in, output_key=wanted_out)
        # A clip plays at once; a microphone waits to be let in.
        if not transport.input_is_device:
            self.start()
        else:
            self._show_stopped("Stopped")
            self.spectrograms.set_hint("Press Start, or the space bar")

    def _devices_changed(self) -> None:
        if self.running or self.controller.busy:
            text = "Sound devices came or went. Looking for them stops the sound for a moment."
            self.banner.say(Notice("info", text, key="hot-plug", action="Look now"))
        else:
            self.refresh()

    # ---- the timer

    def _tick(self) -> None:
        now = time.monotonic()
        elapsed, self._last_tick = now - self._last_tick, now
        self._ticks += 1
        slow = self._ticks % SLOW_TICKS == 0
        if slow:
            self._look_at_recorder()
        engine = self.controller.engine
        if engine is None:
            return
        snapshot = engine.snapshot()
        if snapshot.state is State.FAILED:
            self._lost(snapshot)
            return
        if snapshot.state is State.FINISHED:
            self._finished()
            return
        if self._silence.look(snapshot, elapsed) and self.transport.input_is_device:
            self._advise(SILENT)
        if not self.isVisible() or self.isMinimized():
            return
        if self.centre.currentIndex() == 0:
            self._draw(snapshot, elapsed)
        if slow:
            self._position_s = snapshot.position_s
            self.performance.show_snapshot(snapshot)
            self.view_bar.show_position(snapshot)
        if self._ticks % SPEECH_TICKS == 0:
            self.spectrograms.input_meter.describe()
            self.spectrograms.output_meter.describe()

    def _draw(self, snapshot: Snapshot, elapsed_s: float) -> None:
        pictures = self.spectrograms
        pictures.advance()
        pictures.input_meter.move_needle(snapshot.input_level, elapsed_s)
        pictures.output_meter.move_needle(snapshot.output_level, elapsed_s)
        parameters = self.controller.parameters
        settled = time.monotonic() - self._changed_at > SETTLE_S
        if pictures.latest is not None and settled and not parameters.bypass:
            given, made = pictures.latest
            if 0 < len(given.power) * pictures.hop_s < SETTLE_S:
                self._match.hear(
                    given.power,
                    made.power,
                    hop_s=pictures.hop_s,
                    made_gain_db=parameters.output_gain_db,
                )
                self.listening.set_match_gain(self._match.gain_db)

    def _lost(self, snapshot: Snapshot) -> None:
        self.recording.finish()
        self.controller.close()
        self._show_stopped("Failed")
        advice = "Plug it in again or choose another device, then try again."
        self._say("error", f"{_sentence(snapshot.error)} {advice}", action="Retry")

    def _finished(self) -> None:
        self.recording.finish()
        self.controller.close()
        self._position_s = 0.0
        self._show_stopped("Finished")

    def _look_at_recorder(self) -> None:
        text = self.recording.look()
        self.status.show_recording(text)
        self.transport.show_recording(self.recording.active)

    # ---- what the user does

    def act(self, name: str) -> None:
        """Do one of the actions of :data:`gui.keyboard.KEYS` or of the menu."""
        if self.blind and name in ("bypass", "listen_a", "blind", "answer_a", "answer_b"):
            self._act_blindly(name)
            return
        view, listening = self.view_bar, self.listening
        match name:
            case "start":
                self.toggle()
            case "bypass":
                listening.set_bypass(not listening.ab.bypass)
            case "listen_a":
                listening.set_bypass(True)
            case "match":
                listening.match.toggle()
            case "blind":
                self.set_blind(True)
            case "record":
                self._toggle_record()
            case "freeze":
                view.freeze.toggle()
            case "linear" | "mel" | "log":
                view.scales[Scale(name)].click()
            case "spectrum":
                view.spectrum.toggle()
            case "wave":
                view.wave.toggle()
            case "loop":
                view.loop.toggle()
            case "back" | "forward":
                view.step(STEP_S if name == "forward" else -STEP_S)
            case "more" | "less":
                listening.mix.set_value(listening.mix.value + (5 if name == "more" else -5))
            case "reset":
                self._reset()
            case "open":
                if path := self._dialogs.open_sound(self):
                    self.transport.choose(input_key=path, told=True)
            case "refresh":
                self.refresh()
            case "dismiss":
                if self.banner.notice is not None:
                    self.banner.dismiss()
                elif self.blind:
                    self.set_blind(False)
            case "folder":
                folder = self._dialogs.folder(self, self._folder)
                self._kept = replace(self._kept, folder=folder or self._kept.folder)
            case "unsilence":
                self._kept = replace(self._kept, silenced=())
            case "help":
                HelpPage(self).show()
            case "about":
                self._about()
            case "menu":
                self.transport.menu.showMenu()
            case "quit":
                self.close()

    def _act_blindly(self, name: str) -> None:
        match name:
            case "bypass":
                self.abx.play("B")
            case "listen_a":
                self.abx.play("A")
            case "blind":
                self.abx.play("X")
            case _:
                self.abx.answer(said_b=name == "answer_b")

    def _released(self, name: str) -> None:
        """A key that was held is let go."""
        if name == "bypass" and not self.blind:
            self.act("bypass")

    @property
    def blind(self) -> bool:
        """A blind test is on."""
        return self.centre.currentIndex() == 1

    def set_blind(self, blind: bool) -> None:
        """Go to the blind test, or back to the pictures."""
        if blind == self.blind:
            return
        self.centre.setCurrentIndex(1 if blind else 0)
        self.listening.set_blind(blind)
        if blind:
            if not self.running and not self.controller.busy:
                self.start()
            self.abx.enter()
        else:
            self.listening.set_bypass(False)

    def _parameters_changed(self) -> None:
        self._changed_at = time.monotonic()
        self.controller.parameters = self.listening.parameters

    def _seek(self, seconds: float) -> None:
        if self.controller.engine is not None:
            self.controller.engine.seek(seconds)

    def _loop(self, loop: bool) -> None:
        if loop != self.transport.settings.loop:
            self.transport.set_loop(loop)
            if self.running and not self.transport.input_is_device:
                self.start(position_s=self._position_s)

    def _reset(self) -> None:
        if self.controller.engine is not None:
            self.controller.engine.reset_counters()
        for meter in (self.spectrograms.input_meter, self.spectrograms.output_meter):
            meter.needle.clear_clip()
            meter.update()

    def _look(self, **changes: object) -> None:
        look = replace(self._kept.look, **changes)  # type: ignore[arg-type]
        if look != self._kept.look:
            self._kept = replace(self._kept, look=look)
            self.spectrograms.set_look(look)

    def _choose_output_file(self) -> None:
        if path := self._dialogs.save_sound(self):
            self.transport.choose(output_key=path, told=True)

    @property
    def _folder(self) -> str:
        return self._kept.folder or recordings_folder()

    def _toggle_record(self) -> None:
        engine = self.controller.engine
        if self.recording.active:
            self.recording.finish()
        elif engine is not None:
            self.recording.begin(engine, Path(self._folder))
        self.transport.show_recording(self.recording.active)

    def _recorded(self, recording: Recording) -> None:
        self.transport.show_recording(False)
        if recording.error:
            self._say("error", recording.error)
        else:
            names = f"{recording.input_path.name} and {recording.output_path.name}"
            folder = recording.input_path.parent
            self._say("info", f"Recorded {recording.seconds:.1f} s: {names} in {folder}")

    def _export(self) -> None:
        path = self._dialogs.save_table(self)
        if not path:
            return
        settings = self.transport.settings
        parameters = self.listening.parameters
        about = {
            "input": self.transport.input.currentText(),
            "model": settings.model,
            "mix": f"{parameters.mix:g}",
            "loudness_match_db": f"{self._match.gain_db if self.listening.match.isChecked() else 0:.1f}",
        }
        try:
            self.abx.write(Path(path), about)
        except OSError as error:
            self._say("error", f"The answers could not be written: {error.strerror}.")
        else:
            self._say("info", f"Wrote {self.abx.session.total} answers to {path}")

    def _about(self) -> None:
        QMessageBox.about(
            self,
            "About Topoctave",
            "<b>Topoctave</b><br>Gives 22.05 kHz audio its missing top octave, live.<br><br>"
            "MIT licence; the models name their own licence, see "
            "<i>topoctave models</i>.",
        )

    # ---- notices

    def _say(self, kind: str, text: str, *, key: str = "", action: str = "") -> None:
        self.banner.say(Notice(kind, text, key, action))

    def _advise(self, advice: Advice) -> None:
        if advice.key not in self._kept.silenced:
            self._say("warning", advice.text, key=advice.key)

    def _silence_for_good(self, key: str) -> None:
        self._kept = replace(self._kept, silenced=(*self._kept.silenced, key))

    def _act_on_notice(self, action: str) -> None:
        if action == "Go back" and self._good is not None:
            good = self._good
            self.transport.go_back(good)
            self.start(position_s=self._position_s)
        elif action == "Retry":
            self._resume = True
            self.refresh()
        elif action == "Look now":
            self.refresh()

    # ---- theme, memory, end

    def set_theme_choice(self, choice: ThemeChoice) -> None:
        """Dark, light, or like the system."""
        self._kept = replace(self._kept, theme=choice)
        self._apply_theme()

    def _apply_theme(self, *_: object) -> None:
        theme = themes.resolve(self._kept.theme)
        if theme == self.theme:
            return
        self.theme = theme
        app = QApplication.instance()
        if isinstance(app, QApplication):
            themes.apply(app, theme)
        for part in (
            self.transport, self.banner, self.spectrograms, self.view_bar, self.listening,
            self.performance, self.status,
        ):  # fmt: skip
            part.set_theme(theme)

    def _remember_settings(self) -> None:
        settings = self.transport.settings
        given, played = self.transport.input.chosen, self.transport.output.chosen
        self._kept = replace(
            self._kept,
            input_key=given.key if given else "",
            # A file that was written is not to be written over by the next start.
            output_key=played.key if played and not find_file(played.key) else "",
            model=settings.model,
            block_samples=settings.block_samples,
            loop=settings.loop,
        )

    def changeEvent(self, event: QEvent) -> None:
        """Catch up when the window is shown again."""
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything within two seconds and remember."""
        if not self._closing:
            self._closing = True
            self._timer.stop()
            self.recording.close()
            if self._asked is None:
                self._remember_settings()
            self._kept = replace(
                self._kept,
                match=self.listening.match.isChecked(),
                parameters=replace(
                    self.listening.parameters,
                    output_gain_db=self.listening.output_gain.value,
                ),
                loop=self.transport.settings.loop,
            )
            self._memory.save(self._kept)
            self._memory.save_geometry(self.saveGeometry())
            self.controller.shut_down()
        super().closeEvent(event)


def _sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
