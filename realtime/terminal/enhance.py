"""Restores files in the terminal, with a progress bar."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from tqdm import tqdm

from realtime.errors import AudioFileError, TopoctaveError
from realtime.files.enhance import Enhancer, plan_jobs
from realtime.inference.model_file import find_model
from realtime.inference.tuning import Requested


def run_enhance(
    source: Path,
    target: Path,
    model: str,
    *,
    output_rate: int | None = None,
    force: bool = False,
    report: Callable[[str], None],
    **requested: Unpack[Requested],
) -> None:
    """Restore a file or a folder of files.

    Raises:
        TopoctaveError: if something cannot be used. All other files of a folder are done first.
    """
    info = find_model(model)
    jobs = plan_jobs(source, target)
    enhancer = Enhancer(info, output_rate=output_rate, force=force, **requested)
    failed: list[TopoctaveError] = []
    with tqdm(total=len(jobs), unit="file", disable=None, leave=False) as bar:
        for count, job in enumerate(jobs):
            bar.set_postfix_str(job.source.name)

            def show(share: float, count: int = count) -> None:
                bar.n = round(count + share, 2)
                bar.refresh()

            try:
                note = enhancer.file(job, progress=show)
            except AudioFileError as error:
                failed.append(error)
                note = f"left out: {error}" if len(jobs) > 1 else ""
            if note:
                bar.write(note, file=sys.stderr)
            show(1.0)
    if failed and len(jobs) == 1:
        raise failed[0]
    if failed:
        raise AudioFileError(f"{len(failed)} of {len(jobs)} files could not be restored")
    report(f"restored {len(jobs)} file{'s' * (len(jobs) > 1)} with {info.name}")
