"""What the window needs of the engine, so that a fake one can stand in for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime.parameters import Parameters
from realtime.recorder import TapLike
from realtime.settings import Settings
from realtime.snapshot import Snapshot


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
    """The live engine; see ``realtime.engine.Engine``."""

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
    """``realtime.session.open_engine``."""

    def __call__(
        self,
        settings: Settings,
        *,
        parameters: Parameters | None = ...,
        progress: Callable[[str], None] = ...,
    ) -> Engine:
        """Load, warm up and open; takes seconds."""


@dataclass(frozen=True)
class DeviceLine:
    """A sound device as the window lists it."""

    index: int
    name: str
    host_api: str
    inputs: int
    outputs: int
    default_sample_rate: float
    accepts_22050_in: bool
    accepts_44100_out: bool
    is_default_input: bool
    is_default_output: bool


@dataclass(frozen=True)
class ModelLine:
    """A network as the window lists it."""

    name: str
    title: str


@dataclass(frozen=True)
class Services:
    """The world behind the window; every call but `list_models` runs off the GUI thread."""

    open_engine: OpenEngine
    list_devices: Callable[[bool], list[DeviceLine]]
    """True scans again; raises ``DeviceError`` where there is no audio system."""
    list_models: Callable[[], list[ModelLine]]


def real_services() -> Services:
    """The engine of ``realtime``; loads neither torch nor PortAudio until it is used."""

    def open_engine(
        settings: Settings,
        *,
        parameters: Parameters | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Engine:
        from realtime.session import open_engine as opened

        return opened(settings, parameters=parameters, progress=progress)

    def list_devices(rescan: bool) -> list[DeviceLine]:
        from realtime.devices import list_devices as listed

        return [
            DeviceLine(
                device.index,
                device.name,
                device.host_api,
                device.inputs,
                device.outputs,
                device.default_sample_rate,
                device.accepts_22050_in,
                device.accepts_44100_out,
                device.is_default_input,
                device.is_default_output,
            )
            for device in listed(rescan=rescan)
        ]

    def list_models() -> list[ModelLine]:
        from realtime.model_file import shipped_models

        return [ModelLine(model.name, model.title) for model in shipped_models()]

    return Services(open_engine, list_devices, list_models)
