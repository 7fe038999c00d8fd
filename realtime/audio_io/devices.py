"""Audio devices by name, for people to choose from."""

from dataclasses import asdict
from typing import Any

from realtime.audio_io.portaudio import Device, find_device, list_devices

__all__ = ["Device", "describe", "find_device", "list_devices"]


def describe(device: Device) -> dict[str, Any]:
    """A device for ``topoctave devices --json``."""
    hidden = {"index", "is_default_input", "is_default_output"}
    return {k: v for k, v in asdict(device).items() if k not in hidden}
