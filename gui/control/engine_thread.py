"""Opens, starts and stops engines on a worker thread, so that the window never blocks.

Listing devices, loading a model, opening, starting and stopping run on this one thread in order.
Results return to the GUI thread as Qt signals. A newer request cancels an older one. An unexpected
exception is reported in one line, and the thread continues with the next job.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from realtime.dsp.parameters import Parameters
from realtime.engine.settings import Settings
from realtime.errors import TopoctaveError
from realtime.inference.model_file import ModelInfo, shipped_models

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.
    from realtime.engine.engine import Engine  # Loads PortAudio.


class Services:
    """The engine, its devices and models; a test replaces them.

    torch and PortAudio are imported on first use, which takes a second.
    """

    def open_engine(
        self, settings: Settings, *, parameters: Parameters, progress: Callable[[str], None]
    ) -> Engine:
        """Load the model and open the devices."""
        from realtime.engine.open import open_engine

        return open_engine(settings, parameters=parameters, progress=progress)

    def list_devices(self, rescan: bool) -> list[Device]:
        """The sound devices; raises ``DeviceError`` without a sound system."""
        from realtime.audio_io.devices import list_devices

        return list_devices(rescan=rescan)

    def list_models(self) -> list[ModelInfo]:
        """The shipped models; the only method for the GUI thread."""
        return shipped_models()


class EngineThread(QObject):
    """Owns the engine and its thread. Call the methods in the GUI thread."""

    progressed = Signal(str)
    """The current step of opening, in a few words."""
    opened = Signal(object)
    """The engine is running."""
    failed = Signal(str)
    """Why the engine could not be opened, in one line."""
    listed = Signal(list)
    """List of :class:`realtime.audio_io.devices.Device`."""
    job_failed = Signal(str)
    """Failure of a job that has no other error signal, in one line."""
    _settled = Signal(int, object, str)

    def __init__(self, services: Services, parent: QObject) -> None:
        super().__init__(parent)
        self._services = services
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._latest = 0
        self._live: Engine | None = None  # Used by the worker thread; the GUI thread uses `engine`.
        self.engine: Engine | None = None
        """The running engine, or None."""
        self.busy = False
        """True while an engine is being opened."""
        self._settled.connect(self._settle)
        # A daemon: loading that does not end must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="gui-engine", daemon=True)
        self._thread.start()

    def open(self, settings: Settings, parameters: Parameters, position_s: float) -> None:
        """Stop the running engine, open a new one and start it; a file starts at `position_s`."""
        self._cancel(busy=True)
        self._jobs.put(partial(self._open, self._latest, settings, parameters, position_s))

    def close(self) -> None:
        """Stop the running engine."""
        self._cancel()
        self._jobs.put(self._stop_live)

    def list_devices(self, *, rescan: bool) -> None:
        """List the sound devices. A rescan stops the engine, because PortAudio must restart."""
        if rescan:
            self.close()
        self._jobs.put(partial(self._list, rescan))

    def shut_down(self) -> None:
        """Ask the thread to stop the engine and to end."""
        self.blockSignals(True)
        self.close()
        self._jobs.put(None)

    def join(self, deadline: float) -> None:
        """Wait for the thread until this time of ``time.monotonic``; loading may take longer."""
        self._thread.join(max(0, deadline - time.monotonic()))

    def _cancel(self, *, busy: bool = False) -> None:
        self._latest += 1
        self.engine = None
        self.busy = busy

    def _settle(self, request: int, engine: Engine | None, error: str) -> None:
        """Take the result of the newest request, in the GUI thread."""
        if request != self._latest:
            return
        self.busy = False
        self.engine = engine
        if engine is None:
            self.failed.emit(error)
        else:
            self.opened.emit(engine)

    # The methods below run in the worker thread.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    @contextlib.contextmanager
    def _reporting(self, name: str) -> Iterator[None]:
        try:
            yield
        # Any failure of a driver or model must leave the window usable.
        except Exception as error:  # noqa: BLE001
            self._emit(self.job_failed, f"{name} failed: {type(error).__name__}: {one_line(error)}")

    def _open(
        self, request: int, settings: Settings, parameters: Parameters, position_s: float
    ) -> None:
        self._stop_live()
        if request != self._latest:
            return
        error = ""
        try:
            progress = partial(self._emit, self.progressed)
            self._live = self._services.open_engine(
                settings, parameters=parameters, progress=progress
            )
            if position_s > 0:
                self._live.seek(position_s)
            if request == self._latest:
                self._live.start()
        # As in `_reporting`, but this request needs an answer.
        except Exception as failure:  # noqa: BLE001
            self._stop_live()
            known = isinstance(failure, TopoctaveError | ValueError | OSError)
            error = ("" if known else f"{type(failure).__name__}: ") + one_line(failure)
        self._emit(self._settled, request, self._live, error)

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
        with self._reporting("looking for sound devices"):
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
