"""The functions of the engine that the window calls, so that a test can replace them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from realtime.inference.model_file import ModelInfo, shipped_models

if TYPE_CHECKING:
    # These load PortAudio.
    from realtime.audio_io.devices import Device
    from realtime.engine.engine import Engine


@dataclass(frozen=True)
class Services:
    """Functions that the window calls. All but `list_models` are called off the GUI thread."""

    open_engine: Callable[..., Engine]
    """``realtime.engine.open.open_engine``: loads the model, opens the devices; takes seconds."""
    list_devices: Callable[[bool], list[Device]]
    """True rescans; raises ``DeviceError`` without an audio system."""
    list_models: Callable[[], list[ModelInfo]]


def import_torch() -> None:
    """Import what loading a model needs, ahead of time."""
    # A failure is reported when the model is loaded.
    with contextlib.suppress(ImportError, OSError):
        import realtime.inference.network  # noqa: F401


def real_services() -> Services:
    """The real engine; imports torch and PortAudio on first use."""

    def open_engine(*args: object, **options: object) -> Engine:
        from realtime.engine import open as engine

        return engine.open_engine(*args, **options)  # type: ignore[arg-type]

    def list_devices(rescan: bool) -> list[Device]:
        from realtime.audio_io import devices

        return devices.list_devices(rescan=rescan)

    return Services(open_engine, list_devices, shipped_models)
