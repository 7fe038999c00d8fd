"""What the window calls of the engine, in one class, so that a test can replace it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from realtime.dsp.parameters import Parameters
from realtime.engine.settings import Settings
from realtime.inference.model_file import ModelInfo, shipped_models

if TYPE_CHECKING:
    # These load PortAudio.
    from realtime.audio_io.devices import Device
    from realtime.engine.engine import Engine


class Services:
    """The engine, its devices and models. torch and PortAudio are imported on first use."""

    def open_engine(
        self, settings: Settings, *, parameters: Parameters, progress: Callable[[str], None]
    ) -> Engine:
        """Load the model and open the devices. It takes seconds: not for the GUI thread."""
        from realtime.engine.open import open_engine

        return open_engine(settings, parameters=parameters, progress=progress)

    def list_devices(self, rescan: bool) -> list[Device]:
        """The sound devices; not for the GUI thread. Raises ``DeviceError`` without a system."""
        from realtime.audio_io.devices import list_devices

        return list_devices(rescan=rescan)

    def list_models(self) -> list[ModelInfo]:
        """The shipped models."""
        return shipped_models()
