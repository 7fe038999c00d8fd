"""Audio devices: list them, and find one by its name."""

from dataclasses import asdict, dataclass
from typing import Any

from realtime.audio_io import portaudio
from realtime.errors import DeviceError
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# Tried where a device refuses our rates, the cheapest to convert first.
OTHER_RATES_HZ = (44_100, 48_000, 88_200, 96_000, 32_000, 24_000, 16_000, 8_000)


@dataclass(frozen=True)
class Device:
    """An audio device as PortAudio lists it."""

    index: int
    name: str
    host_api: str
    inputs: int
    outputs: int
    default_sample_rate: float
    accepts_22050_in: bool
    accepts_44100_out: bool
    is_default_input: bool = False
    is_default_output: bool = False


def describe(device: Device) -> dict[str, Any]:
    """A device for ``topoctave devices --json``."""
    hidden = {"index", "is_default_input", "is_default_output"}
    return {k: v for k, v in asdict(device).items() if k not in hidden}


def list_devices(*, rescan: bool = False, probe: bool = True) -> list[Device]:
    """All devices.

    Args:
        rescan: find devices that were plugged in since; breaks open streams.
        probe: try our rates on each device, some milliseconds each; otherwise both are False.

    Raises:
        DeviceError: if there is no PortAudio.
    """
    library = portaudio.library()
    try:
        if rescan:
            library._terminate()
            library._initialize()
        found, apis = library.query_devices(), library.query_hostapis()
        default_in, default_out = library.default.device
    except library.PortAudioError as error:
        raise DeviceError(f"the audio system does not answer: {portaudio.reason(error)}") from error
    return [
        Device(
            index=d["index"],
            name=d["name"],
            host_api=apis[d["hostapi"]]["name"],
            inputs=d["max_input_channels"],
            outputs=d["max_output_channels"],
            default_sample_rate=d["default_samplerate"],
            accepts_22050_in=probe and _accepts(d, "input", SAMPLE_RATE_IN, 1),
            accepts_44100_out=probe and _accepts(d, "output", SAMPLE_RATE_OUT, 2),
            is_default_input=d["index"] == default_in,
            is_default_output=d["index"] == default_out,
        )
        for d in found
    ]


def _accepts(device: dict[str, Any], kind: str, rate_hz: int, channels: int) -> bool:
    channels = min(device[f"max_{kind}_channels"], channels)
    return channels > 0 and portaudio.accepts(kind, device["index"], rate_hz, channels)


def find_device(kind: str, name: str) -> Device:
    """Find a device by ``default``, index, name, or a part of a name that only one device has.

    Raises:
        DeviceError: if there is none, or more than one; the message lists the candidates.
    """
    usable = [
        d for d in list_devices(probe=False) if (d.inputs if kind == "input" else d.outputs) > 0
    ]
    if not usable:
        raise DeviceError(f"there is no {kind} device")
    if name == "default":
        flagged = [d for d in usable if getattr(d, f"is_default_{kind}")]
        return (flagged or usable)[0]
    if name.isdecimal():
        matches = [d for d in usable if d.index == int(name)]
    else:
        matches = [d for d in usable if d.name == name]
        matches = matches or [d for d in usable if name.lower() in d.name.lower()]
    if not matches:
        names = "; ".join(f"{d.index} {d.name}" for d in usable)
        raise DeviceError(f"there is no {kind} device {name!r}; there are: {names}")
    if len({d.name for d in matches}) > 1:
        names = "; ".join(f"{d.index} {d.name}" for d in matches)
        raise DeviceError(f"{name!r} could be several {kind} devices: {names}")
    return matches[0]


def choose_rate(kind: str, device: Device, wanted_hz: int, channels: int) -> int:
    """The rate to open a device at: the wanted one, or one that it accepts, or DeviceError.

    Below 22.05 kHz only inputs are opened (headsets), and only if they accept nothing higher.
    """
    rates = dict.fromkeys((wanted_hz, round(device.default_sample_rate), *OTHER_RATES_HZ))
    for rate in sorted(rates, key=lambda rate: rate < SAMPLE_RATE_IN):
        if (rate >= SAMPLE_RATE_IN or kind == "input") and portaudio.accepts(
            kind, device.index, rate, channels
        ):
            return rate
    raise DeviceError(f"{device.name} accepts no usable rate; is another program using it?")
