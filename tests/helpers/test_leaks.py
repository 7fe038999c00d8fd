"""Threads and open files that outlive a test are found, and nothing else."""

import os
import threading

import pytest

from tests.helpers import leaks
from tests.helpers.leaks import no_threads_or_files_left


def test_a_thread_is_reported_with_the_place_of_its_start(monkeypatch) -> None:
    monkeypatch.setattr(leaks, "GRACE_S", 0.05)
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    with pytest.raises(pytest.fail.Exception, match=r"'forgotten'(.|\n)*with_the_place_of_its"):
        with no_threads_or_files_left():
            thread.start()
    end.set()
    thread.join()


@pytest.mark.skipif(not leaks.OPEN_FILES.exists(), reason="only Linux lists open files")
def test_an_open_file_is_reported_by_name(tmp_path) -> None:
    with (tmp_path / "kept.txt").open("w"):  # Open before, and at the end.
        with pytest.raises(pytest.fail.Exception, match=r"other\.txt") as raised:
            with no_threads_or_files_left():
                file = os.open(tmp_path / "other.txt", os.O_CREAT)
        os.close(file)
    assert "kept" not in str(raised.value)
