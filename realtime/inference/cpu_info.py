"""The CPU of this machine: name, cores and number formats."""

import os
import platform
from functools import cache
from pathlib import Path

# Linux's names for bfloat16 arithmetic: AVX-512, AMX, and Arm's.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def core_count() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """CPU model and number of cores."""
    names = cpu_facts().get("model name", [])
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {core_count()} cores"


def has_bfloat16() -> bool:
    """Whether the CPU computes in bfloat16; False if that is unknown."""
    flags = [*cpu_facts().get("flags", []), *cpu_facts().get("Features", [])]
    return any(BFLOAT16_FLAGS.intersection(line.split()) for line in flags)


@cache
def cpu_facts() -> dict[str, list[str]]:
    """The lines of Linux's /proc/cpuinfo, by name; empty on other systems."""
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
