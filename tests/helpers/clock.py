"""A clock that tests set, in place of the module ``time`` of another module."""

import pytest


class Clock:
    """Seconds as a test sets them; sleeping only advances them."""

    def __init__(self, patch: pytest.MonkeyPatch, module: str) -> None:
        self.now = 100.0
        patch.setattr(f"{module}.time", self)

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds
