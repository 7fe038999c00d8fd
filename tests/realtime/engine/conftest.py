"""No engine leaves a thread running."""

import threading
from collections.abc import Iterator

import pytest

from tests.helpers.fake_streams import wait_until


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    wait_until(
        lambda: {t for t in threading.enumerate() if t.name.startswith("topoctave")} <= before,
        "that all threads had ended",
    )
