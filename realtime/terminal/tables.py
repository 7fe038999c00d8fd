"""Results as text for a terminal."""

from collections.abc import Sequence
from typing import Any


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows under headers; numbers to the right, words to the left."""
    cells = [[_text(c) for c in row] for row in rows]
    widths = [max(len(r[i]) for r in [list(headers), *cells]) for i in range(len(headers))]
    right = [
        all(isinstance(r[i], int | float) or r[i] is None for r in rows)
        for i in range(len(headers))
    ]

    def line(row: Sequence[str]) -> str:
        parts = [
            c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)
        ]
        return "  ".join(parts).rstrip()

    return "\n".join([line(headers), line(["-" * w for w in widths]), *map(line, cells)])


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if not abs(value) < 1e6:
            return str(value)
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def device_table(result: dict[str, Any]) -> str:
    """The table of ``topoctave devices``."""
    if not result["devices"]:
        return "There are no audio devices."
    keys = (
        "name",
        "host_api",
        "inputs",
        "outputs",
        "default_sample_rate",
        "accepts_22050_in",
        "accepts_44100_out",
    )
    headers = ("device", "host API", "in", "out", "rate", "22.05 kHz in", "44.1 kHz out")
    return table(headers, [[d[k] for k in keys] for d in result["devices"]])


def model_table(result: dict[str, Any]) -> str:
    """The table of ``topoctave models``."""
    keys = ("name", "title", "kind", "parameters", "latency_samples", "front_end", "licence")
    return table(keys, [[m[k] for k in keys] for m in result["models"]])


def evaluation_table(result: dict[str, Any]) -> str:
    """The table of ``topoctave evaluate``."""
    keys = list(result["rows"][0])
    head = f"{result['clips']} clips, {result['seconds']:.0f} s of {result['data']}, on " + (
        f"{result['device']} with {result['threads']} threads"
    )
    return head + "\n" + table(keys, [[r[k] for k in keys] for r in result["rows"]])


def bench_table(result: dict[str, Any]) -> str:
    """The table of ``topoctave bench``."""
    keys = list(result["rows"][0])
    rows = [[r[k] for k in keys] for r in result["rows"]]
    return f"{result['machine']}, torch {result['torch']}\n" + table(keys, rows)
