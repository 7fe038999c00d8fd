"""What can be chosen as input and output, as lines of a menu."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

if TYPE_CHECKING:
    from realtime.audio_io.devices import Device  # Loads PortAudio.


RATE_SEPARATOR = "  ·  "
"""Between a device's name and its rate."""


@dataclass(frozen=True)
class Choice:
    """One line of a menu.

    Attributes:
        value: What ``Settings.input`` or ``.output`` becomes; empty for a heading.
        label: What is shown.
        key: What is remembered, valid when the devices' numbers have changed.
        detail: Said in the tool tip.
    """

    value: str
    label: str
    key: str
    detail: str = ""

    @property
    def heading(self) -> bool:
        """A heading cannot be chosen."""
        return not self.value


OPEN_FILE = Choice("open-file", "Open a file…", "open-file", "Play a sound file as input")
SAVE_FILE = Choice("save-file", "Into a file…", "save-file", "Write a WAV or FLAC file")
DEMO = Choice("demo", "Bundled clip", "demo", "Speech at 22.05 kHz that comes with Topoctave")
NOWHERE = Choice("null", "Nowhere", "null", "Compute and draw, play nothing")


def input_choices(devices: list[Device], file: str = "") -> list[Choice]:
    """Clip, files and the input devices grouped by host API."""
    lines = [DEMO]
    if file:
        lines.append(Choice(file, Path(file).name, file, file))
    lines.append(OPEN_FILE)
    if any(device.inputs for device in devices):
        lines.append(Choice("default", "System default", "default", "The system's microphone"))
    return lines + _by_host_api([d for d in devices if d.inputs], recording=True)


def output_choices(devices: list[Device], file: str = "") -> list[Choice]:
    """Nowhere, files and the output devices grouped by host API."""
    lines = []
    if any(device.outputs for device in devices):
        lines.append(Choice("default", "System default", "default", "The system's loudspeaker"))
    lines.append(NOWHERE)
    if file:
        lines.append(Choice(file, Path(file).name, file, file))
    lines.append(SAVE_FILE)
    return lines + _by_host_api([d for d in devices if d.outputs], recording=False)


def find(lines: list[Choice], wanted: str) -> int:
    """Where a value, a remembered key or a device's name stands, -1 if it is not there."""
    for fits in (
        lambda line: line.value == wanted or line.key == wanted,
        lambda line: line.key.split("\n")[-1] == wanted,
        lambda line: wanted.lower() in line.label.lower(),
    ):
        for at, line in enumerate(lines):
            if not line.heading and wanted and fits(line):
                return at
    return -1


def _by_host_api(devices: list[Device], *, recording: bool) -> list[Choice]:
    lines: list[Choice] = []
    for host_api in dict.fromkeys(device.host_api for device in devices):
        lines.append(Choice("", host_api, ""))
        mine = [device for device in devices if device.host_api == host_api]
        lines += [_device(device, recording=recording) for device in mine]
    return lines


def _device(device: Device, *, recording: bool) -> Choice:
    native = device.accepts_22050_in if recording else device.accepts_44100_out
    wanted = SAMPLE_RATE_IN if recording else SAMPLE_RATE_OUT
    own = f"{device.default_sample_rate / 1000:g} kHz"
    rate = f"{wanted / 1000:g} kHz" if native else f"{own}, converted"
    channels = device.inputs if recording else device.outputs
    detail = f"{device.name}\n{device.host_api}, {channels} channels, own rate {own}"
    return Choice(
        str(device.index),
        f"{device.name}{RATE_SEPARATOR}{rate}",
        f"{device.host_api}\n{device.name}",
        detail,
    )
