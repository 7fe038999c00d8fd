"""`TOPOCTAVE_REQUIRE` lets no required test be skipped or left out."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("required", "workers", "exit_code", "expected_line"),
    [
        ("", 0, 0, "missing Xvfb"),
        ("display", 0, 1, "display is required here, but: Skipped: missing Xvfb"),
        ("pulse", 1, 1, "required, but no such test passed: pulse"),
    ],
)
def test_a_required_test_must_not_be_skipped_or_left_out(
    required, workers, exit_code, expected_line, project, tmp_path
) -> None:
    one_test = ["tests/gui/test_app.py", "-k", "display_that_answers"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"-n{workers}", *one_test],
        # No Xvfb on this path, so the test skips.
        env={**os.environ, "PATH": str(tmp_path), "TOPOCTAVE_REQUIRE": required},
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == exit_code, done.stdout
    assert expected_line in done.stdout
