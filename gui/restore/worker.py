"""Restores files in a process of its own, so that live audio in the window is not disturbed.

Reads one JSON object from standard input and writes one per line to standard output, with changed
attributes of :class:`gui.restore.window.FileItem`:

    {"model": NAME, "compute": ..., "threads": ..., "jobs": [[SOURCE, TARGET], ...]}
    {"job": 0, "seconds": 61.5}  {"job": 0, "share": 0.25}  {"job": 0, "share": 1, "result": "Done"}
    {"job": 1, "failed": true, "result": TEXT}  {"error": TEXT}
"""

import contextlib
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path


def _report(**values: object) -> None:
    print(json.dumps(values), flush=True)


def _report_share(job: int, share: float) -> None:
    _report(job=job, share=share)


def main() -> int:
    """Run all jobs; an error of one file does not stop the others."""
    # A cancelled job leaves no unfinished file.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Live audio comes first.
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    from realtime.errors import TopoctaveError
    from realtime.files.audio_file import read_length
    from realtime.files.enhance import Enhancer, Job
    from realtime.inference.model_file import find_model

    request = json.load(sys.stdin)
    try:
        info = find_model(request["model"])
        enhancer = Enhancer(info, compute=request["compute"], threads=request["threads"])
        for number, (source, target) in enumerate(request["jobs"]):
            job = Job(Path(source), Path(target))
            _report(job=number, seconds=read_length(job.source))
            try:
                note = enhancer.file(job, progress=partial(_report_share, number))
                _report(job=number, share=1, result=note or "Done")
            except (TopoctaveError, OSError) as error:
                # The list shows the name of the file beside it.
                text = str(error).replace(source, job.source.name)
                _report(job=number, failed=True, result=text)
    except (TopoctaveError, OSError) as error:
        _report(error=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
