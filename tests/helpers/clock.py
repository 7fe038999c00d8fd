"""A clock that tests set, in place of the module ``time`` of another module."""

from types import ModuleType

import pytest


class Clock:
    """Seconds as a test sets them; sleeping only advances them."""

    def __init__(self, patch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        self.now = 100.0
        for module in modules:
            patch.setattr(module, "time", self)

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds
