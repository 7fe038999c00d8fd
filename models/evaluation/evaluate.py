"""Scores every method on every clip of a folder, as in Tables 2 and 3 of docs/thesis.md."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from models.data.corpus import find_audio
from models.data.front_end import halved
from models.errors import DataError, writing
from models.evaluation.ladder import ladder_rows
from models.evaluation.methods import kaiser, model, processor_state_kept, soxr_vhq
from models.evaluation.report import write_report
from models.evaluation.results import Evaluation, clip_scores
from models.evaluation.robustness import robustness
from models.evaluation.validation import references
from models.evaluation.visqol import Visqol
from realtime.errors import ModelFileError
from realtime.inference.model_file import find_model, shipped_models
from realtime.sample_rates import SAMPLE_RATE_OUT

# Interval of the progress reports.
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
    ladder: bool = False,
    table: Path | None = None,
    page: Path | None = None,
    runs: Sequence[Path] = (),
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Score kaiser_fast, kaiser_best, soxr VHQ and models on full-band recordings.

    Each recording is downsampled by resampy kaiser_best, upsampled by every method in the
    processors of the live path, and scored at its stored level, without latency.

    Args:
        data: folder of recordings at 44.1 kHz or more, searched recursively.
        models: names of shipped models, or ``.ts`` files; None for all shipped models.
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of the networks; None to choose by measurement.
        dtype: ``float32``, ``tf32`` or ``bfloat16``; None for the device's default.
        visqol: whether to measure ViSQOL (slow, needs the optional package).
        robust: whether to score kaiser_fast and the networks under the fourteen conditions of
            :mod:`models.evaluation.robustness` too; each takes as long as the rest.
        ladder: whether to score the networks with the levels of the recordings too, see
            :mod:`models.evaluation.ladder`; takes ten times as long as the rest.
        table: a CSV file to write, one line per method and clip.
        page: an HTML file to write, with spectrograms.
        runs: folders of trainings whose curves to show in the HTML file.
        report: called with one line of progress at a time.

    Returns:
        ``{data, clips, seconds, device, threads, rows: [{method, snr_db, snr_lf_db, lsd, lsd_ln,
        lsd_hf, lsd_edge, lsd_act, level_error_db, ..., visqol, real_time_ratio}],
        intervals: [{method, ...}]}``: means over the clips and half-widths of their 95 %
        confidence intervals, None if a measure is undefined for all clips; device and threads of
        the networks. With ``robust`` also ``robustness``, with ``ladder`` also ``ladder``.

    Raises:
        DataError: if a recording is unusable or there is none, the output of a method is not
            finite, or a file cannot be written.
        ModelFileError: if a model is missing, cannot be loaded, or two have the same name.
        TopoctaveError: if ViSQOL is missing.
    """
    for target in (table, page):
        if target is not None:
            _refuse_unwritable(target)
    visqol_score = Visqol() if visqol else None
    clips = find_audio(data)
    infos = shipped_models() if models is None else [find_model(name) for name in models]
    networks = [model(info, compute=compute, threads=threads, dtype=dtype) for info in infos]
    methods = [kaiser("kaiser_fast"), kaiser("kaiser_best"), soxr_vhq(), *networks]
    evaluation = Evaluation(data, methods, networks, clips={m.name: [] for m in methods})
    if len(evaluation.clips) < len(methods):
        names = ", ".join(method.name for method in methods)
        raise ModelFileError(f"two methods have the same name: {names}")
    report(f"{len(clips)} clips in {data}, {len(methods)} methods")
    _measure_all(evaluation, clips, visqol_score, report)
    scored = [x for _, x in references(data, evaluation.paths)] if robust or ladder else []
    if robust:
        evaluation.robustness = robustness([methods[0], *networks], scored, report=report)
    if ladder:
        for method in networks:
            pairs = [(x, method.upsample(halved(x))) for x in scored]
            evaluation.ladder += ladder_rows(method.name, pairs, visqol=visqol_score, report=report)
    if table is not None:
        evaluation.write_csv(table)
    if page is not None:
        write_report(evaluation, page, runs=runs)
    return evaluation.summary()


def _refuse_unwritable(target: Path) -> None:
    """Before the work, which may take hours."""
    if not target.absolute().parent.is_dir():
        raise DataError(f"there is no folder {target.parent}")
    with writing(target):
        if target.is_dir():
            raise IsADirectoryError(0, "it is a folder")


def _measure_all(
    evaluation: Evaluation,
    clips: Sequence[Path],
    visqol: Visqol | None,
    report: Callable[[str], None],
) -> None:
    reported = time.monotonic()
    for done, (path, reference) in enumerate(references(evaluation.data, clips)):
        low = halved(reference)
        evaluation.paths.append(path)
        evaluation.lengths_s.append(len(reference) / SAMPLE_RATE_OUT)
        for method in evaluation.methods:
            started = time.perf_counter()
            estimate = method.upsample(low)
            row = {"computing_s": time.perf_counter() - started}
            try:
                row |= clip_scores(reference, estimate, visqol)
            except ValueError as error:
                raise DataError(f"{method.name} on {path}: {error}") from error
            evaluation.clips[method.name].append(row)
        if time.monotonic() - reported > REPORT_EVERY_S:
            reported = time.monotonic()
            report(f"{done + 1} of {len(clips)} clips")
