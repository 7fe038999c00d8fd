"""A microphone and a loudspeaker as input and output streams.

There are two PortAudio streams, since a duplex stream has one rate for both directions and ours
differ. The callbacks run in PortAudio's threads, one per stream. They copy and count; the output's
waits for a late block while its device still has samples to play.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from realtime.audio_io import portaudio
from realtime.audio_io.devices import choose_rate, find_device, list_devices
from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.audio_io.silence_native_stderr import silence_native_stderr
from realtime.audio_io.sound_server.pulse import is_pipewire
from realtime.audio_io.streams import OUTPUT_BLOCK_S
from realtime.audio_io.thread_priority import CALLBACK_PRIORITY, raise_priority
from realtime.audio_io.watchdog import Watchdog
from realtime.errors import DeviceError
from realtime.guarded_thread import Guard
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# Time between callbacks, and length of the driver's buffer: short enough for speech, long enough
# for drivers that wake up late.
INPUT_BLOCK_S = 0.005
LATENCY_S = 0.04
# An output's buffer is always full, so that all of it is latency. The shortest that played without
# a fault, and how much of it the server adds to what it is asked for: docs/latency.md.
ALSA_BUFFER_S = (0.03, 0.0)
PIPEWIRE_BUFFER_S = (0.021, 0.005)
PIPEWIRE_PULSE_BUFFER_S = (0.02, 0.01)
# Where PortAudio writes ahead into a buffer that the device plays from, a callback may be late.
# Elsewhere the device itself waits for the callback.
BUFFERED_HOST_APIS = frozenset({"ALSA"})
# A driver takes a block at a time and may be late itself: not all of its buffer is counted on.
RESERVE_S = 2 * OUTPUT_BLOCK_S
# Callbacks with a shorter pause between them belong to the same device period.
PERIOD_GAP_S = INPUT_BLOCK_S / 2
# An output plays steadily after a pause shorter than this.
SETTLED_GAP_S = 0.1
# A longer latency is a mistake of the driver's.
MAX_LATENCY_S = 5.0
# PortAudio is given the length of its blocks; no driver comes near this.
MAX_CALLBACK_SAMPLES = 1 << 16


class _DeviceStream:
    """What both directions share: opening, watching and closing.

    Raises:
        DeviceError: if there is no such device or it accepts no rate.
    """

    length_s = 0.0
    position_s = 0.0
    finished = False

    def __init__(self, kind: str, name: str, wanted_rate_hz: int, block_s: float) -> None:
        self._kind = kind
        self.device = find_device(kind, name)
        self.name = self.device.name
        self._channels = 1 if kind == "input" else min(self.device.outputs, 2)
        self.sample_rate_hz = choose_rate(kind, self.device, wanted_rate_hz, self._channels)
        self._watchdog = Watchdog()
        self._guard = Guard(self.name)
        self._raised_priority = False
        self._lost = False
        self.buffered = self.device.host_api in BUFFERED_HOST_APIS
        self.buffer_s, added_s = self._choose_buffer()
        self._stream = self._open(block_s, self.buffer_s - added_s)
        latency_s = float(self._stream.latency)
        # Through PipeWire's JACK, PortAudio reports 25 hours.
        plausible = 0.0 <= latency_s <= MAX_LATENCY_S
        self.latency_s = (latency_s if plausible else self.buffer_s) + added_s

    def _choose_buffer(self) -> tuple[float, float]:
        """Length of the buffer, and how much of it the server adds by itself, in seconds."""
        return LATENCY_S, 0.0

    def _open(self, block_s: float, buffer_s: float) -> Any:
        library = portaudio.library()
        # One period per block, and two more.
        portaudio.set_alsa_periods(round(buffer_s / block_s) + 2)
        stream_class = library.InputStream if self._kind == "input" else library.OutputStream
        with self._refusals("opened"), contextlib.ExitStack() as undo:
            undo.enter_context(silence_native_stderr())
            stream = stream_class(
                device=self.device.index,
                channels=self._channels,
                samplerate=self.sample_rate_hz,
                dtype="float32",
                blocksize=round(block_s * self.sample_rate_hz),
                latency=buffer_s,
                callback=self._callback,
                finished_callback=self._watchdog.end,
            )
            self._silence = undo.pop_all()
        return stream

    def _start(self) -> None:
        self._watchdog.start()
        with self._refusals("started"):
            self._stream.start()

    @contextlib.contextmanager
    def _refusals(self, done: str) -> Iterator[None]:
        try:
            yield
        except (portaudio.library().PortAudioError, ValueError) as error:
            reason = portaudio.reason(error)
            raise DeviceError(f"{self.name} cannot be {done}: {reason}") from error

    def _callback(self, data: Any, frames: int, moment: Any, status: Any) -> None:
        # An exception that left a callback would end the stream, as if the device were lost.
        try:
            pause_s = self._watchdog.note_call()
            if not self._raised_priority:
                # Once, in the first call, long before anything is played.
                self._raised_priority = True
                raise_priority(CALLBACK_PRIORITY)
            self._on_audio(data, frames, moment, status, pause_s)
        except Exception as error:  # noqa: BLE001 - see the line above
            self._guard.note(error)
            if self._kind == "output":
                data[:] = 0.0

    def _on_audio(self, data: Any, frames: int, moment: Any, status: Any, pause_s: float) -> None:
        raise NotImplementedError

    def check(self) -> str:
        """Empty, or one line: the device was lost, or a callback failed."""
        if self._stream is not None and self._watchdog.check():
            self._lost = True
        return f"{self.name} went away" if self._lost else self._guard.error

    def stop(self) -> None:
        """Close the stream; idempotent."""
        # Once more: closing ends the stream too.
        self.check()
        stream, self._stream = self._stream, None
        if stream is not None:
            failure = portaudio.library().PortAudioError
            # A device that was lost fails to stop; nothing can be done about it.
            with contextlib.suppress(failure):
                stream.abort()
            with contextlib.suppress(failure):
                stream.close()
            self._silence.close()

    def seek(self, seconds: float) -> None:
        """Devices have no position."""


class DeviceInput(_DeviceStream):
    """A microphone, in mono, at 22.05 kHz or the nearest rate that it accepts."""

    channels = 1

    def __init__(self, name: str) -> None:
        self._input_queue: InputQueue | None = None
        super().__init__("input", name, SAMPLE_RATE_IN, INPUT_BLOCK_S)
        if self.buffered:
            # The buffer is mostly empty: a period is taken as soon as it is there.
            self.latency_s = min(self.latency_s, 2 * INPUT_BLOCK_S)

    def start(self, input_queue: InputQueue, _elapsed: Callable[[], float]) -> None:
        """Begin to record; the device has its own clock."""
        self._input_queue = input_queue
        self._start()

    def _on_audio(self, data: Any, _frames: int, _moment: Any, status: Any, pause_s: float) -> None:
        if self._input_queue is None:
            return
        # Begin with a whole device period. If the first one were incomplete, all later ones would
        # come late by the missing part.
        if self._input_queue.gate.input_runs or pause_s > PERIOD_GAP_S:
            self._input_queue.push(data.T, overflow=bool(status.input_overflow))


class DeviceOutput(_DeviceStream):
    """A loudspeaker, at 44.1 kHz or the nearest rate that it accepts; mono plays on both sides."""

    clocked = True
    period_s = OUTPUT_BLOCK_S

    def __init__(self, name: str) -> None:
        self._output_queue: OutputQueue | None = None
        super().__init__("output", name, SAMPLE_RATE_OUT, OUTPUT_BLOCK_S)
        self.reserve_s = self.buffer_s - RESERVE_S if self.buffered else 0.0

    def _choose_buffer(self) -> tuple[float, float]:
        if not self.buffered:
            return super()._choose_buffer()
        if not is_pipewire():
            return ALSA_BUFFER_S
        # With PipeWire's own ALSA plug-in installed, that is the default device.
        own = any(d.name == "pipewire" for d in list_devices(probe=False))
        others = {"pulse"} if own else {"pulse", "default"}
        return PIPEWIRE_PULSE_BUFFER_S if self.name in others else PIPEWIRE_BUFFER_S

    def start(self, output_queue: OutputQueue, channels: int) -> None:
        """Begin to play."""
        self._settled = False
        self._scratch = np.zeros((channels, MAX_CALLBACK_SAMPLES), np.float32)
        self._mix_down = channels > self._channels
        self._output_queue = output_queue
        self._start()

    def _on_audio(self, data: Any, frames: int, moment: Any, status: Any, pause_s: float) -> None:
        # The first calls come in a burst that fills the driver's buffer, and a sink of PulseAudio
        # that has to wake may then be silent for seconds. Samples that were taken in that time
        # would add to the latency for the whole run.
        self._settled = self._settled or (self._watchdog.steady and pause_s < SETTLED_GAP_S)
        if self._output_queue is None or not self._settled:
            data[:] = 0.0
            return
        block = self._scratch[:, :frames]
        underflow = bool(status.output_underflow)
        self._output_queue.pull(block, underflow=underflow, spare_s=self._spare_s(moment))
        data[:] = block.mean(axis=0)[:, None] if self._mix_down else block.T

    def _spare_s(self, moment: Any) -> float:
        """How long the callback may wait for its block; zero or negative: not at all.

        The device has samples to play until this block is due. A sound server may hold a part of
        them back, so no more than the requested buffer is counted on.
        """
        if not self.buffered:
            return 0.0
        ahead_s = float(moment.outputBufferDacTime - moment.currentTime)
        return min(ahead_s, self.buffer_s) - RESERVE_S
