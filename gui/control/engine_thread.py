"""Opens, starts and stops engines on a worker thread, so that the window never blocks.

Listing devices, loading a model, opening, starting and stopping run on this one thread in order.
Results return to the GUI thread as Qt signals. A newer request cancels an older one. An unexpected
exception is reported in one line, and the thread continues with the next job.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from gui.engine_interface import Services
from realtime.dsp.parameters import Parameters
from realtime.engine.settings import Settings
from realtime.errors import TopoctaveError

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.
    from realtime.engine.engine import Engine  # Loads PortAudio.

JOIN_S = 1.5
"""Limit for the thread to end: the window must close within two seconds."""


@dataclass(frozen=True)
class _Job:
    """A job for the engine thread and its name in error messages."""

    name: str
    run: Callable[[], None]


class EngineThread(QObject):
    """Owns the engine and its thread. Call the methods in the GUI thread."""

    progressed = Signal(str)
    """The current step of opening, in a few words."""
    opened = Signal(object)
    """The engine is running."""
    failed = Signal(str)
    """Why the engine could not be opened, in one line."""
    closed = Signal()
    """The engine has stopped."""
    listed = Signal(list)
    """List of :class:`realtime.audio_io.devices.Device`."""
    job_failed = Signal(str)
    """Failure of a job that has no other error signal, in one line."""
    _settled = Signal(int, object, str)

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._parameters = Parameters()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._latest = 0
        self._live: Engine | None = None  # Used by the worker thread; the GUI thread uses `engine`.
        self.engine: Engine | None = None
        """The running engine, or None."""
        self.busy = False
        """True while an engine is being opened."""
        self._settled.connect(self._settle)
        self._thread = threading.Thread(target=self._work, name="gui-engine", daemon=True)
        self._thread.start()

    @property
    def parameters(self) -> Parameters:
        """Bypass, mix and gains of the running engine and of the next one."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: Parameters) -> None:
        self._parameters = parameters
        if self.engine is not None:
            self.engine.parameters = parameters

    def open(self, settings: Settings, *, position_s: float = 0.0) -> None:
        """Stop the running engine, open a new one and start it; a file starts at `position_s`."""
        request = self._next()
        self.busy = True
        self._jobs.put(_Job("opening", lambda: self._open(request, settings, position_s)))

    def close(self) -> None:
        """Stop the running engine."""
        request = self._next()
        self.busy = False
        self._jobs.put(_Job("stopping", lambda: self._close(request)))

    def list_devices(self, *, rescan: bool = False) -> None:
        """List the sound devices. A rescan stops the engine, because PortAudio must restart."""
        if rescan:
            self.close()
        self._jobs.put(_Job("looking for sound devices", lambda: self._list(rescan)))

    def shut_down(self) -> bool:
        """Stop the engine and end the thread; False if the thread did not end in time."""
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
        """Take the result of the newest request, in the GUI thread."""
        if request != self._latest:
            return
        self.busy = False
        self.engine = engine
        if error:
            self.failed.emit(error)
        elif engine is None:
            self.closed.emit()
        else:
            # The parameters may have changed while the engine was being opened.
            engine.parameters = self._parameters
            self.opened.emit(engine)

    # The methods below run in the worker thread.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._reporting(job.name):
                job.run()

    @contextlib.contextmanager
    def _reporting(self, name: str) -> Iterator[None]:
        try:
            yield
        # Any failure of a driver or model must leave the window usable.
        except Exception as error:  # noqa: BLE001
            self._emit(self.job_failed, f"{name} failed: {type(error).__name__}: {one_line(error)}")

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
            self._emit(self._settled, request, None, one_line(error))
        # As in `_reporting`, but this request needs an answer.
        except Exception as error:  # noqa: BLE001
            self._stop_live()
            text = f"{type(error).__name__}: {one_line(error)}"
            self._emit(self._settled, request, None, text)
        else:
            self._emit(self._settled, request, self._live, "")

    def _progress(self, text: str) -> None:
        self._emit(self.progressed, text)

    def _close(self, request: int) -> None:
        self._stop_live()
        self._emit(self._settled, request, None, "")

    def _emit(self, signal: SignalInstance, *values: object) -> None:
        # Emitting raises RuntimeError when the window was closed in the meantime.
        with contextlib.suppress(RuntimeError):
            signal.emit(*values)

    def _stop_live(self) -> None:
        engine, self._live = self._live, None
        if engine is not None:
            with self._reporting("stopping"):
                engine.stop()

    def _list(self, rescan: bool) -> None:
        devices: list[Device] = []
        # Without a working audio system, files can still be processed into a file or nowhere.
        try:
            with contextlib.suppress(TopoctaveError, OSError):
                devices = self._services.list_devices(rescan)
        finally:
            self._emit(self.listed, devices)


def one_line(error: BaseException) -> str:
    """The message of an error without line breaks."""
    text = " ".join(str(error).split())
    return text or type(error).__name__
