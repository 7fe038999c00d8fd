"""What this machine is: its processor, cores and number formats."""

import os
import platform
from functools import cache
from pathlib import Path

# The names that Linux gives to bfloat16 arithmetic: AVX-512, AMX, and Arm's.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def core_count() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """Processor and number of cores."""
    names = cpu_facts().get("model name", [])
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {core_count()} cores"


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; False where that cannot be told."""
    flags = [*cpu_facts().get("flags", []), *cpu_facts().get("Features", [])]
    return any(BFLOAT16_FLAGS.intersection(line.split()) for line in flags)


@cache
def cpu_facts() -> dict[str, list[str]]:
    """Linux's list of what it knows of the processor, by name; empty elsewhere."""
    facts: dict[str, list[str]] = {}
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return facts
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            facts.setdefault(name.strip(), []).append(value.strip())
    return facts
