"""The terminal's view of a session: meters while it runs, a summary at its end."""

import math
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from realtime.dsp.parameters import Parameters
from realtime.engine.engine import Engine
from realtime.engine.open import open_engine
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot, State
from realtime.errors import AudioFileError, DeviceError, SettingsError, TopoctaveError
from realtime.files.audio_file import AudioFile, read_audio, unfinished_note
from realtime.sample_rates import SAMPLE_RATE_OUT

Report = Callable[[str], None]

METER_INTERVAL_S = 0.1
DEMO_RESULT = Path("topoctave-demo.wav")


def run_live(
    settings: Settings,
    parameters: Parameters,
    *,
    seconds: float | None,
    fall_back_input: bool,
    fall_back_output: bool,
    report: Report,
) -> dict[str, Any]:
    """Run a session until its input ends, its time is over or somebody presses Ctrl-C.

    Args:
        settings: of the session.
        parameters: of the A/B mix.
        seconds: of audio after which to stop.
        fall_back_input: nobody asked for an input: without a microphone take the demo clip.
        fall_back_output: nobody asked for an output: without a loudspeaker do without.
        report: takes one line at a time for people.

    Returns:
        The object of ``topoctave live --json``.

    Raises:
        TopoctaveError: if something cannot be opened, or fails while running.
        SettingsError: if a setting is wrong.
    """
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise SettingsError(f"--seconds must be positive, got {seconds}")
    engine, settings = _open(settings, parameters, fall_back_input, fall_back_output, report)
    try:
        look = engine.snapshot()
        report(
            f"{look.input_name} at {look.input_rate_hz} Hz -> {look.model} on {look.compute} -> "
            f"{look.output_name} at {look.output_rate_hz} Hz, "
            f"{_ms(look.latency.total):.0f} ms late; Ctrl-C stops"
        )
        _watch(engine, seconds, told=look.notice, report=report)
    finally:
        engine.stop()
    last = engine.snapshot()
    if last.state is State.FAILED:
        raise DeviceError(last.error)
    for line in summary_lines(last):
        report(line)
    if settings.input == "demo" and settings.output == str(DEMO_RESULT):
        _draw_demo(last, report)
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
        note = f"{problem}: playing to nobody (--output FILE.wav keeps the result)"
        settings = replace(settings, output="null")
    try:
        engine = open_engine(settings, parameters=parameters, progress=report)
    except DeviceError as error:
        if not (fall_back_input and settings.input == "default"):
            raise
        # Listed, but not to be opened: a sound server that does not run, report.
        settings = _use_demo(settings, str(error), fall_back_output, report)
        engine = open_engine(settings, parameters=parameters, progress=report)
    if note:
        report(note)
    return engine, settings


def _missing(kind: str) -> str:
    """Why there is no default device, or nothing."""
    from realtime.audio_io.devices import find_device

    try:
        find_device(kind, "default")
    except DeviceError as error:
        return str(error)
    return ""


def _use_demo(settings: Settings, problem: str, to_file: bool, report: Report) -> Settings:
    report(f"no microphone can be used ({problem}): running on the bundled clip, once")
    return replace(
        settings,
        input="demo",
        loop=False,
        output=str(DEMO_RESULT) if to_file else settings.output,
    )


def _watch(engine: Engine, seconds: float | None, *, told: str, report: Report) -> None:
    """Start, and draw meters until it is over; report notices other than the one told."""
    over = threading.Event()
    previous = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: over.set())
    meters = sys.stderr.isatty()
    try:
        engine.start()
        while not over.wait(METER_INTERVAL_S):
            look = engine.snapshot()
            if meters:
                print(f"\r{meter_line(look)}\x1b[K", end="", file=sys.stderr, flush=True)
            if look.notice != told:
                told = look.notice
                report(f"\n{told}" if meters else told)
            if look.state is not State.RUNNING or (seconds and look.seconds >= seconds):
                break
    except KeyboardInterrupt:
        pass
    finally:
        if meters:
            print(file=sys.stderr)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, previous)


def _bar(db: float, width: int = 12) -> str:
    """A level from -60 to 0 dBFS."""
    filled = round(max(0.0, min(1.0, (max(db, -60.0) + 60.0) / 60.0)) * width)
    return "#" * filled + "." * (width - filled)


def meter_line(look: Snapshot) -> str:
    """One line of meters."""
    minutes, seconds = divmod(int(look.seconds), 60)
    return (
        f"{minutes:d}:{seconds:02d}  in [{_bar(look.input_level.peak_db)}] "
        f"{look.input_level.peak_db:6.1f} dB  out [{_bar(look.output_level.peak_db)}] "
        f"{look.output_level.peak_db:6.1f} dB  {look.recent.ratio_median:5.1f}x real time  "
        f"faults {look.faults.total}"
    )


def _ms(samples: int) -> float:
    return 1e3 * samples / SAMPLE_RATE_OUT


def summary(last: Snapshot) -> dict[str, Any]:
    """The object of ``topoctave live --json``."""
    faults = asdict(last.faults)
    counted = ("input_overflow", "output_underflow", "ring_overrun", "ring_underrun")
    latency = {k: round(_ms(v), 3) for k, v in asdict(last.latency).items()}
    return {
        "model": last.model,
        "device": last.compute,
        "seconds": round(last.seconds, 3),
        "real_time_ratio": {
            "median": round(last.timing.ratio_median, 2),
            "p01": round(last.timing.ratio_p01, 2),
            "min": round(last.timing.ratio_min, 2),
        },
        "block_ms": {
            "p50": round(last.timing.block_ms_p50, 3),
            "p99": round(last.timing.block_ms_p99, 3),
            "max": round(last.timing.block_ms_max, 3),
        },
        "xruns": {k: faults[k] for k in counted},
        "late_blocks": faults["late_blocks"],
        "latency_ms": latency | {"total": round(_ms(last.latency.total), 3)},
    }


def summary_lines(last: Snapshot) -> list[str]:
    """The summary for people."""
    t, x = last.timing, last.faults
    parts = {k.replace("_", " "): v for k, v in asdict(last.latency).items() if v}
    lines = [
        f"{last.seconds:.1f} s of {last.input_name} through {last.model} on {last.compute} "
        f"({last.threads} threads, blocks of {last.block_samples})",
        f"real-time ratio  median {t.ratio_median:.1f}, 1st percentile {t.ratio_p01:.1f}, "
        f"lowest {t.ratio_min:.1f}",
        f"latency          {_ms(last.latency.total):.1f} ms: "
        + ", ".join(f"{k} {_ms(v):.1f}" for k, v in parts.items()),
        f"faults           {x.input_overflow} input overflows, {x.output_underflow} output "
        f"underflows, {x.ring_overrun} ring overruns, {x.ring_underrun} ring underruns",
    ]
    if x.bad_samples:
        lines.append(f"{x.bad_samples} input samples were not numbers and became silence")
    return lines


def _draw_demo(last: Snapshot, report: Report) -> None:
    from realtime.assets import demo_path
    from realtime.terminal.spectrogram_png import draw_pair

    source = read_audio(demo_path())
    import soundfile

    written, _ = soundfile.read(DEMO_RESULT, dtype="float32", always_2d=True)
    output = AudioFile(written.T[:, last.latency.engine :], SAMPLE_RATE_OUT, "")
    picture = DEMO_RESULT.with_suffix(".png")
    draw_pair(source.samples, output.samples, picture, title=last.model)
    report(f"wrote {DEMO_RESULT} and {picture}")


def run_enhance(
    source: Path,
    target: Path,
    model: str,
    *,
    compute: str,
    threads: int | None,
    dtype: str | None,
    report: Report,
) -> None:
    """Restore a file or a folder of files, with a progress bar.

    Raises:
        TopoctaveError: if something cannot be used; of a folder all other files are done first.
        SettingsError: if compute, threads or dtype are wrong.
    """
    from tqdm import tqdm

    from realtime.files.enhance import Enhancer, plan_jobs
    from realtime.inference.model_file import find_model

    info = find_model(model)
    jobs = plan_jobs(source, target)
    enhancer = Enhancer(info, compute=compute, threads=threads, dtype=dtype)
    failed: list[TopoctaveError] = []
    with tqdm(total=len(jobs), unit="file", disable=None, leave=False) as bar:
        for job in jobs:
            bar.set_postfix_str(job.source.name)
            begun = bar.n

            def show(share: float, begun: float = begun) -> None:
                bar.n = round(begun + share, 2)
                bar.refresh()

            try:
                note = enhancer.file(job, progress=show)
            except AudioFileError as error:
                failed.append(error)
                if len(jobs) > 1:
                    bar.write(f"left out: {error}", file=sys.stderr)
            else:
                if note:
                    bar.write(note, file=sys.stderr)
            bar.n = begun + 1
            bar.refresh()
    if failed and len(jobs) == 1:
        raise failed[0]
    if failed:
        raise AudioFileError(f"{len(failed)} of {len(jobs)} files could not be restored")
    report(f"restored {len(jobs)} file{'s' * (len(jobs) > 1)} with {info.name}")
