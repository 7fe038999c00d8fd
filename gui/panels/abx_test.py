"""The ABX test: trials, statistics and CSV export."""

import csv
import math
import random
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        x_is_b: Whether X was B.
        said_b: Whether the answer was B.
        seconds: Time until the answer.
        switches: Number of switches between A, B and X.
        answered: Local time, ISO 8601.
    """

    x_is_b: bool
    said_b: bool
    seconds: float
    switches: int
    answered: str

    @property
    def right(self) -> bool:
        """The answer was right."""
        return self.x_is_b == self.said_b


def p_value(right: int, total: int) -> float:
    """Probability of at least `right` of `total` by guessing: one-sided binomial, p = 1/2.

    Raises:
        ValueError: if `right` is not in 0..`total`.
    """
    if not 0 <= right <= total:
        raise ValueError(f"right must be from 0 to {total}, got {right}")
    ways = sum(math.comb(total, k) for k in range(right, total + 1))
    return float(ways / 2**total)


def verdict(right: int, total: int) -> str:
    """The result in words."""
    if total < 5:
        return "too few answers to tell"
    chance = p_value(right, total)
    if chance < 0.05:
        return "you hear a difference" if chance < 0.01 else "you probably hear a difference"
    return "could be guessing"


class AbxSession:
    """The trials of one test.

    Args:
        rng: Source of randomness.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        # SystemRandom cannot be predicted and has no seed.
        self._rng = rng or random.SystemRandom()
        self.trials: list[Trial] = []
        self.x_is_b = False
        """The current X. Must not be shown."""
        self.draw()

    def draw(self) -> None:
        """Draw a new X."""
        self.x_is_b = self._rng.random() < 0.5

    @property
    def right(self) -> int:
        """Number of right answers."""
        return sum(trial.right for trial in self.trials)

    @property
    def total(self) -> int:
        """Number of answers."""
        return len(self.trials)

    def answer(self, *, said_b: bool, seconds: float, switches: int) -> None:
        """Record an answer and draw the next X."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        self.trials.append(Trial(self.x_is_b, said_b, round(seconds, 2), switches, now))
        self.draw()

    def export(self, path: Path, *, about: dict[str, str]) -> None:
        """Write the trials as CSV.

        Args:
            path: File to write; an existing one is replaced.
            about: Extra columns, such as input and model.

        Raises:
            OSError: if the file cannot be written.
        """
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["trial", "x", "answer", "right", "seconds", "switches", "answered",
                             "right_so_far", "p_value", *about])  # fmt: skip
            right = 0
            for number, trial in enumerate(self.trials, 1):
                right += trial.right
                writer.writerow([number, "AB"[trial.x_is_b], "AB"[trial.said_b], int(trial.right),
                                 trial.seconds, trial.switches, trial.answered, right,
                                 f"{p_value(right, number):.6f}", *about.values()])  # fmt: skip
