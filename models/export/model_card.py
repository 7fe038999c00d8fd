"""The model card: what a shipped file is, for people, made of its metadata."""

from collections.abc import Mapping
from typing import Any

UNITS = {
    "snr_db": "SNR, dB",
    "snr_lf_db": "SNR below 9 kHz, dB",
    "lsd": "LSD",
    "lsd_ln": "LSD, natural logarithm",
    "lsd_hf": "LSD 11-20 kHz",
    "lsd_edge": "LSD 9-11 kHz",
    "lsd_act": "LSD 11.5-17 kHz where somebody speaks",
    "visqol": "ViSQOL",
    "real_time_ratio": "real-time ratio",
}


def model_card(metadata: Mapping[str, Any]) -> str:
    """A model card in Markdown.

    Args:
        metadata: as in the model file.
    """
    upsampled = metadata["front_end"] != "none"
    front_end = f", upsampled by {metadata['front_end']}" if upsampled else ""
    count = f"{metadata['parameters']:,}"
    trained = metadata.get("trained_parameters", metadata["parameters"])
    if trained != metadata["parameters"]:
        count += f", all that makes a difference of {trained:,} trained ones"
    lines = [
        f"# {metadata['name']}",
        "",
        f"{metadata['title']}: gives 22.05 kHz audio its missing top octave (11-22 kHz). "
        "Made by `topoctave export`; this card says what the file says of itself.",
        "",
        "| | |",
        "|---|---|",
        f"| Parameters | {count} |",
        f"| InputStream | {metadata['sample_rate_in']} Hz{front_end} |",
        f"| OutputStream | {metadata['sample_rate_out']} Hz |",
        f"| Runs as | {metadata['kind']}, blocks of {metadata['block_multiple']} samples |",
        f"| Looks ahead | {metadata['latency_samples']} samples, "
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
    lines += _measured(metadata["metrics"]) or ["Nothing is known."]
    lines += [
        "",
        "## Use and limits",
        "",
        "- For speech above all: networks bring back what they have heard. Music is outside what "
        "this network was trained on unless its data say otherwise.",
        "- What it adds above 11 kHz is plausible, not recovered: nothing to measure, identify or "
        "convict anybody by.",
        "- The band below 9 kHz is the input's own.",
        "",
    ]
    return "\n".join(lines)


def _measured(metrics: Mapping[str, Any]) -> list[str]:
    """One table, a column per set of recordings; figures that are not numbers are left out."""
    sets = {k: v for k, v in metrics.items() if isinstance(v, Mapping)}
    keys = [k for k in UNITS if any(isinstance(v.get(k), int | float) for v in sets.values())]
    if not keys:
        return []
    lines = [f"| | {' | '.join(sets)} |", "|---|" + "--:|" * len(sets)]
    for key in keys:
        figures = [v.get(key) for v in sets.values()]
        shown = [f"{f:.3f}" if isinstance(f, int | float) else "-" for f in figures]
        lines.append(f"| {UNITS[key]} | {' | '.join(shown)} |")
    return lines
