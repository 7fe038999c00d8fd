"""The thesis's Tables 2 and 3: every method on every clip of a folder."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import resampy

from models.data import find_audio, read_recording
from models.degrade import SAMPLE_RATE_HZ
from models.listener import Listener
from models.methods import Method, kaiser, model, processor_state_kept, soxr_vhq
from models.metrics import Audio, score
from models.validation import MIN_CLIP_SAMPLES, mean_defined
from realtime.model_file import find_model, shipped_models

# How often a long evaluation says where it is, in seconds.
REPORT_EVERY_S = 10.0


@processor_state_kept()
def evaluate(
    data: Path,
    models: Sequence[str] | None = None,
    *,
    compute: str = "auto",
    threads: int | None = None,
    visqol: bool = False,
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
        visqol: whether to measure ViSQOL, which is slow and an extra.
        report: called with a line of progress now and then.

    Returns:
        ``{data, clips, seconds, device, threads, rows: [{method, snr_db, snr_lf_db, lsd, lsd_ln,
        lsd_hf, lsd_edge, lsd_act, visqol, real_time_ratio}]}``: means over the clips, None where a
        measure is defined for none; device and threads are those of the networks.

    Raises:
        ValueError: if there is no usable audio, a recording is unusable, a method gives samples
            that are not finite, or ViSQOL is missing.
        ModelFileError: if there is no such model or it cannot be loaded.
    """
    listener = Listener() if visqol else None
    clips = find_audio(data)
    infos = shipped_models() if models is None else [find_model(name) for name in models]
    networks = [model(info, compute=compute, threads=threads) for info in infos]
    methods = [kaiser("kaiser_fast"), kaiser("kaiser_best"), soxr_vhq(), *networks]
    results: dict[str, list[dict[str, float]]] = {m.name: [] for m in methods}
    if len(results) < len(methods):
        raise ValueError(f"two methods have the same name: {', '.join(m.name for m in methods)}")
    report(f"{len(clips)} clips in {data}, {len(methods)} methods")
    seconds, said = 0.0, time.monotonic()
    for done, (path, reference) in enumerate(_references(clips)):
        low = resampy.resample(
            reference, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 2, filter="kaiser_best"
        ).astype(np.float32)
        seconds += len(reference) / SAMPLE_RATE_HZ
        for method in methods:
            results[method.name].append(_measure(method, path, low, reference, listener))
        if time.monotonic() - said > REPORT_EVERY_S:
            said = time.monotonic()
            report(f"{done + 1} of {len(clips)} clips")
    if not seconds:
        raise ValueError(f"all clips in {data} are shorter than {MIN_CLIP_SAMPLES} samples")
    return {
        "data": str(data),
        "clips": len(results["kaiser_fast"]),
        "seconds": round(seconds, 3),
        "device": networks[0].device if networks else "cpu",
        "threads": networks[0].threads if networks else 1,
        "rows": [_row(name, clips, seconds) for name, clips in results.items()],
    }


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
        raise ValueError(f"{method.name} on {path}: {error}") from error
    row["visqol"] = listener(reference, estimate) if listener else float("nan")
    return row


def _row(name: str, clips: list[dict[str, float]], seconds: float) -> dict[str, Any]:
    means = {key: mean_defined([clip[key] for clip in clips]) for key in clips[0]}
    del means["computing_s"]
    row: dict[str, Any] = {"method": name}
    row |= {key: None if np.isnan(mean) else round(mean, 4) for key, mean in means.items()}
    row["real_time_ratio"] = round(seconds / sum(clip["computing_s"] for clip in clips), 2)
    return row
