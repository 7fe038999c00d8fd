"""Restores files in a process of its own, so that live audio in the window is not disturbed.

Reads one JSON object from standard input and writes one per line to standard output:

    {"model": NAME, "compute": ..., "threads": ..., "jobs": [[SOURCE, TARGET], ...]}
    {"job": 0, "seconds": 61.5}  {"job": 0, "share": 0.25}  {"job": 0, "note": TEXT}
    {"job": 1, "error": TEXT}
"""

import contextlib
import json
import os
import sys
from functools import partial
from pathlib import Path


def main() -> int:
    """Run all jobs; an error of one file does not stop the others."""
    from realtime.errors import TopoctaveError
    from realtime.files.audio_file import read_length
    from realtime.files.enhance import Enhancer, Job
    from realtime.inference.model_file import find_model

    def report(**values: object) -> None:
        print(json.dumps(values), flush=True)

    def report_share(number: int, share: float) -> None:
        report(job=number, share=share)

    # Live audio comes first.
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    request = json.load(sys.stdin)
    try:
        info = find_model(request["model"])
        enhancer = Enhancer(info, compute=request["compute"], threads=request["threads"])
        for number, (source, target) in enumerate(request["jobs"]):
            job = Job(Path(source), Path(target))
            report(job=number, seconds=read_length(job.source))
            try:
                job.target.parent.mkdir(parents=True, exist_ok=True)
                note = enhancer.file(job, progress=partial(report_share, number))
                report(job=number, note=note)
            except (TopoctaveError, OSError) as error:
                report(job=number, error=str(error))
    except (TopoctaveError, OSError) as error:
        report(error=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
