"""Measures the U-Net of width 16 on a CUDA device, live and offline, against targets.

Run by ``make bench-gpu``; it takes a minute and needs neither trained weights nor a sound card.
"""

import sys

import torch

from models.evaluation.bench import untrained_groups
from realtime.bench.stage import run_group

# Live: 512 samples last 11.6 ms. Offline: an hour of audio in 3.6 s.
BLOCK, MAX_P99_MS = 512, 1.5
MIN_OFFLINE_RATIO = 1000.0

# Enough for a 99th percentile over thousands of blocks.
ROUNDS, ROUND_S = 5, 0.5


def main() -> int:
    """Measure and print.

    Returns:
        0 if both targets are reached, 1 if not, 2 without a CUDA device.
    """
    if not torch.cuda.is_available():
        print("there is no CUDA device here (or this torch was built without CUDA)")
        return 2
    print(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")
    (group,) = untrained_groups(["cuda"])
    rows = run_group(group(), rounds=ROUNDS, round_s=ROUND_S)
    for row in rows:
        print(
            f"{row['stage']:10} {row['dtype']:9} block {row['block'] or 'whole':>5}  "
            f"p50 {row['p50_ms']:8.3f} ms  p99 {row['p99_ms']:8.3f} ms  "
            f"{row['real_time_ratio']:8.0f}x real time"
        )
    live_ms = min(r["p99_ms"] for r in rows if r["block"] == BLOCK)
    offline = max(r["real_time_ratio"] for r in rows if r["stage"] == "offline")
    print(f"live, blocks of {BLOCK}: p99 {live_ms:.3f} ms, target: at most {MAX_P99_MS} ms")
    print(f"offline: {offline:.0f}x real time, target: at least {MIN_OFFLINE_RATIO:.0f}x")
    return 0 if live_ms <= MAX_P99_MS and offline >= MIN_OFFLINE_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
