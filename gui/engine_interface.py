"""What the window needs of the engine, so that a fake one can stand in for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from realtime.dsp.parameters import Parameters
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot
from realtime.files.recorder import TapLike
from realtime.inference.model_file import ModelInfo, shipped_models

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.


class Tapped(Protocol):
    """What has taps."""

    @property
    def tap_delay_samples(self) -> int:
        """What the output tap lags behind the input tap, in samples at 44.1 kHz."""

    @property
    def input_tap(self) -> TapLike:
        """What goes into the front end, 22.05 kHz."""

    @property
    def output_tap(self) -> TapLike:
        """What goes out, 44.1 kHz."""


class Engine(Tapped, Protocol):
    """The live engine; see ``realtime.engine.engine.Engine``."""

    parameters: Parameters

    def start(self) -> None:
        """Let audio run."""

    def stop(self) -> None:
        """End it; harmless when called twice."""

    def snapshot(self) -> Snapshot:
        """One look at it."""

    def reset_counters(self) -> None:
        """Start counting faults from zero."""

    def seek(self, seconds: float) -> None:
        """Move in a file input."""


class OpenEngine(Protocol):
    """``realtime.engine.open.open_engine``."""

    def __call__(
        self,
        settings: Settings,
        *,
        parameters: Parameters | None = ...,
        progress: Callable[[str], None] = ...,
    ) -> Engine:
        """Load, warm up and open; takes seconds."""


@dataclass(frozen=True)
class Services:
    """The world behind the window; every call but `list_models` runs off the GUI thread."""

    open_engine: OpenEngine
    list_devices: Callable[[bool], list[Device]]
    """True scans again; raises ``DeviceError`` where there is no audio system."""
    list_models: Callable[[], list[ModelInfo]]


def real_services() -> Services:
    """The engine of ``realtime``; loads neither torch nor PortAudio until it is used."""

    def open_engine(
        settings: Settings,
        *,
        parameters: Parameters | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Engine:
        from realtime.engine.open import open_engine as opened

        return opened(settings, parameters=parameters, progress=progress)

    def list_devices(rescan: bool) -> list[Device]:
        from realtime.audio_io.devices import list_devices as listed

        return listed(rescan=rescan)

    return Services(open_engine, list_devices, shipped_models)
