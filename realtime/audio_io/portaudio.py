"""Devices through PortAudio: the one file that knows sounddevice.

Two streams, one for each direction, because a duplex stream has one rate for both and ours differ.
The callbacks run in PortAudio's threads, one for each stream: they copy and count, and the output's
waits for a late block where its device still has something to play.
"""

import contextlib
import ctypes
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.streams import OUTPUT_BLOCK_S
from realtime.audio_io.thread_priority import CALLBACK_PRIORITY, raise_priority
from realtime.errors import DeviceError
from realtime.guarded_thread import Guard
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

try:
    import sounddevice
except OSError as _error:  # the Python package is there, the PortAudio library is not
    sounddevice = None
    _MISSING = f"audio devices cannot be used: {_error}"

# A device that has not called for this long is gone: PortAudio does not say so by itself.
SILENT_DEVICE_S = 2.0
# And is asked for this long whether it really is: to a program that was stopped and goes on, all
# devices have been silent.
CONFIRM_S = 0.3
# Before it calls steadily it has more time: PulseAudio may take two seconds to wake a sink, and
# have filled its buffer first.
WAKING_S = 10.0
# Callbacks this often, and buffers this long: short enough for speech, long enough for drivers
# that wake up late.
INPUT_BLOCK_S = 0.005
LATENCY_S = 0.04
# Where PortAudio writes ahead, into a buffer that the device plays from, a callback may be late.
# Elsewhere the device itself waits for it.
BUFFERED_HOST_APIS = frozenset({"ALSA"})
# A driver takes a block at a time, and may be late itself: what is waited for comes sooner by this.
RESERVE_S = 2 * OUTPUT_BLOCK_S
# Calls that follow each other sooner are one lump of a driver's.
PERIOD_GAP_S = INPUT_BLOCK_S / 2
# A device plays steadily once it has called for this long, the last time after so short a pause.
SETTLING_S = 0.2
SETTLED_GAP_S = 0.1
# PortAudio is told the length of its blocks; no driver comes near this.
MAX_CALLBACK_SAMPLES = 1 << 16
# Rates that devices may be asked for when they refuse ours, the cheapest to convert first.
OTHER_RATES_HZ = (44_100, 48_000, 88_200, 96_000, 32_000, 24_000)


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


def _library() -> Any:
    if sounddevice is None:
        raise DeviceError(_MISSING)
    return sounddevice


def _shorten_alsa_periods(library: Any, block_s: float) -> None:
    """Cut ALSA buffers into periods of a block; a device takes one at a time.

    PortAudio makes four of them unless told otherwise, and a sound server then calls every 20 ms,
    for several blocks at once.
    """
    # Of pa_linux_alsa.h, which sounddevice does not wrap. Other systems' libraries lack it, and
    # their devices take a block at a time or what they please.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(library._libname).PaAlsa_SetNumPeriods(round(LATENCY_S / block_s) + 2)


def _reason(error: Exception) -> str:
    text = str(error.args[0]) if error.args else str(error)
    return text.strip().splitlines()[0]


def _accepts(kind: str, index: int, rate: int, channels: int) -> bool:
    library = _library()
    check = library.check_input_settings if kind == "input" else library.check_output_settings
    try:
        check(device=index, channels=channels, samplerate=rate, dtype="float32")
    except (library.PortAudioError, ValueError):
        return False
    return True


def list_devices(*, rescan: bool = False, probe: bool = True) -> list[Device]:
    """All devices.

    Args:
        rescan: ask the system again, for devices plugged in since; breaks streams that are open.
        probe: try our rates on each device, which takes some milliseconds apiece; else both are
            False.

    Raises:
        DeviceError: if there is no PortAudio.
    """
    library = _library()
    try:
        if rescan:
            library._terminate()
            library._initialize()
        found, apis = library.query_devices(), library.query_hostapis()
        default_in, default_out = library.default.device
    except library.PortAudioError as error:
        raise DeviceError(f"the audio system does not answer: {_reason(error)}") from error
    return [
        Device(
            index=d["index"],
            name=d["name"],
            host_api=apis[d["hostapi"]]["name"],
            inputs=d["max_input_channels"],
            outputs=d["max_output_channels"],
            default_sample_rate=d["default_samplerate"],
            accepts_22050_in=probe
            and d["max_input_channels"] > 0
            and _accepts("input", d["index"], SAMPLE_RATE_IN, 1),
            accepts_44100_out=probe
            and d["max_output_channels"] > 0
            and _accepts("output", d["index"], SAMPLE_RATE_OUT, min(d["max_output_channels"], 2)),
            is_default_input=d["index"] == default_in,
            is_default_output=d["index"] == default_out,
        )
        for d in found
    ]


def find_device(kind: str, name: str) -> Device:
    """A device by ``default``, index, name, or a part of it that only one device has.

    Args:
        kind: ``input`` or ``output``.
        name: as a user gives it.

    Raises:
        DeviceError: if there is none, or more than one; the message lists those there are.
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


def _choose_rate(kind: str, device: Device, wanted: int, channels: int) -> int:
    rates = dict.fromkeys((wanted, round(device.default_sample_rate), *OTHER_RATES_HZ))
    for rate in rates:
        if rate >= SAMPLE_RATE_IN and _accepts(kind, device.index, rate, channels):
            return rate
    raise DeviceError(f"{device.name} accepts no usable rate; is another program using it?")


class _Stream:
    """What both directions share: opening, the watch-dog and closing."""

    length_s = 0.0
    position_s = 0.0
    finished = False

    def __init__(self, kind: str, name: str, wanted_rate_hz: int, block_s: float) -> None:
        self._kind = kind
        self._block_s = block_s
        self.device = find_device(kind, name)
        self.name = self.device.name
        available = self.device.inputs if kind == "input" else self.device.outputs
        self._device_channels = 1 if kind == "input" else min(available, 2)
        self.sample_rate_hz = _choose_rate(kind, self.device, wanted_rate_hz, self._device_channels)
        self._called_at = self._first_call_at = 0.0
        self._suspected_at = math.inf
        self._ended = False
        self._lost = False
        self._guard = Guard(self.name)
        self._urgent = False
        self._stream = self._open()
        self.latency_s = float(self._stream.latency)

    def _on_audio(self, data: Any, frames: int, _time: Any, status: Any) -> None:
        raise NotImplementedError

    def _callback(self, data: Any, frames: int, moment: Any, status: Any) -> None:
        # An exception that leaves a callback ends the stream, and would look like a lost device.
        try:
            self._on_audio(data, frames, moment, status)
        except Exception as error:  # noqa: BLE001 - see the line above
            self._guard.note(error)
            if self._kind == "output":
                data[:] = 0.0

    def _note_call(self) -> None:
        """At the beginning of every callback."""
        self._called_at = time.monotonic()
        self._first_call_at = self._first_call_at or self._called_at
        if not self._urgent:
            # Once, in the first call: long before anything can be heard.
            self._urgent = True
            raise_priority(CALLBACK_PRIORITY)

    def _open(self) -> Any:
        library = _library()
        _shorten_alsa_periods(library, self._block_s)
        stream_class = library.InputStream if self._kind == "input" else library.OutputStream
        try:
            return stream_class(
                device=self.device.index,
                channels=self._device_channels,
                samplerate=self.sample_rate_hz,
                dtype="float32",
                blocksize=round(self._block_s * self.sample_rate_hz),
                latency=LATENCY_S,
                callback=self._callback,
                finished_callback=self._on_finished,
            )
        except (library.PortAudioError, ValueError) as error:
            raise DeviceError(f"{self.name} cannot be opened: {_reason(error)}") from error

    def _start(self) -> None:
        library = _library()
        self._called_at = time.monotonic()
        try:
            self._stream.start()
        except library.PortAudioError as error:
            raise DeviceError(f"{self.name} cannot be started: {_reason(error)}") from error

    def _on_finished(self) -> None:
        self._ended = True

    def check(self) -> str:
        """Empty, or one line: the device went away, for good, or a callback failed."""
        if self._stream is not None and self._called_at:
            first = self._first_call_at
            steady = first > 0.0 and self._called_at - first > SETTLING_S
            patience_s = SILENT_DEVICE_S if steady else WAKING_S
            now = time.monotonic()
            if now - self._called_at <= patience_s:
                self._suspected_at = math.inf
            else:
                self._suspected_at = min(self._suspected_at, now)
            self._lost = self._lost or self._ended or now - self._suspected_at > CONFIRM_S
        return f"{self.name} went away" if self._lost else self._guard.error

    def stop(self) -> None:
        """Close the stream; idempotent."""
        # Asked once more: closing ends the stream too.
        self.check()
        stream, self._stream = self._stream, None
        if stream is not None:
            library = _library()
            # A device that went away fails to stop; there is nothing left to do about it.
            with contextlib.suppress(library.PortAudioError):
                stream.abort()
            with contextlib.suppress(library.PortAudioError):
                stream.close()

    def seek(self, seconds: float) -> None:
        """Devices have no other place to go on from."""


class DeviceInput(_Stream):
    """A microphone, in mono, at 22.05 kHz or the nearest that it accepts.

    Args:
        name: as for :func:`find_device`.

    Raises:
        DeviceError: if there is no such device or it accepts no rate.
    """

    channels = 1

    def __init__(self, name: str) -> None:
        self._input_queue: InputQueue | None = None
        super().__init__("input", name, SAMPLE_RATE_IN, INPUT_BLOCK_S)

    def start(self, input_queue: InputQueue, _elapsed: Callable[[], float] | None) -> None:
        """Begin to capture; the device is its own clock."""
        self._input_queue = input_queue
        self._start()

    def _on_audio(self, data: Any, _frames: int, _time: Any, status: Any) -> None:
        before = self._called_at
        self._note_call()
        if self._input_queue is None:
            return
        # Never beginning in the middle of a lump: the rest of the first one would come as much too
        # early as a whole one is long, and every later one seem late.
        if self._input_queue.gate.input_runs or self._called_at - before > PERIOD_GAP_S:
            self._input_queue.push(data.T, overflow=bool(status.input_overflow))


class DeviceOutput(_Stream):
    """A loudspeaker, at 44.1 kHz or the nearest that it accepts; mono plays on both sides.

    Args:
        name: as for :func:`find_device`.

    Raises:
        DeviceError: if there is no such device or it accepts no rate.
    """

    clocked = True
    period_s = OUTPUT_BLOCK_S

    def __init__(self, name: str) -> None:
        self._output_queue: OutputQueue | None = None
        super().__init__("output", name, SAMPLE_RATE_OUT, OUTPUT_BLOCK_S)

    def start(self, output_queue: OutputQueue, channels: int) -> None:
        """Begin to play."""
        self._settled = False
        self._scratch = np.zeros((channels, MAX_CALLBACK_SAMPLES), np.float32)
        self._mix_down = channels > self._device_channels
        self._output_queue = output_queue
        self._start()

    def _on_audio(self, data: Any, frames: int, moment: Any, status: Any) -> None:
        before = self._called_at
        self._note_call()
        if self._output_queue is None or not self._has_settled(before):
            data[:] = 0.0
            return
        block = self._scratch[:, :frames]
        underflow = bool(status.output_underflow)
        self._output_queue.pull(block, underflow=underflow, spare_s=self._spare_s(moment))
        data[:] = block.mean(axis=0)[:, None] if self._mix_down else block.T

    def _spare_s(self, moment: Any) -> float:
        """How late the block may be that is asked for at this moment; not positive: not at all.

        The device has enough to play until this block is heard. A sound server may hold a part of
        that back, so never more is counted on than the buffer that was asked for.
        """
        if self.device.host_api not in BUFFERED_HOST_APIS:
            return 0.0
        ahead_s = float(moment.outputBufferDacTime - moment.currentTime)
        return min(ahead_s, LATENCY_S) - RESERVE_S

    def _has_settled(self, before: float) -> bool:
        """Whether the device plays by its clock.

        Its first calls come in a burst that fills the driver's buffer, and a sink of PulseAudio
        that has to wake may then be silent for seconds: samples that were taken in that time
        would be late for good.
        """
        if not self._settled:
            self._settled = (
                self._called_at - self._first_call_at > SETTLING_S
                and self._called_at - before < SETTLED_GAP_S
            )
        return self._settled
