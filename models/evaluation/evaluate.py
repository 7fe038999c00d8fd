"""The thesis's Tables 2 and 3: every method on every clip of a folder."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from models.data.corpus import find_audio, read_recording
from models.errors import DataError
from models.evaluation.methods import Method, kaiser, model, processor_state_kept, soxr_vhq
from models.evaluation.metrics import Audio, score
from models.evaluation.report import write_report
from models.evaluation.results import Evaluation, halved
from models.evaluation.robustness import robustness
from models.evaluation.validation import MIN_CLIP_SAMPLES
from models.evaluation.visqol import Listener
from realtime.errors import ModelFileError
from realtime.inference.model_file import find_model, shipped_models
from realtime.sample_rates import SAMPLE_RATE_OUT

# How often a long evaluation says where it is, in seconds.
REPORT_EVERY_S = 10.0


@processor_state_kept()
def evaluate(
    data: Path,
    models: Sequence[str] | None = None,
    *,
    compute: str = "auto",
    threads: int | None = None,
    dtype: str | None = None,
    visqol: bool = False,
    robust: bool = False,
    table: Path | None = None,
    page: Path | None = None,
    runs: Sequence[Path] = (),
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Score kaiser_fast, kaiser_best, soxr VHQ and models on full-band recordings.

    Each recording is brought to 22.05 kHz by resampy kaiser_best, upsampled by every method
    through the processors of the live path, its latency trimmed, and scored at its stored level.

    Args:
        data: folder of recordings of 44.1 kHz or more, searched recursively.
        models: names of shipped ones or ``.ts`` files; all shipped ones if None, none if empty.
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of the networks; None for a good number.
        dtype: ``float32``, ``tf32`` or ``bfloat16``; None for the device's default.
        visqol: whether to measure ViSQOL, which is slow and an extra.
        robust: whether to score kaiser_fast and the networks behind other low-passes and noise
            as well; as long again as the rest for each of fourteen conditions.
        table: a CSV file to write, one line per method and clip.
        page: an HTML file to write, with spectrograms.
        runs: folders of trainings whose curves to show there.
        report: called with a line of progress now and then.

    Returns:
        ``{data, clips, seconds, device, threads, rows: [{method, snr_db, snr_lf_db, lsd, lsd_ln,
        lsd_hf, lsd_edge, lsd_act, visqol, real_time_ratio}], intervals: [{method, ...}]}``: means
        over the clips and half-widths of their 95 % confidence intervals, None where a measure is
        defined for none; device and threads are those of the networks. With ``robust`` also
        ``robustness``.

    Raises:
        DataError: if there is no usable audio, a recording is unusable, a method gives samples
            that are not finite, or a file cannot be written.
        ModelFileError: if there is no such model, it cannot be loaded, or two have the same name.
        TopoctaveError: if ViSQOL is missing.
    """
    for target in (table, page):
        if target is not None and not target.absolute().parent.is_dir():
            raise DataError(f"there is no folder {target.parent}")
    listener = Listener() if visqol else None
    clips = find_audio(data)
    infos = shipped_models() if models is None else [find_model(name) for name in models]
    networks = [model(info, compute=compute, threads=threads, dtype=dtype) for info in infos]
    methods = [kaiser("kaiser_fast"), kaiser("kaiser_best"), soxr_vhq(), *networks]
    evaluation = Evaluation(data, methods, networks, clips={m.name: [] for m in methods})
    if len(evaluation.clips) < len(methods):
        raise ModelFileError(
            f"two methods have the same name: {', '.join(m.name for m in methods)}"
        )
    report(f"{len(clips)} clips in {data}, {len(methods)} methods")
    _measure_all(evaluation, clips, listener, report)
    if robust:
        pairs = list(_references(evaluation.paths))
        evaluation.robustness = robustness([methods[0], *networks], pairs, report=report)
    if table is not None:
        evaluation.write_csv(table)
    if page is not None:
        write_report(evaluation, page, runs=runs)
    return evaluation.summary()


def _measure_all(
    evaluation: Evaluation,
    clips: Sequence[Path],
    listener: Listener | None,
    report: Callable[[str], None],
) -> None:
    said = time.monotonic()
    for done, (path, reference) in enumerate(_references(clips)):
        low = halved(reference)
        evaluation.paths.append(path)
        evaluation.lengths_s.append(len(reference) / SAMPLE_RATE_OUT)
        for method in evaluation.methods:
            evaluation.clips[method.name].append(_measure(method, path, low, reference, listener))
        if time.monotonic() - said > REPORT_EVERY_S:
            said = time.monotonic()
            report(f"{done + 1} of {len(clips)} clips")
    if not evaluation.paths:
        raise DataError(
            f"all clips in {evaluation.data} are shorter than {MIN_CLIP_SAMPLES} samples"
        )


def _references(paths: Sequence[Path]) -> Iterator[tuple[Path, Audio]]:
    """Recordings of even length; those too short to be scored are left out."""
    for path in paths:
        reference = read_recording(path)
        if len(reference) >= MIN_CLIP_SAMPLES:
            yield path, reference[: len(reference) // 2 * 2]


def _measure(
    method: Method, path: Path, low: Audio, reference: Audio, listener: Listener | None
) -> dict[str, float]:
    started = time.perf_counter()
    estimate = method.upsample(low)
    row = {"computing_s": time.perf_counter() - started}
    try:
        row |= score(reference, estimate)
    except ValueError as error:
        raise DataError(f"{method.name} on {path}: {error}") from error
    row["visqol"] = listener(reference, estimate) if listener else float("nan")
    return row
