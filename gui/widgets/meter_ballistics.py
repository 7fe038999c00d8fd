"""Meter ballistics: peaks hold, then fall; the clip light latches."""

import math
from dataclasses import dataclass

FLOOR_DB = -72.0
HOLD_S = 1.5
FALL_DB_PER_S = 20.0
CLIP_DB = -0.01
"""A sample at or above this level counts as clipped, in dBFS."""


@dataclass
class MeterBallistics:
    """RMS, peak, held peak and largest peak of one meter, in dBFS; silence at first."""

    rms_db: float = FLOOR_DB
    peak_db: float = FLOOR_DB
    hold_db: float = FLOOR_DB
    max_db: float = -math.inf
    held_s: float = 0.0

    @property
    def clipped(self) -> bool:
        """True from a clipped sample until `clear_clip`."""
        return self.max_db >= CLIP_DB

    def update(self, *, rms_db: float, peak_db: float, elapsed_s: float) -> None:
        """Process a new level.

        Args:
            rms_db: RMS, dBFS, -inf for silence.
            peak_db: Largest peak since the last call, dBFS.
            elapsed_s: Seconds since the last call.
        """
        fall = FALL_DB_PER_S * elapsed_s
        # The floor comes first, because max() keeps its first argument where another is NaN.
        self.rms_db = max(FLOOR_DB, rms_db, self.rms_db - fall)
        self.peak_db = max(FLOOR_DB, peak_db, self.peak_db - fall)
        self.max_db = max(self.max_db, peak_db)
        self.held_s += elapsed_s
        if peak_db >= self.hold_db:
            self.hold_db, self.held_s = peak_db, 0.0
        elif self.held_s > HOLD_S:
            self.hold_db = max(self.peak_db, self.hold_db - fall)

    def clear_clip(self) -> None:
        """Clear the clip light and the largest peak."""
        self.max_db = -math.inf
