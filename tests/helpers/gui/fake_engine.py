"""An engine without audio devices: speech-like sound paced by a clock, for tests of the window."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gui.control.engine_thread import Services
from realtime.audio_io.devices import Device
from realtime.dsp.latency import Latency
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Faults, Level, Snapshot, State, Timing
from realtime.errors import DeviceError, ModelFileError
from realtime.inference.model_file import ModelInfo
from tests.helpers.speech import CLIP_S, Clip, demo_clip

DELAY_SAMPLES = 1800


class FakeTap:
    """A tap that fills with the clock."""

    def __init__(self, rate: int, render: Callable[[int, int], Audio], now: Callable[[], float]):
        self.sample_rate = rate
        self.channels = 1
        self._render, self._now = render, now

    @property
    def written(self) -> int:
        """Samples so far."""
        return int(self._now() * self.sample_rate)

    def read(self, since: int) -> tuple[Audio, int]:
        end = self.written
        first = max(since, end - 10 * self.sample_rate, 0)
        return self._render(first, max(end, first)), first


class FakeEngine:
    """Has the public methods of ``realtime.engine.engine.Engine``; tests set its state."""

    def __init__(self, settings: Settings, parameters: Parameters, clip: Clip) -> None:
        self.settings = settings
        self._parameters = parameters
        self.history: list[tuple[float, Parameters]] = [(0.0, parameters)]
        self.tap_delay_samples = DELAY_SAMPLES
        self._clip = clip
        self._ran_s = 0.0
        self._since: float | None = None
        self.state = State.READY
        self.error = ""
        self.notice = ""
        self.faults = Faults()
        self.ratio = 11.8
        self.stops = 0
        self.resets = 0
        self.sought: list[float] = []
        self.loops: list[Audio | None] = []
        self._seek_offset = 0.0
        self.silent = False
        self.input_tap = FakeTap(22_050, self._input, self.seconds)
        self.output_tap = FakeTap(44_100, self._output, self.seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ran_s += seconds

    def seconds(self) -> float:
        """Seconds of audio that went through."""
        return self._ran_s + (time.monotonic() - self._since if self._since else 0.0)

    @property
    def parameters(self) -> Parameters:
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.history.append((self.seconds(), parameters))

    def _input(self, first: int, end: int) -> Audio:
        if self.silent:
            return np.zeros((1, end - first), np.float32)
        at = (2 * np.arange(first, end)) % len(self._clip.low)
        return self._clip.low[None, at]

    def _output(self, first: int, end: int) -> Audio:
        index = np.arange(first, end) - self.tap_delay_samples
        at = np.maximum(index, 0) % len(self._clip.full)
        dry, wet = self._clip.low[at], self._clip.full[at]
        share = np.zeros(len(at), np.float32)
        for since_s, parameters in self.history:
            value = 0.0 if parameters.bypass else parameters.mix
            share[np.arange(first, end) >= since_s * 44_100] = value
        return (dry + share * (wet - dry))[None].astype(np.float32)

    @property
    def latency(self) -> Latency:
        """As the real one."""
        device_in = 0 if self._length_s else 512
        return Latency(device_in, self.settings.block_samples, 46, 640, 128, 1024, 772)

    @property
    def _length_s(self) -> float:
        source = self.settings.input
        return CLIP_S if source == "demo" or "/" in source else 0.0

    def start(self) -> None:
        if self.state is not State.READY:
            raise RuntimeError("an engine runs once; open a new one")
        self._since = time.monotonic()
        self.state = State.RUNNING

    def stop(self) -> None:
        self._ran_s, self._since = self.seconds(), None
        self.state = State.STOPPED
        self.stops += 1

    def unplug(self, error: str = "the input device went away") -> None:
        """Fail as an unplugged device does."""
        self.error, self.state = error, State.FAILED

    def finish(self) -> None:
        """Reach the end of the file."""
        self.state = State.FINISHED

    def seek(self, seconds: float) -> None:
        self.sought.append(seconds)
        self._seek_offset = seconds - self.seconds()

    def play_loop(self, audio: Audio | None) -> None:
        """As the real one."""
        self.loops.append(audio)

    def reset_counters(self) -> None:
        self.resets += 1
        self.faults = Faults()

    def snapshot(self) -> Snapshot:
        block_ms = self.settings.block_samples / 44.1
        p50, p99, worst = (block_ms / self.ratio / slower for slower in (1, 0.72, 0.64))
        ratios = self.ratio, self.ratio * 0.72, self.ratio * 0.64
        blocks = int(1000 * self.seconds() / block_ms)
        timing = Timing(blocks, *ratios, p50, p99, worst)
        length = self._length_s
        recent, _ = self.input_tap.read(self.input_tap.written - 2205)
        power = float(np.mean(recent**2)) if recent.size else 0.0
        peak = float(np.abs(recent).max()) if recent.size else 0.0
        level = Level(_db(power) / 2, _db(peak))
        return Snapshot(
            state=self.state,
            error=self.error,
            seconds=self.seconds(),
            position_s=(self.seconds() + self._seek_offset) % length if length else 0.0,
            length_s=length,
            input_name=_shown(self.settings.input),
            output_name=_shown(self.settings.output),
            input_rate_hz=22_050 if length else 48_000,
            output_rate_hz=44_100,
            model="unet-small" if self.settings.model == "auto" else self.settings.model,
            compute="cpu",
            threads=2,
            block_samples=self.settings.block_samples,
            latency=self.latency,
            timing=timing,
            recent=timing,
            faults=self.faults,
            input_level=level,
            output_level=replace(level, peak_db=level.peak_db + 0.4),
            model_reason="unet-small: the only model",
            notice=self.notice,
            model_b=self.settings.model_b,
        )


def _db(value: float) -> float:
    return 20 * float(np.log10(value)) if value > 0 else float("-inf")


def _shown(name: str) -> str:
    names = {"demo": "Bundled clip", "default": "System default", "null": "Nowhere"}
    return names.get(name, name)


@dataclass
class FakeWorld(Services):
    """The services of a window, controlled by tests."""

    devices: list[Device] = field(default_factory=list)
    models: list[ModelInfo] = field(
        default_factory=lambda: [
            ModelInfo(name="unet-small", path=Path(), title="U-Net, small"),
            ModelInfo(name="octave", path=Path(), title="Octave, causal"),
        ]
    )
    engines: list[FakeEngine] = field(default_factory=list)
    opening: list[Settings] = field(default_factory=list)
    scans: list[bool] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    """Inputs, outputs or models that cannot be opened, with the error message."""
    gate: threading.Event | None = None
    """Opening waits for it."""
    threads: set[str] = field(default_factory=set)
    clip: Clip = field(default_factory=demo_clip)

    def open_engine(
        self,
        settings: Settings,
        *,
        parameters: Parameters | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> FakeEngine:
        self.threads.add(threading.current_thread().name)
        self.opening.append(settings)
        progress("Loading the model…")
        if self.gate is not None:
            self.gate.wait(10)
        for choice in (settings.input, settings.output, settings.model, settings.model_b):
            if choice in self.refuse:
                raise DeviceError(self.refuse[choice])
        engine = FakeEngine(settings, parameters or Parameters(), self.clip)
        self.engines.append(engine)
        return engine

    def list_devices(self, rescan: bool) -> list[Device]:
        self.threads.add(threading.current_thread().name)
        self.scans.append(rescan)
        if "devices" in self.refuse:
            raise DeviceError(self.refuse["devices"])
        return list(self.devices)

    def list_models(self) -> list[ModelInfo]:
        if "models" in self.refuse:
            raise ModelFileError(self.refuse["models"])
        return list(self.models)


def device(index: int, name: str, **changes: object) -> Device:
    """A sound device that has its own rate of 48 kHz."""
    made = Device(index, name, "ALSA", 0, 0, 48_000.0, False, False, False, False)
    return replace(made, **changes)


DESK = (
    device(0, "HDA Intel PCH: ALC257 Analog", inputs=2, outputs=2),
    device(1, "HDMI 0", outputs=8),
    device(2, "pulse", inputs=32, outputs=32, default_sample_rate=44_100.0,
           accepts_22050_in=True, accepts_44100_out=True),
    device(3, "USB Headset", host_api="JACK Audio Connection Kit", inputs=1, outputs=2),
)  # fmt: skip
