"""The part of the engine that the window uses, as protocols that a fake engine can implement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from realtime.dsp.parameters import Parameters
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot
from realtime.engine.tap import Tap
from realtime.inference.model_file import ModelInfo, shipped_models

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.


class Tapped(Protocol):
    """An engine with taps."""

    @property
    def tap_delay_samples(self) -> int:
        """Delay of the output tap against the input tap, in samples at 44.1 kHz."""

    @property
    def input_tap(self) -> Tap:
        """Input of the front end, 22.05 kHz."""

    @property
    def output_tap(self) -> Tap:
        """Output, 44.1 kHz."""


class Engine(Tapped, Protocol):
    """The live engine; see ``realtime.engine.engine.Engine``."""

    parameters: Parameters

    def start(self) -> None:
        """Start the audio."""

    def stop(self) -> None:
        """Stop; a second call does nothing."""

    def snapshot(self) -> Snapshot:
        """Current state."""

    def reset_counters(self) -> None:
        """Set the fault counters to zero."""

    def seek(self, seconds: float) -> None:
        """Move to a position in a file input."""


class OpenEngine(Protocol):
    """``realtime.engine.open.open_engine``."""

    def __call__(
        self,
        settings: Settings,
        *,
        parameters: Parameters | None = ...,
        progress: Callable[[str], None] = ...,
    ) -> Engine:
        """Load and warm up the model and open the devices; takes seconds."""


@dataclass(frozen=True)
class Services:
    """Functions behind the window. All but `list_models` are called off the GUI thread."""

    open_engine: OpenEngine
    list_devices: Callable[[bool], list[Device]]
    """True rescans; raises ``DeviceError`` without an audio system."""
    list_models: Callable[[], list[ModelInfo]]


def real_services() -> Services:
    """The real engine; imports torch and PortAudio on first use."""

    def open_engine(
        settings: Settings,
        *,
        parameters: Parameters | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Engine:
        from realtime.engine.open import open_engine as open_live_engine

        return open_live_engine(settings, parameters=parameters, progress=progress)

    def list_devices(rescan: bool) -> list[Device]:
        from realtime.audio_io.devices import list_devices as scan

        return scan(rescan=rescan)

    return Services(open_engine, list_devices, shipped_models)
