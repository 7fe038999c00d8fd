"""Preparing recordings: VCTK's layout, any folder, and the thesis's lists."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import resampy
import soundfile

from models.data.corpus import find_audio
from models.data.prepare import TEST_SPEAKERS, plan, prepare
from models.errors import DataError
from topoctave import main

# Half a step of 16 bits, and the ripple of a resampler's pass-band.
HALF_STEP = 0.5 / 32_767


def write(path: Path, rate: int = 44_100, n: int = 8_000, hz: float = 1_000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = 0.5 * np.sin(2 * np.pi * hz / rate * np.arange(n)) * np.hanning(n)
    soundfile.write(path, audio, rate, subtype="PCM_24")
    return path


@pytest.fixture
def vctk(tmp_path: Path) -> Path:
    root = tmp_path / "VCTK-Corpus-0.92"
    for speaker in ("p225", "p226", "p345", "p360", "s5"):
        for mic in (1, 2):
            path = root / "wav48_silence_trimmed" / speaker / f"{speaker}_001_mic{mic}.flac"
            write(path, rate=48_000, n=9_600)
    (root / "txt" / "p225").mkdir(parents=True)
    (root / "wav48_silence_trimmed" / "log.txt").write_text("not audio")
    return root


def prepared(source: Path, target: Path, **options: Any) -> tuple[dict[str, int], str]:
    lines: list[str] = []
    counts = prepare(source, target, report=lines.append, **options)
    return counts, "\n".join(lines)


def test_vctk_is_split_by_speaker_and_brought_to_44_khz(vctk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert prepared(vctk, out)[0] == {"train": 2, "validation": 1, "test": 2}
    speakers = {s: {p.parent.name for p in find_audio(out / s)} for s in ("train", "test")}
    assert speakers == {"train": {"p225", "p226"}, "test": {"p360", "s5"}}
    # Of NU-Wave 2, NVSR and AP-BWE.
    assert " ".join(sorted(TEST_SPEAKERS)) == "p360 p361 p362 p363 p364 p374 p376 s5"
    assert not list(out.rglob("*mic2*"))
    path = out / "train" / "p225" / "p225_001_mic1.flac"
    audio, rate = soundfile.read(path)
    assert rate == 44_100
    expected = 0.5 * np.sin(2 * np.pi * 1_000 / 44_100 * np.arange(8_820)) * np.hanning(8_820)
    np.testing.assert_allclose(audio[100:-100], expected[100:-100], rtol=0, atol=2e-4)
    # The inner folder does as well.
    assert plan(vctk) == plan(vctk / "wav48_silence_trimmed")


def test_any_folder_is_split_by_name_and_more_files_move_none(tmp_path: Path) -> None:
    source = tmp_path / "voices"
    for i in range(60):
        write(source / f"{i % 3}" / f"{i}.wav", n=10)
    before = {item.name: item.split for item in plan(source)}
    assert set(before.values()) == {"train", "validation", "test"}
    for i in range(60, 90):
        write(source / f"{i}.wav", n=10)
    after = {item.name: item.split for item in plan(source)}
    assert all(after[name] == split for name, split in before.items())


def test_partners_are_halves_of_what_was_written_and_lists_are_read_again(
    vctk: Path, tmp_path: Path
) -> None:
    out, second = tmp_path / "out", tmp_path / "second"
    prepared(vctk, out, low=True)
    lines = (out / "train.txt").read_text().splitlines()
    assert len(lines) == 2
    for line in lines:
        high, low = (out / part for part in line.split("|"))
        reference, _ = soundfile.read(high)
        partner, rate = soundfile.read(low)
        assert rate == 22_050
        expected = resampy.resample(reference, 44_100, 22_050, filter="kaiser_best")
        np.testing.assert_allclose(partner, expected, rtol=0, atol=2 * HALF_STEP)
    counts, _ = prepared(out / "test.txt", second, low=True)
    assert counts == {"train": 0, "validation": 0, "test": 2}
    for path in find_audio(second):
        other = out / path.relative_to(second)
        assert np.array_equal(soundfile.read(path)[0], soundfile.read(other)[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.wav|b.wav|c.wav", "line 1: not '44k path"),
        ("\n\n", "lists no recordings"),
        ("\nmissing.wav|low.wav\n", "line 2: there is no file"),
    ],
)
def test_wrong_lists_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "train.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        prepared(path, tmp_path / "out")


def test_sources_of_one_file_and_targets_in_the_way_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.wav")
    (tmp_path / "out" / "train.txt").mkdir(parents=True)
    with pytest.raises(DataError, match=r"cannot write .*train\.txt"):
        prepared(tmp_path / "in", tmp_path / "out", low=True)
    write(tmp_path / "in" / "a.flac")
    with pytest.raises(DataError, match=r"both become a\.flac"):
        prepared(tmp_path / "in", tmp_path / "out")


def test_a_second_run_makes_only_what_is_missing(vctk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepared(vctk, out, low=True)
    paths = sorted(out.rglob("*.flac"))
    times = {path: path.stat().st_mtime_ns for path in paths}
    paths[0].unlink()
    prepared(vctk, out, low=True)
    assert sorted(out.rglob("*.flac")) == paths
    assert [p for p in paths if p.stat().st_mtime_ns != times[p]] == paths[:1]
    assert not list(out.rglob("*.tmp"))


def test_an_interrupted_file_does_not_count_as_complete(
    vctk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(path: Path, *_args: object, **_kwargs: object) -> None:
        Path(path).write_bytes(b"fLaC half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(soundfile, "write", cut)
        with pytest.raises(KeyboardInterrupt):
            prepared(vctk, tmp_path / "out")
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert sum(prepared(vctk, tmp_path / "out")[0].values()) == 5


def test_unusable_recordings_and_partners_are_named_and_left_out(tmp_path: Path) -> None:
    source = tmp_path / "voices"
    for name in ("a", "b"):
        write(source / f"{name}.wav")
    write(source / "phone.wav", rate=8_000)
    (source / "text.wav").write_text("no audio")
    counts, text = prepared(source, tmp_path / "out")
    assert sum(counts.values()) == 2
    assert text.count("left out") == 2
    assert "phone.wav has 8000 Hz" in text
    (source / "list.txt").write_text("a.wav|text.wav\nb.wav|none.wav\n")
    _, text = prepared(source / "list.txt", tmp_path / "out2", low=True)
    assert "cannot read" in text
    assert len(find_audio(tmp_path / "out2" / "train")) == 2


def test_the_command_line_prepares_and_refuses_in_one_line(
    vctk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", str(vctk), str(tmp_path / "out"), "--low"]) == 0
    assert "train: 2, validation: 1, test: 2" in capsys.readouterr().err
    (tmp_path / "file").write_text("in the way")
    assert main(["prepare", str(vctk), str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("topoctave: ") == 1
