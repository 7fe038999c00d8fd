"""How long a device may be silent, tested with a stream whose callbacks the test calls."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from realtime.audio_io import portaudio
from realtime.audio_io.device_streams import (
    ALSA_BUFFER_S,
    INPUT_BLOCK_S,
    RESERVE_S,
    DeviceInput,
    DeviceOutput,
)
from realtime.audio_io.devices import Device
from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.start_gate import StartGate
from realtime.audio_io.watchdog import CONFIRM_S, SETTLING_S, TIMEOUT_S, WAKING_TIMEOUT_S
from realtime.dsp.processor import Audio
from tests.helpers.clock import Clock
from tests.helpers.queues import filling

FRAMES = 110
NO_STATUS = SimpleNamespace(input_overflow=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, "realtime.audio_io.watchdog")


class Asked:
    """An output queue that notes the given waiting times, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.spare_s = 0.0
        self.failure = failure

    def pull(self, out: Audio, *, underflow: bool, spare_s: float) -> None:
        self.spare_s = spare_s
        out[:] = 0.5
        if self.failure is not None:
            raise self.failure


def install(monkeypatch: pytest.MonkeyPatch, device: Device, rate_hz: int) -> None:
    """The only device there is; its stream does nothing."""
    stream = SimpleNamespace(latency=0.04, start=lambda: None)
    library = SimpleNamespace(
        PortAudioError=OSError, InputStream=lambda **_: stream, OutputStream=lambda **_: stream
    )
    streams = "realtime.audio_io.device_streams"
    monkeypatch.setattr("realtime.audio_io.portaudio.library", lambda: library)
    monkeypatch.setattr(f"{streams}.find_device", lambda *_: device)
    monkeypatch.setattr(f"{streams}.choose_rate", lambda *_: rate_hz)
    monkeypatch.setattr(f"{streams}.raise_priority", lambda _: True)
    monkeypatch.setattr(f"{streams}.is_pipewire", lambda: False)


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> DeviceInput:
    install(monkeypatch, Device(0, "mic", "ALSA", 1, 0, 22_050.0, True, False), 22_050)
    return DeviceInput("mic")


def loudspeaker(monkeypatch: pytest.MonkeyPatch, host_api: str = "ALSA") -> DeviceOutput:
    install(monkeypatch, Device(0, "speaker", host_api, 0, 2, 44_100.0, False, True), 44_100)
    return DeviceOutput("speaker")


def call_as_it_settles(speaker: DeviceOutput, clock: Clock, ahead_s: float) -> Any:
    """Call until its timing counts; what the last callback played."""
    data: Any = np.full((220, 2), np.nan, np.float32)
    moment: Any = SimpleNamespace(currentTime=1e9, outputBufferDacTime=1e9 + ahead_s)
    status: Any = SimpleNamespace(output_underflow=False)
    for _ in range(8):
        clock.now += SETTLING_S / 4
        speaker._callback(data, 220, moment, status)
    return data


def call(microphone: DeviceInput) -> None:
    data: Any = np.ones((FRAMES, 1), np.float32)
    microphone._callback(data, FRAMES, None, NO_STATUS)


def test_a_device_that_wakes_up_slowly_is_not_lost_and_one_that_stops_is(microphone, clock) -> None:
    microphone.start(filling(), None)
    clock.now += WAKING_TIMEOUT_S - 1
    assert microphone.check() == ""
    # A burst that fills the driver's buffer, and silence again.
    call(microphone)
    clock.now += WAKING_TIMEOUT_S - 1
    assert microphone.check() == ""
    # Now it runs.
    call(microphone)
    clock.now += SETTLING_S
    call(microphone)
    clock.now += TIMEOUT_S - 0.1
    assert microphone.check() == ""
    clock.now += 0.2
    assert microphone.check() == ""
    clock.now += CONFIRM_S + 0.01
    assert microphone.check() == "mic went away"


def test_a_program_that_was_stopped_does_not_blame_the_device(microphone, clock) -> None:
    microphone.start(filling(), None)
    for _ in range(3):
        clock.now += SETTLING_S
        call(microphone)
    assert microphone.check() == ""
    # The program was suspended for a minute: no callback and no check ran.
    for _ in range(2):
        clock.now += 60.0
        assert microphone.check() == ""
        call(microphone)
        clock.now += CONFIRM_S / 2
        assert microphone.check() == ""


def test_an_input_begins_with_a_whole_device_period(microphone, clock) -> None:
    """The output opens the gate at any time, as here between two calls of one period."""
    input_queue = InputQueue(1, 22_050, StartGate())
    microphone.start(input_queue, None)
    clock.now += INPUT_BLOCK_S
    call(microphone)
    input_queue.gate.output_runs = True
    call(microphone)
    assert input_queue.ring.written == 0
    clock.now += 2 * INPUT_BLOCK_S
    for count in (1, 2):
        call(microphone)
        assert input_queue.ring.written == count * FRAMES


@pytest.mark.parametrize(
    ("host_api", "ahead_s", "spare_s"),
    [
        ("ALSA", RESERVE_S + 0.004, 0.004),
        ("ALSA", ALSA_BUFFER_S[0], ALSA_BUFFER_S[0] - RESERVE_S),
        ("ALSA", 1.0, ALSA_BUFFER_S[0] - RESERVE_S),
        # The device has nothing left to play, or does not report it.
        ("ALSA", RESERVE_S, 0.0),
        ("ALSA", 0.0, -RESERVE_S),
        # The device waits for the callback.
        ("Core Audio", 1.0, 0.0),
    ],
)
def test_a_late_block_is_waited_for_as_long_as_the_device_can(
    host_api, ahead_s, spare_s, monkeypatch, clock
) -> None:
    output_queue: Any = Asked()
    speaker = loudspeaker(monkeypatch, host_api)
    speaker.start(output_queue, 1)
    assert (call_as_it_settles(speaker, clock, ahead_s) == 0.5).all()
    assert output_queue.spare_s == pytest.approx(spare_s, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "plugins", "pipewire", "asked_s", "added_s"),
    [
        ("pulse", ["pulse", "default"], False, ALSA_BUFFER_S[0], 0.0),
        ("pulse", ["pulse", "default"], True, 0.01, 0.01),
        ("default", ["pulse", "default"], True, 0.01, 0.01),
        ("default", ["pulse", "pipewire", "default"], True, 0.016, 0.005),
        ("pulse", ["pulse", "pipewire", "default"], True, 0.01, 0.01),
    ],
)
def test_an_output_s_buffer_fits_its_sound_server(
    name, plugins, pipewire, asked_s, added_s, monkeypatch
) -> None:
    made = {n: Device(0, n, "ALSA", 1, 2, 44_100.0, True, True) for n in plugins}
    asked: dict[str, Any] = {}
    install(monkeypatch, made[name], 44_100)
    streams = "realtime.audio_io.device_streams"
    monkeypatch.setattr(f"{streams}.is_pipewire", lambda: pipewire)
    monkeypatch.setattr(f"{streams}.list_devices", lambda **_: list(made.values()))
    monkeypatch.setattr(
        portaudio.library(),
        "OutputStream",
        lambda **options: asked.update(options) or SimpleNamespace(latency=options["latency"]),
    )
    speaker = DeviceOutput(name)
    assert asked["latency"] == pytest.approx(asked_s)
    assert speaker.latency_s == pytest.approx(asked_s + added_s)
    # What waits for a late block is no prefill.
    assert speaker.reserve_s == pytest.approx(asked_s + added_s - RESERVE_S)


def test_an_exception_never_leaves_an_input_s_callback(microphone, clock) -> None:
    input_queue = filling()
    input_queue.gate.input_runs = True
    input_queue.ring = None
    microphone.start(input_queue, None)
    call(microphone)
    assert microphone.check().startswith("mic failed: ")
    call(microphone)
    assert microphone.check().startswith("mic failed 2 times: ")


def test_an_exception_in_an_output_s_callback_is_silence(monkeypatch, clock) -> None:
    broken: Any = Asked(IndexError("no such sample"))
    speaker = loudspeaker(monkeypatch)
    speaker.start(broken, 1)
    assert not call_as_it_settles(speaker, clock, 0.0).any()
    assert "no such sample" in speaker.check()
