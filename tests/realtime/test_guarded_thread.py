"""An exception of a thread or callback is stored as one line."""

import threading

import pytest

from realtime.guarded_thread import Guard, GuardedThread


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("a number"), "reading failed: a number"),
        (RuntimeError("first line\n\n  it is tired\n"), "reading failed: it is tired"),
        (MemoryError(), "reading failed: MemoryError"),
        (ValueError("  \n"), "reading failed: ValueError"),
    ],
)
def test_an_exception_is_one_line(error: Exception, line: str) -> None:
    guard = Guard("reading")
    assert (guard.error, guard.count) == ("", 0)
    guard.note(error)
    assert (guard.error, guard.count) == (line, 1)


def test_the_first_of_several_is_kept_and_all_are_counted() -> None:
    guard = Guard("mic")
    for text in ("one", "two", "three"):
        guard.note(ValueError(text))
    assert guard.error == "mic failed 3 times: one"


def test_a_thread_that_raises_ends_with_an_error() -> None:
    def fail(text: str) -> None:
        raise KeyError(text)

    thread = GuardedThread(fail, name="topoctave-test", what="testing")
    thread.start("no key")
    thread.stop()
    assert not thread.running
    assert thread.error == "testing failed: 'no key'"


def test_a_thread_is_asked_to_stop_and_waited_for() -> None:
    ended = threading.Event()

    def run() -> None:
        thread.stopping.wait()
        ended.set()

    thread = GuardedThread(run, name="topoctave-test", what="testing")
    thread.start()
    assert thread.running
    thread.stop()
    assert ended.is_set()
    thread.stop()
    assert thread.error == ""


def test_a_thread_that_never_ran_can_be_stopped() -> None:
    thread = GuardedThread(lambda: None, name="topoctave-test", what="testing")
    thread.stop()
    assert not thread.running
