"""An evaluation as one self-contained HTML file."""

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.data.corpus import read_even
from models.data.front_end import halved
from models.errors import writing
from models.evaluation.methods import Method
from models.evaluation.metrics import MEASURES
from models.evaluation.plots import curves, png, spectrogram_grid
from models.evaluation.results import Evaluation
from models.training.log import read_log

STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:1150px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;text-align:right;"
    "border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}"
    "img{max-width:100%}small{color:#777}"
)

TITLES = MEASURES | {"condition": "low-pass or noise"}


def _table(rows: Sequence[Mapping[str, Any]], intervals: Sequence[Mapping[str, Any]]) -> str:
    keys = list(rows[0])
    head = "".join(f"<th>{html.escape(TITLES.get(k, k))}</th>" for k in keys)
    body = []
    for i, row in enumerate(rows):
        spread = intervals[i] if intervals else {}
        cells = "".join(f"<td>{_cell(row[k], spread.get(k))}</td>" for k in keys)
        body.append(f"<tr>{cells}</tr>")
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def _cell(value: Any, spread: Any) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return html.escape(str(value))
    plus = f" <small>± {spread:.3g}</small>" if isinstance(spread, float) else ""
    return f"{value:.4g}{plus}"


def _image(data: bytes, alternative: str) -> str:
    text = base64.b64encode(data).decode("ascii")
    return f'<img alt="{html.escape(alternative)}" src="data:image/png;base64,{text}">'


def _clips(evaluation: Evaluation, method: Method) -> str:
    """Spectrograms of a method's best, median and worst clip by LSD."""
    scores = evaluation.clips[method.name]
    order = sorted(range(len(scores)), key=lambda i: scores[i]["lsd"])
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    parts = [f"<h3>{html.escape(method.name)}</h3>"]
    baseline = evaluation.methods[0]
    for name, index in chosen.items():
        path = evaluation.paths[index]
        reference = read_even(path)
        low = halved(reference)
        clips = {m.name: m.upsample(low) for m in (baseline, method)} | {"recording": reference}
        title = f"{name}: {path.name}, LSD {scores[index]['lsd']:.3f}"
        parts.append(f"<p>{_image(png(spectrogram_grid({'': clips}, title=title)), title)}</p>")
    return "".join(parts)


def write_report(evaluation: Evaluation, target: Path, *, runs: Sequence[Path] = ()) -> None:
    """Write an evaluation as HTML: tables, spectrograms of clips, and curves of training ``runs``.

    Raises:
        DataError: if it cannot be written.
    """
    result = evaluation.summary()
    where = (
        f"{result['clips']} clips, {result['seconds']:.0f} s of {result['data']}; "
        f"networks on {result['device']} with {result['threads']} threads"
    )
    parts = [
        f"<h1>Topoctave: evaluation</h1><p>{html.escape(where)}. Means with 95 % confidence "
        "intervals of the mean over the clips; low LSD and high SNR are good.</p>",
        _table(result["rows"], result["intervals"]),
    ]
    if rows := result.get("robustness"):
        parts += ["<h2>Other low-passes, and noise</h2>", _table(rows, [])]
    parts.append("<h2>Best, median and worst clip</h2>")
    parts += [_clips(evaluation, method) for method in evaluation.methods]
    for run in runs:
        if rows := read_log(run):
            parts.append(f"<h2>Training {html.escape(run.name)}</h2>")
            parts.append(_image(png(curves(rows)), "training curves"))
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Topoctave: evaluation'
        f"</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )
    with writing(target):
        target.write_text(page, encoding="utf-8")
