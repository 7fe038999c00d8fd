"""The model card: a model file's metadata in Markdown."""

from collections.abc import Mapping
from typing import Any

from models.evaluation.metrics import MEASURES


def model_card(metadata: Mapping[str, Any]) -> str:
    """The model card of a file with these metadata."""
    upsampled = metadata["front_end"] != "none"
    front_end = f", upsampled by {metadata['front_end']}" if upsampled else ""
    count = f"{metadata['parameters']:,}"
    trained = metadata.get("trained_parameters", metadata["parameters"])
    if trained != metadata["parameters"]:
        count += f", pruned from {trained:,}"
    lines = [
        f"# {metadata['name']}",
        "",
        f"{metadata['title']}: gives 22.05 kHz audio its missing top octave (11-22 kHz). "
        "Written by `topoctave export` from the metadata of the model file.",
        "",
        "| | |",
        "|---|---|",
        f"| Parameters | {count} |",
        f"| Input | {metadata['sample_rate_in']} Hz{front_end} |",
        f"| Output | {metadata['sample_rate_out']} Hz |",
        f"| Runs as | {metadata['kind']}, blocks of {metadata['block_multiple']} samples |",
        f"| Latency | {metadata['latency_samples']} samples, "
        f"{1000 * metadata['latency_samples'] / metadata['sample_rate_out']:.1f} ms |",
        f"| Stored as | {metadata['stored']} |",
        f"| Gain of what it adds | {metadata.get('added_gain_db', 0.0):g} dB |",
        f"| Trained on | {metadata['trained_on']} |",
        f"| Licence of the weights | {metadata['licence']} |",
        f"| Made by | {metadata['created_by']} |",
        "",
        "## Measured",
        "",
    ]
    lines += _measured(metadata["metrics"]) or ["Nothing was measured."]
    lines += [
        "",
        "## Use and limits",
        "",
        "- For speech. Music works only as far as the training data include it.",
        "- The band above 11 kHz is generated: plausible, but no evidence of what was recorded. "
        "Do not use it to measure, or to identify a speaker.",
        "- The band below 9 kHz is the input's own.",
        "",
    ]
    return "\n".join(lines)


def _measured(metrics: Mapping[str, Any]) -> list[str]:
    """One table with a column per data set; figures that are not numbers are left out."""
    sets = {k: v for k, v in metrics.items() if isinstance(v, Mapping)}
    keys = [k for k in MEASURES if any(isinstance(v.get(k), int | float) for v in sets.values())]
    if not keys:
        return []
    lines = [f"| | {' | '.join(sets)} |", "|---|" + "--:|" * len(sets)]
    for key in keys:
        figures = [v.get(key) for v in sets.values()]
        shown = [f"{f:.3f}" if isinstance(f, int | float) else "-" for f in figures]
        lines.append(f"| {MEASURES[key]} | {' | '.join(shown)} |")
    return lines
