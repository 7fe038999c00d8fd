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
    name = cpu_facts().get("model name") or platform.processor() or platform.machine()
    return f"{name}, {core_count()} cores"


def has_bfloat16() -> bool:
    """Whether the CPU computes in bfloat16; False if that is unknown."""
    facts = cpu_facts()
    flags = facts.get("flags") or facts.get("Features", "")
    return not BFLOAT16_FLAGS.isdisjoint(flags.split())


@cache
def cpu_facts() -> dict[str, str]:
    """The lines of Linux's /proc/cpuinfo, by name, for one core; empty on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (s.partition(":") for s in lines)}
