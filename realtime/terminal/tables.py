"""Results as text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str] | None = None) -> str:
    """Rows under headers; numbers to the right, words to the left.

    Args:
        rows: at least one, unless there are ``columns``.
        columns: the keys to show, with their headers; by default all keys.
    """
    columns = columns or {key: key for key in rows[0]}
    shown = []
    for key, header in columns.items():
        values = [row[key] for row in rows]
        cells = [header, *map(_text, values)]
        width = max(map(len, cells))
        cells.insert(1, "-" * width)
        numbers = all(isinstance(v, int | float | None) for v in values)
        shown.append([c.rjust(width) if numbers else c.ljust(width) for c in cells])
    return "\n".join("  ".join(line).rstrip() for line in zip(*shown, strict=True))


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
    headers = {
        "name": "device",
        "host_api": "host API",
        "inputs": "in",
        "outputs": "out",
        "default_sample_rate": "rate",
        "accepts_22050_in": "22.05 kHz in",
        "accepts_44100_out": "44.1 kHz out",
    }
    return table(result["devices"], headers)


def model_table(result: dict[str, Any]) -> str:
    """The table of ``topoctave models``."""
    keys = ("name", "title", "kind", "parameters", "latency_samples", "front_end", "licence")
    return table(result["models"], {key: key for key in keys})


def evaluation_table(result: dict[str, Any]) -> str:
    """The table of ``topoctave evaluate``."""
    head = (
        f"{result['clips']} clips, {result['seconds']:.0f} s of {result['data']}, "
        f"on {result['device']} with {result['threads']} threads"
    )
    parts = [head, table(result["rows"])]
    if result.get("ladder"):
        parts += ["", table(result["ladder"])]
    return "\n".join(parts)


def bench_table(result: dict[str, Any]) -> str:
    """The table of ``topoctave bench``."""
    return f"{result['machine']}, torch {result['torch']}\n" + table(result["rows"])
