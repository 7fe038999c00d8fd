"""Files through the live path's processors against one call of the network."""

import numpy as np
import pytest
import soundfile

from realtime.errors import AudioFileError
from realtime.files.audio_file import SUFFIXES
from realtime.files.enhance import Enhancer, Job, plan_jobs, render
from tests.helpers.cli import store
from tests.helpers.engine_signals import noise
from tests.helpers.networks import loaded_chain


def test_the_second_file_does_not_depend_on_the_first(smooth_info) -> None:
    enhancer = Enhancer(smooth_info, compute="cpu", threads=1)
    first = enhancer.samples(noise(3_000))
    enhancer.samples(np.full((1, 20_000), 0.9, np.float32))
    np.testing.assert_array_equal(enhancer.samples(noise(3_000)), first)


def test_progress_goes_from_nothing_to_all() -> None:
    shares: list[float] = []
    render(loaded_chain().chain, noise(5_000), block_samples=256, progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 10
    assert 0 < shares[0] < 0.1
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("rate", "options", "out_rate", "note"),
    [
        (22_050, {}, 44_100, ""),
        (24_000, {}, 48_000, ""),
        (24_000, {"output_rate": 44_100}, 44_100, ""),
        (16_000, {}, 44_100, "in.wav: the input ends at 8 kHz"),
        (48_000, {}, 48_000, "passed through"),
        (96_000, {"force": True}, 48_000, ""),
    ],
)
def test_files_of_any_rate_are_written_with_a_note(
    tmp_path, smooth_info, rate, options, out_rate, note
) -> None:
    x = noise(rate // 5, 2)
    soundfile.write(tmp_path / "in.wav", x.T, rate, subtype="FLOAT")
    enhancer = Enhancer(smooth_info, compute="cpu", threads=1, **options)
    said = enhancer.file(Job(tmp_path / "in.wav", tmp_path / "out.flac"))
    assert note in said
    assert bool(note) == bool(said)
    y, written = soundfile.read(tmp_path / "out.flac")
    assert (written, y.shape) == (out_rate, (out_rate // 5, 2))
    if "passed" in note:
        np.testing.assert_allclose(y, x.T, rtol=0, atol=2.0**-23)


def test_24_khz_runs_through_the_same_arithmetic_as_22(tmp_path, smooth_info) -> None:
    for rate in (22_050, 24_000):
        soundfile.write(tmp_path / f"{rate}.wav", noise(5_000).T, rate, subtype="FLOAT")
        enhancer = Enhancer(smooth_info, compute="cpu", threads=1)
        enhancer.file(Job(tmp_path / f"{rate}.wav", tmp_path / f"out{rate}.wav"))
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / "out22050.wav")[0], soundfile.read(tmp_path / "out24000.wav")[0]
    )


def test_a_folder_keeps_its_order_below_another_one(tmp_path) -> None:
    source, target = tmp_path / "in", tmp_path / "new" / "out"
    (source / "a" / "b").mkdir(parents=True)
    for name in ("one.wav", "a/two.flac", "a/b/three.wav", "notes.txt"):
        (source / name).touch()
    jobs = plan_jobs(source, target)
    assert [(j.source, j.target) for j in jobs] == [
        (source / "a/b/three.wav", target / "a/b/three.wav"),
        (source / "a/two.flac", target / "a/two.wav"),
        (source / "one.wav", target / "one.wav"),
    ]
    assert not target.exists()  # planning makes nothing
    # Into the folder above, and one file into a folder that is there.
    assert plan_jobs(source / "a" / "b", source)[0].target == source / "three.wav"
    assert plan_jobs(source / "a" / "two.flac", source)[0].target == source / "two.wav"
    # Results inside the source are not restored again.
    assert len(plan_jobs(source, source / "a")) == 1


def test_folders_are_made_with_the_first_result_or_it_is_reported(tmp_path, smooth_info) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    store(tmp_path / "in" / "a" / "one.wav", 9_600, rate=48_000)
    (tmp_path / "file").write_text("in the way")
    enhancer = Enhancer(smooth_info, compute="cpu", threads=1)
    (job,) = plan_jobs(tmp_path / "in", tmp_path / "file" / "out")
    with pytest.raises(AudioFileError, match="folder"):
        enhancer.file(job)
    (job,) = plan_jobs(tmp_path / "in", tmp_path / "new" / "out")
    assert "passed through" in enhancer.file(job)
    assert soundfile.info(tmp_path / "new/out/a/one.wav").frames == 9_600


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_suffixes_in_capitals_are_found(tmp_path, suffix) -> None:
    (tmp_path / f"A{suffix.upper()}").write_bytes(b"")
    (tmp_path / f"folder{suffix}").mkdir()  # is no file
    assert len(plan_jobs(tmp_path, tmp_path / "out")) == 1


# Source and target.
IMPOSSIBLE = {
    "missing source": ("nothing", "out"),
    "no audio": ("texts", "out"),
    "target is a file": ("in", "file"),
    "same name twice": ("twice", "out"),
    "onto itself": ("in/a.wav", "in/a.wav"),
    "onto itself by another path": ("in/a.wav", "in/../in/a.wav"),
    "into its own folder": ("in/a.wav", "in"),
    "folder onto itself": ("in", "in"),
    "folder over itself": ("in", "."),
    "no suffix": ("in/a.wav", "out"),
    "missing folder": ("in/a.wav", "nowhere/a.wav"),
    "long name": ("a" * 300, "out"),
    "long target": ("in", "a" * 300),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_jobs_that_cannot_be_are_reported_before_any_work(tmp_path, what) -> None:
    for name in ("in/a.wav", "in/in/a.wav", "twice/a.wav", "twice/a.flac", "texts/a.txt", "file"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    source, target = IMPOSSIBLE[what]
    before = sorted(tmp_path.rglob("*"))
    reason = "input" if "itself" in what or "own folder" in what else ""
    with pytest.raises(AudioFileError, match=rf"\A.*{reason}.*\Z"):
        plan_jobs(tmp_path / source, tmp_path / target)
    assert sorted(tmp_path.rglob("*")) == before
