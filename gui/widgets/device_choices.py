"""The choices of the input and output lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.engine.settings import VIRTUAL_MIC
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.


RATE_SEPARATOR = "  ·  "
"""Separates a device's name and rate."""


@dataclass(frozen=True)
class Choice:
    """One choice of a list.

    Attributes:
        value: Value for a field of ``Settings``.
        label: Displayed text.
        key: Saved identity, still valid after device indices change; empty for a heading.
        detail: Tool tip.
    """

    value: str
    label: str
    key: str
    detail: str = ""

    @property
    def heading(self) -> bool:
        """A heading cannot be chosen."""
        return not self.key


OPEN_FILE = Choice("open-file", "Open a file…", "open-file", "Play a sound file as input")
SAVE_FILE = Choice("save-file", "Into a file…", "save-file", "Write a WAV or FLAC file")
DEMO = Choice("demo", "Bundled clip", "demo", "Speech at 22.05 kHz that comes with Topoctave")
NOWHERE = Choice("null", "Nowhere", "null", "Compute and draw, play nothing")
MICROPHONE = Choice("default", "System default", "default", "The system's microphone")
LOUDSPEAKER = Choice("default", "System default", "default", "The system's loudspeaker")
VIRTUAL_MICROPHONE = Choice(
    VIRTUAL_MIC,
    "Virtual microphone",
    VIRTUAL_MIC,
    "A microphone named Topoctave for other programs",
)
AUTOMATIC = Choice("auto", "Automatic", "auto", "The best model for this machine")
UPSAMPLED_ONLY = Choice("", "Upsampled only", "none", "A plays the input without a network")


def input_choices(devices: list[Device], file: str = "") -> list[Choice]:
    """Clip, file and input devices grouped by host API."""
    found = _by_host_api([device for device in devices if device.inputs], recording=True)
    return [DEMO, *_file(file), OPEN_FILE, *([MICROPHONE, *found] if found else [])]


def output_choices(devices: list[Device], file: str = "") -> list[Choice]:
    """Nowhere, file and output devices grouped by host API."""
    found = _by_host_api([device for device in devices if device.outputs], recording=False)
    defaults = [LOUDSPEAKER, VIRTUAL_MICROPHONE] if found else []
    return [*defaults, NOWHERE, *_file(file), SAVE_FILE, *found]


def find(choices: list[Choice], wanted: str) -> int:
    """Index of a choice by value, saved key or device name; -1 if it is missing."""
    for matches in (
        lambda choice: wanted in (choice.value, choice.key),
        lambda choice: choice.key.split("\n")[-1] == wanted,
        lambda choice: wanted.lower() in choice.label.lower(),
    ):
        for at, choice in enumerate(choices):
            if wanted and not choice.heading and matches(choice):
                return at
    return -1


def _file(path: str) -> list[Choice]:
    return [Choice(path, Path(path).name, path, path)] if path else []


def _by_host_api(devices: list[Device], *, recording: bool) -> list[Choice]:
    choices: list[Choice] = []
    for host_api in dict.fromkeys(device.host_api for device in devices):
        choices.append(Choice("", host_api, ""))
        own = [device for device in devices if device.host_api == host_api]
        choices += [_device(device, recording=recording) for device in own]
    return choices


def _device(device: Device, *, recording: bool) -> Choice:
    native = device.accepts_22050_in if recording else device.accepts_44100_out
    wanted = SAMPLE_RATE_IN if recording else SAMPLE_RATE_OUT
    own = f"{device.default_sample_rate / 1000:g} kHz"
    rate = f"{wanted / 1000:g} kHz" if native else f"{own}, converted"
    channels = device.inputs if recording else device.outputs
    return Choice(
        value=str(device.index),
        label=f"{device.name}{RATE_SEPARATOR}{rate}",
        key=f"{device.host_api}\n{device.name}",
        detail=f"{device.name}\n{device.host_api}, {channels} channels, own rate {own}",
    )
