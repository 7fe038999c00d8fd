"""Meter ballistics: peaks hold, then fall; the clip light latches."""

import math

FLOOR_DB = -72.0
HOLD_S = 1.5
FALL_DB_PER_S = 20.0
CLIP_DB = -0.01
"""A sample at or above this level counts as clipped, in dBFS."""


class MeterBallistics:
    """RMS, peak, held peak and clip latch of one meter, in dBFS."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset to silence and clear the clip light."""
        self.rms_db = FLOOR_DB
        self.peak_db = FLOOR_DB
        self.hold_db = FLOOR_DB
        self.max_db = -math.inf
        self.clipped = False
        self._held_s = 0.0

    def update(self, *, rms_db: float, peak_db: float, elapsed_s: float) -> None:
        """Process a new level.

        Args:
            rms_db: RMS, dBFS, -inf for silence.
            peak_db: Largest peak since the last call, dBFS.
            elapsed_s: Seconds since the last call.
        """
        fall = FALL_DB_PER_S * elapsed_s
        self.rms_db = max(_floored(rms_db), self.rms_db - fall, FLOOR_DB)
        self.peak_db = max(_floored(peak_db), self.peak_db - fall, FLOOR_DB)
        self.max_db = max(self.max_db, peak_db)
        self._held_s += elapsed_s
        if peak_db >= self.hold_db:
            self.hold_db, self._held_s = _floored(peak_db), 0.0
        elif self._held_s > HOLD_S:
            self.hold_db = max(self.peak_db, self.hold_db - fall, FLOOR_DB)
        if peak_db >= CLIP_DB:
            self.clipped = True

    def clear_clip(self) -> None:
        """Clear the clip light and the largest peak."""
        self.clipped = False
        self.max_db = -math.inf


def _floored(level_db: float) -> float:
    return max(level_db, FLOOR_DB) if not math.isnan(level_db) else FLOOR_DB
