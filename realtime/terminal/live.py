"""Runs a session in the terminal: meters while it runs, a summary at its end."""

import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from realtime.assets import demo_path
from realtime.dsp.parameters import Parameters
from realtime.engine.engine import Engine
from realtime.engine.open import open_engine
from realtime.engine.settings import VIRTUAL_MIC, Settings
from realtime.engine.snapshot import Snapshot, State
from realtime.errors import DeviceError, SettingsError
from realtime.files.audio_file import read_audio, unfinished_note
from realtime.sample_rates import SAMPLE_RATE_OUT

Report = Callable[[str], None]

METER_INTERVAL_S = 0.1
DEMO_RESULT = Path("topoctave-demo.wav")


@contextmanager
def signals_end_a_run() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does; what was opened is undone at any time."""
    # Windows has no SIGHUP, and nohup ignores it.
    names = [s for s in signal.Signals if s.name in ("SIGTERM", "SIGHUP")]
    before = {n: h for n in names if (h := signal.getsignal(n)) != signal.SIG_IGN}
    for name in before:
        signal.signal(name, signal.default_int_handler)
    try:
        yield
    finally:
        for name, was in before.items():
            signal.signal(name, was)


@signals_end_a_run()
def run_live(
    settings: Settings,
    parameters: Parameters,
    *,
    seconds: float | None,
    fall_back_input: bool,
    fall_back_output: bool,
    report: Report,
) -> dict[str, Any]:
    """Run a session until its input ends, its time is over, or Ctrl-C.

    Without a microphone, ``fall_back_input`` takes the demo clip; without a loudspeaker,
    ``fall_back_output`` discards the output. ``report`` is called with one line at a time.

    Returns:
        The object of ``topoctave live --json``.

    Raises:
        TopoctaveError: if a setting is wrong, or a device, file or model cannot be used.
    """
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise SettingsError(f"--seconds must be positive, got {seconds}")
    # A call must not hear the demo clip.
    fall_back_input = fall_back_input and settings.output != VIRTUAL_MIC
    engine, settings = _open(settings, parameters, fall_back_input, fall_back_output, report)
    try:
        first = engine.snapshot()
        models = first.model + (f" (bypass: {first.model_b})" if first.model_b else "")
        report(
            f"{first.input_name} at {first.input_rate_hz} Hz -> {models} on {first.compute} "
            f"-> {first.output_name} at {first.output_rate_hz} Hz, "
            f"{_ms(first.latency.total):.0f} ms late; Ctrl-C stops"
        )
        _run(engine, seconds, notice=first.notice, report=report)
    finally:
        engine.stop()
    last = engine.snapshot()
    if last.state is State.FAILED:
        raise DeviceError(last.error)
    for line in summary_lines(last):
        report(line)
    if settings.input == "demo" and settings.output == str(DEMO_RESULT):
        _plot_demo(last, report)
    return summary(last)


def _open(
    settings: Settings,
    parameters: Parameters,
    fall_back_input: bool,
    fall_back_output: bool,
    report: Report,
) -> tuple[Engine, Settings]:
    """The engine, and the settings that it was opened with."""
    if unfinished := unfinished_note(Path(settings.output)):
        report(unfinished)
    if fall_back_input and (problem := _missing("input")):
        settings = _use_demo(settings, problem, fall_back_output, report)
    note = ""
    if fall_back_output and settings.output == "default" and (problem := _missing("output")):
        note = f"{problem}: discarding the output (--output FILE.wav keeps it)"
        settings = replace(settings, output="null")
    try:
        engine = open_engine(settings, parameters=parameters, progress=report)
    except DeviceError as error:
        if not (fall_back_input and settings.input == "default"):
            raise
        # A device may be listed and not open: its sound server does not run, say.
        settings = _use_demo(settings, str(error), fall_back_output, report)
        engine = open_engine(settings, parameters=parameters, progress=report)
    if note:
        report(note)
    return engine, settings


def _missing(kind: str) -> str:
    """Why there is no default device; empty if there is one."""
    from realtime.audio_io.devices import find_device

    try:
        find_device(kind, "default")
    except DeviceError as error:
        return str(error)
    return ""


def _use_demo(settings: Settings, problem: str, to_file: bool, report: Report) -> Settings:
    report(f"no microphone can be used ({problem}): running on the bundled clip, once")
    output = str(DEMO_RESULT) if to_file else settings.output
    return replace(settings, input="demo", loop=False, output=output)


def _run(engine: Engine, seconds: float | None, *, notice: str, report: Report) -> None:
    """Start the engine, draw meters until the end, and report every new notice."""
    meters = sys.stderr.isatty()
    try:
        engine.start()
        while True:
            time.sleep(METER_INTERVAL_S)
            snapshot = engine.snapshot()
            if meters:
                print(f"\r{meter_line(snapshot)}\x1b[K", end="", file=sys.stderr, flush=True)
            if snapshot.notice != notice:
                notice = snapshot.notice
                line = notice or "the network is back"
                report(f"\n{line}" if meters else line)
            if snapshot.state is not State.RUNNING or (seconds and snapshot.seconds >= seconds):
                break
    except KeyboardInterrupt:
        pass
    finally:
        if meters:
            print(file=sys.stderr)


def _bar(db: float) -> str:
    """A level from -60 to 0 dBFS, one mark per 5 dB."""
    return ("#" * round((min(max(db, -60.0), 0.0) + 60.0) / 5)).ljust(12, ".")


def meter_line(snapshot: Snapshot) -> str:
    """One line of meters."""
    minutes, seconds = divmod(int(snapshot.seconds), 60)
    levels = (("in", snapshot.input_level.peak_db), ("out", snapshot.output_level.peak_db))
    bars = "  ".join(f"{name} [{_bar(db)}] {db:6.1f} dB" for name, db in levels)
    return (
        f"{minutes:d}:{seconds:02d}  {bars}  {snapshot.recent.ratio_median:5.1f}x real time  "
        f"faults {snapshot.faults.total}"
        + (f"  dry: {snapshot.fallback}" if snapshot.fallback else "")
    )


def _ms(samples: int) -> float:
    return 1e3 * samples / SAMPLE_RATE_OUT


def summary(last: Snapshot) -> dict[str, Any]:
    """The object of ``topoctave live --json``."""
    timing, faults = last.timing, asdict(last.faults)
    counted = ("input_overflow", "output_underflow", "ring_overrun", "ring_underrun")
    latency = {k: round(_ms(v), 3) for k, v in asdict(last.latency).items()}
    return {
        "model": last.model,
        "device": last.compute,
        "seconds": round(last.seconds, 3),
        "real_time_ratio": {
            k: round(getattr(timing, f"ratio_{k}"), 2) for k in ("median", "p01", "min")
        },
        "block_ms": {k: round(getattr(timing, f"block_ms_{k}"), 3) for k in ("p50", "p99", "max")},
        "xruns": {k: faults[k] for k in counted},
        "late_blocks": faults["late_blocks"],
        "fallbacks": {
            "count": last.fallbacks,
            "reason": last.fallback,
            "seconds": round(last.fallback_s, 3),
        },
        "latency_ms": latency | {"total": round(_ms(last.latency.total), 3)},
    }


def summary_lines(last: Snapshot) -> list[str]:
    """The summary for people."""
    t, x = last.timing, last.faults
    names = {"safety": "prefill"}
    parts = {names.get(k, k.replace("_", " ")): v for k, v in asdict(last.latency).items() if v}
    threads = f"{last.threads} thread{'s' * (last.threads > 1)}"
    lines = [
        f"{last.seconds:.1f} s of {last.input_name} through {last.model} on {last.compute} "
        f"({threads}, blocks of {last.block_samples})",
        f"real-time ratio  median {t.ratio_median:.1f}, 1st percentile {t.ratio_p01:.1f}, "
        f"lowest {t.ratio_min:.1f}",
        f"latency          {_ms(last.latency.total):.1f} ms: "
        + ", ".join(f"{k} {_ms(v):.1f}" for k, v in parts.items()),
        f"faults           {x.input_overflow} input overflows, {x.output_underflow} output "
        f"underflows, {x.ring_overrun} ring overruns, {x.ring_underrun} ring underruns",
    ]
    if last.fallbacks:
        times = f"{last.fallbacks} times" if last.fallbacks > 1 else "once"
        still = f", still at the end: {last.fallback}" if last.fallback else ""
        lines.append(f"the network was left out {times}, for {last.fallback_s:.1f} s{still}")
    if x.bad_samples:
        lines.append(f"{x.bad_samples} input samples were not numbers and became silence")
    return lines


def _plot_demo(last: Snapshot, report: Report) -> None:
    import soundfile

    from realtime.terminal.spectrogram_png import plot_pair

    source = read_audio(demo_path()).samples
    output, _ = soundfile.read(DEMO_RESULT, dtype="float32", always_2d=True)
    path = DEMO_RESULT.with_suffix(".png")
    plot_pair(source, output.T[:, last.latency.engine :], path, title=last.model)
    report(f"wrote {DEMO_RESULT} and {path}")
