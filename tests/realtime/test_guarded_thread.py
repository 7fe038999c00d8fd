"""An exception of a thread or callback is stored as one line."""

import threading

import pytest

from realtime.guarded_thread import Guard, GuardedThread


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("a number"), "a number"),
        (RuntimeError("first line\n\n  it is tired\n"), "it is tired"),
        (MemoryError(), "MemoryError"),
        (ValueError("  \n"), "ValueError"),
    ],
)
def test_the_first_exception_is_one_line_and_all_are_counted(error, reason) -> None:
    guard = Guard("reading")
    assert (guard.error, guard.count) == ("", 0)
    guard.note(error)
    assert (guard.error, guard.count) == (f"reading failed: {reason}", 1)
    guard.note(ValueError("another"))
    assert guard.error == f"reading failed 2 times: {reason}"


def test_a_thread_that_raises_ends_with_an_error() -> None:
    def fail(text: str) -> None:
        raise KeyError(text)

    thread = GuardedThread(fail, name="topoctave-test", what="testing")
    thread.start("no key")
    thread.stop()
    assert not thread.running
    assert thread.error == "testing failed: 'no key'"


@pytest.mark.parametrize("starts", [True, False])
def test_a_thread_is_asked_to_stop_and_waited_for(starts) -> None:
    ended = threading.Event()

    def run() -> None:
        thread.stopping.wait()
        ended.set()

    thread = GuardedThread(run, name="topoctave-test", what="testing")
    if starts:
        thread.start()
    assert thread.running is starts
    for _ in range(2):
        thread.stop()
        assert ended.is_set() is starts
    assert (thread.running, thread.error) == (False, "")
