"""Opens, starts and stops engines on a thread of its own, so that the window never waits.

Everything that may take long or touches the audio system (listing devices, loading a model,
opening, starting and stopping) runs on this one thread, one after the other; answers come back
to the GUI thread as Qt signals. A request that was overtaken by a newer one is dropped. A job that
raises what nobody foresaw is reported in one line, and the thread goes on with the next one.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from gui.engine_interface import Engine, Services
from realtime.dsp.parameters import Parameters
from realtime.engine.settings import Settings
from realtime.errors import TopoctaveError

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.

JOIN_S = 1.5
"""A window closes within two seconds, whatever a driver does."""


@dataclass(frozen=True)
class _Job:
    """Something to do on the engine's thread, and what it is called if it fails."""

    name: str
    run: Callable[[], None]


class Controller(QObject):
    """The engine's life as the window sees it; call its methods in the GUI thread."""

    progressed = Signal(str)
    """What is being done, in a few words."""
    opened = Signal(object)
    """An engine runs."""
    failed = Signal(str)
    """One line: why there is none."""
    closed = Signal()
    """The engine that ran is stopped."""
    listed = Signal(list)
    """Sound devices, as :class:`realtime.audio_io.devices.Device`."""
    broke = Signal(str)
    """One line: what failed without anybody waiting for its answer."""
    _settled = Signal(int, object, str)

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._parameters = Parameters()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._latest = 0
        self._live: Engine | None = None  # The worker thread's; the GUI's is `engine`.
        self.engine: Engine | None = None
        """What runs, None while nothing does."""
        self.busy = False
        """An engine is being opened."""
        self._settled.connect(self._settle)
        self._thread = threading.Thread(target=self._work, name="gui-engine", daemon=True)
        self._thread.start()

    @property
    def parameters(self) -> Parameters:
        """The A/B mix and gains, of the engine that runs and of the next one."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: Parameters) -> None:
        self._parameters = parameters
        if self.engine is not None:
            self.engine.parameters = parameters

    def open(self, settings: Settings, *, position_s: float = 0.0) -> None:
        """Stop what runs, open anew and start; at `position_s` if the input is a file."""
        request = self._next()
        self.busy = True
        self._jobs.put(_Job("opening", lambda: self._open(request, settings, position_s)))

    def close(self) -> None:
        """Stop what runs."""
        request = self._next()
        self.busy = False
        self._jobs.put(_Job("stopping", lambda: self._close(request)))

    def list_devices(self, *, rescan: bool = False) -> None:
        """Ask for the sound devices; a new scan stops what runs, as PortAudio must restart."""
        if rescan:
            self.close()
        self._jobs.put(_Job("looking for sound devices", lambda: self._list(rescan)))

    def shut_down(self) -> bool:
        """Stop everything and end the thread; False if a driver hangs and it was left behind."""
        self._next()
        self._jobs.put(_Job("stopping", self._stop_live))
        self._jobs.put(None)
        self._thread.join(JOIN_S)
        return not self._thread.is_alive()

    def _next(self) -> int:
        self._latest += 1
        self.engine = None
        return self._latest

    def _settle(self, request: int, engine: Engine | None, error: str) -> None:
        """In the GUI thread: take the answer to the newest request."""
        if request != self._latest:
            return
        self.busy = False
        self.engine = engine
        if error:
            self.failed.emit(error)
        elif engine is None:
            self.closed.emit()
        else:
            # The listener may have turned a knob while it was being opened.
            engine.parameters = self._parameters
            self.opened.emit(engine)

    # From here on: the worker thread.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._reporting(job.name):
                job.run()

    @contextlib.contextmanager
    def _reporting(self, name: str) -> Iterator[None]:
        try:
            yield
        # The window must outlive whatever a driver or a model does.
        except Exception as error:  # noqa: BLE001
            self._tell(self.broke, f"{name} failed: {type(error).__name__}: {one_line(error)}")

    def _open(self, request: int, settings: Settings, position_s: float) -> None:
        self._stop_live()
        if request != self._latest:
            return
        try:
            self._live = self._services.open_engine(
                settings, parameters=self._parameters, progress=self._progress
            )
            if position_s > 0:
                self._live.seek(position_s)
            if request == self._latest:
                self._live.start()
        except (TopoctaveError, ValueError, OSError) as error:
            self._stop_live()
            self._tell(self._settled, request, None, one_line(error))
        # As in `_reporting`, but here somebody waits for the answer.
        except Exception as error:  # noqa: BLE001
            self._stop_live()
            text = f"{type(error).__name__}: {one_line(error)}"
            self._tell(self._settled, request, None, text)
        else:
            self._tell(self._settled, request, self._live, "")

    def _progress(self, text: str) -> None:
        self._tell(self.progressed, text)

    def _close(self, request: int) -> None:
        self._stop_live()
        self._tell(self._settled, request, None, "")

    def _tell(self, signal: SignalInstance, *values: object) -> None:
        # A window that was closed meanwhile has nobody to tell any more.
        with contextlib.suppress(RuntimeError):
            signal.emit(*values)

    def _stop_live(self) -> None:
        engine, self._live = self._live, None
        if engine is not None:
            with self._reporting("stopping"):
                engine.stop()

    def _list(self, rescan: bool) -> None:
        devices: list[Device] = []
        # Without an audio system, or with a broken one, the clip and files still play, into
        # nowhere or a file.
        try:
            with contextlib.suppress(TopoctaveError, OSError):
                devices = self._services.list_devices(rescan)
        finally:
            self._tell(self.listed, devices)


def one_line(error: BaseException) -> str:
    """An error's text without line breaks."""
    text = " ".join(str(error).split())
    return text or type(error).__name__
