"""``topoctave latency``: measures with impulses how long sound takes from input to output.

The output plays into the input, through a null sink of the sound server or a cable. In place of
what comes in, the engine is given impulses, and the time until each comes back is measured. An
impulse passes what every sound passes: the engine, the output device and the input device.
"""

import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.audio_io.device_streams import DeviceInput, DeviceOutput
from realtime.audio_io.sound_server.pulse import NullSink
from realtime.dsp.parameters import Parameters
from realtime.engine.engine import Engine
from realtime.engine.open import open_model
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot, State
from realtime.errors import DeviceError
from realtime.inference.load import check_block_samples, load_chain
from realtime.inference.tuning_cache import TuningCache
from realtime.sample_rates import SAMPLE_RATE_OUT
from realtime.terminal.live import signals_end_a_run

Mono = npt.NDArray[np.float32]

INTERVAL_S = 0.5
LEVEL = 0.5
# Less is not an impulse that came back.
MIN_PEAK = 0.02
# A sound server may take two seconds to wake up.
SILENT_S = 10.0


class Impulses:
    """Impulses in place of a sound, and when each of them comes back in it."""

    def __init__(self) -> None:
        self.delays_samples: list[int] = []
        self._time = self._sent = self._heard = 0
        self._peak = 0.0

    def exchange(self, heard: Mono, interval_samples: float) -> Mono:
        """Listen to a block ``[n]``; returns what goes on in its place."""
        given = np.zeros_like(heard)
        if self._time - self._sent >= interval_samples:
            if self._peak > MIN_PEAK:
                self.delays_samples.append(self._heard - self._sent)
            self._sent, self._peak = self._time, 0.0
            given[0] = LEVEL
        level = np.abs(heard)
        at = int(level.argmax())
        if level[at] > self._peak:
            self._peak, self._heard = float(level[at]), self._time + at
        self._time += len(heard)
        return given


class ImpulseInput(DeviceInput):
    """A device whose sound is replaced by impulses."""

    def __init__(self, name: str) -> None:
        self._impulses = Impulses()
        super().__init__(name)

    @property
    def delays_s(self) -> list[float]:
        """How late the impulses were that came back so far."""
        return [n / self.sample_rate_hz for n in self._impulses.delays_samples]

    def _on_audio(self, data: Any, frames: int, moment: Any, status: Any, pause_s: float) -> None:
        given = self._impulses.exchange(data[:, 0], INTERVAL_S * self.sample_rate_hz)
        super()._on_audio(given[:, None], frames, moment, status, pause_s)


@signals_end_a_run()
def run_latency(
    settings: Settings, *, seconds: float, report: Callable[[str], None]
) -> dict[str, Any]:
    """Measure for so many seconds.

    Input and output ``default`` are connected through a null sink of the sound server; others have
    to be connected by a cable.

    Returns:
        The object of ``topoctave latency --json``.

    Raises:
        TopoctaveError: if a device or model cannot be used, or no impulse comes back.
    """
    check_block_samples(settings.block_samples)
    cache = TuningCache()
    choice = open_model(settings, channels=1, cache=cache, progress=report)
    # The dry sound is as late as the network's, and an impulse stays one.
    loaded = load_chain(
        choice.info,
        block_samples=settings.block_samples,
        parameters=Parameters(bypass=True),
        cache=cache,
        **settings.requested,
    )
    with contextlib.ExitStack() as undo:
        null_sink = None
        if settings.input == settings.output == "default":
            if sys.platform != "linux":
                raise DeviceError("connect --input and --output by a cable, and name them")
            null_sink = NullSink("topoctave_latency", "Topoctave-latency")
            undo.callback(null_sink.close)
        with null_sink.as_output() if null_sink else contextlib.nullcontext():
            sink = DeviceOutput(settings.output)
        undo.callback(sink.stop)
        with null_sink.as_input() if null_sink else contextlib.nullcontext():
            source = ImpulseInput(settings.input)
        undo.callback(source.stop)
        engine = Engine(source, sink, loaded)
        undo.callback(engine.stop)
        report(f"measuring for {seconds:g} s through {sink.name} and {source.name}")
        engine.start()
        begin = time.monotonic()
        while (past_s := time.monotonic() - begin) < seconds + SILENT_S:
            time.sleep(INTERVAL_S / 2)
            last = engine.snapshot()
            if last.state is not State.RUNNING:
                raise DeviceError(last.error)
            if source.delays_s and past_s >= seconds:
                return latency_result(last, source.delays_s)
    raise DeviceError("no impulse came back; is the output connected to the input?")


def latency_result(last: Snapshot, delays_s: list[float]) -> dict[str, Any]:
    """The object of ``topoctave latency --json``."""
    reported = asdict(last.latency) | {"total": last.latency.total}
    engine_ms = 1e3 * last.latency.engine / SAMPLE_RATE_OUT
    measured_ms = 1e3 * median(delays_s)
    return {
        "input": last.input_name,
        "output": last.output_name,
        "model": last.model,
        "block_samples": last.block_samples,
        "seconds": round(last.seconds, 3),
        "reported_ms": {k: round(1e3 * v / SAMPLE_RATE_OUT, 3) for k, v in reported.items()},
        "measured_ms": {
            "devices": round(measured_ms - engine_ms, 3),
            "engine": round(engine_ms, 3),
            "total": round(measured_ms, 3),
            "min": round(1e3 * min(delays_s), 3),
            "max": round(1e3 * max(delays_s), 3),
            "impulses": len(delays_s),
        },
        "faults": asdict(last.faults) | {"total": last.faults.total},
    }


def latency_table(result: dict[str, Any]) -> str:
    """Measured beside reported latency, for people."""
    reported, measured = result["reported_ms"], result["measured_ms"]
    devices = reported["device_in"] + reported["device_out"]
    names = ("block", "front_end", "model", "crossfade", "safety")
    parts = {("prefill" if k == "safety" else k.replace("_", " ")): reported[k] for k in names}
    rows: list[tuple[str, float, float | None]] = [
        ("device in", reported["device_in"], None),
        ("device out", reported["device_out"], None),
        ("devices", devices, measured["devices"]),
        *((name, ms, ms) for name, ms in parts.items() if ms),
        ("total", reported["total"], measured["total"]),
    ]
    lines = [f"{'ms':12}{'reported':>10}{'measured':>10}"]
    for name, ms, found in rows:
        lines.append(f"{name:12}{ms:10.1f}" + ("" if found is None else f"{found:10.1f}"))
    faults = result["faults"]["total"]
    return "\n".join(
        [
            *lines,
            f"{measured['impulses']} impulses from {measured['min']:.1f} to {measured['max']:.1f} "
            f"ms in {result['seconds']:.0f} s; {faults} fault{'s' * (faults != 1)}",
        ]
    )
