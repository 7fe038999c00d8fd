"""Fixtures for tests of the window's panels."""

import pytest

from tests.helpers.gui.fake_engine import DESK, FakeWorld


@pytest.fixture
def desk() -> FakeWorld:
    """A machine with a microphone and loudspeakers."""
    return FakeWorld(devices=list(DESK))
