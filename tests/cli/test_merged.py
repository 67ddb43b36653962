"""`npfill report`: records of parts, merged."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill.cli import main


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main([*words])
    return int(end.value.code or 0)


@pytest.mark.slow
def test_records_of_parts_are_merged_and_a_failure_is_told_until_it_is_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = list[Path]()
    for number in (1, 2, 3):
        grid = np.arange(64.0).reshape(8, 8)
        grid[3, number] = np.nan
        path = tmp_path / f"{number}.npy"
        np.save(path, grid)
    (tmp_path / "3.npy").write_bytes(b"none")
    for part in ("1/2", "2/2"):
        words = [str(tmp_path), "-m", "nearest", "--samples", "0", "--jsonl", "--part", part, "-q"]
        run("complete", *words, "-o", str(tmp_path / "out"))
        records.append(tmp_path / f"{part[0]}.jsonl")
        records[-1].write_text(capsys.readouterr().out)
    files = [str(path) for path in records]
    assert run("report", *files) == 6
    said = capsys.readouterr()
    assert "2 of 3 completed, in 2 records" in said.out
    assert "3.npy" in said.err
    assert run("report", *files, "--json") == 6
    merged = json.loads(capsys.readouterr().out)
    assert merged["status"] == "partial"
    assert [Path(each["input"]).name for each in merged["data"]["pictures"]] == ["1.npy", "2.npy"]
    mended = tmp_path / "again.jsonl"
    lines = [json.loads(line) for path in records for line in path.read_text().splitlines()]
    (wrong,) = (line for line in lines if line["errors"])
    mended.write_text(json.dumps(wrong | {"errors": []}) + "\n")
    assert run("report", *files, str(mended)) == 0
    assert "3 of 3 completed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        [],
        {"data": {}, "errors": []},
        {"data": {"pictures": [], "skipped": []}, "errors": [{"message": "a", "hint": "b"}]},
        {"data": {"input": "a.png", "outputs": {"mean": "a_mean.png"}}, "errors": []},
    ],
    ids=["list", "nothing", "json of a batch", "dry run"],
)
def test_what_is_no_record_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: object
) -> None:
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(line)}\n")
    assert run("report", str(tmp_path / "a.jsonl")) == 3
    assert "line 1 is no record" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.jsonl", "none.jsonl"])
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe{}")
    assert run("report", str(tmp_path / name)) == 3
    assert f"{name}: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outputs", "said"), [(["a"], "0 of 1"), (["a", "b"], "1 of 1"), (["b", "a"], "1 of 1")]
)
def test_a_raster_is_completed_once_a_part_has_written_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], outputs: list[str], said: str
) -> None:
    files = [tmp_path / name for name in outputs]
    for file in files:
        written = {"mean": "z_mean.tif"} if file.name == "b" else {}
        data = {"input": "z.tif", "windows": 4, "completed": 2, "model": "m", "outputs": written}
        data |= {"missing_px": 3, "warnings": [file.name]}
        file.write_text(json.dumps({"data": data, "errors": []}))
    assert run("report", *map(str, files)) == (6 if len(files) == 1 else 0)
    ended = capsys.readouterr()
    assert f"{said} completed" in ended.out
    assert ("z.tif: windows of other parts are missing" in ended.err) is (len(files) == 1)
    assert ("complete missing parts of windows" in ended.err) is (len(files) == 1)
    run("report", *map(str, files), "--json")
    for merged in json.loads(capsys.readouterr().out)["data"]["pictures"]:
        assert (merged["completed"], merged["missing_px"], merged["warnings"]) == (4, 6, outputs)


def test_a_picture_that_failed_alone_is_mended_once_it_is_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (6, 5)).save("a.png")
    words = ["complete", "./a.png", "-m", "nearest", "--jsonl", "-q"]
    assert (run(*words), run(*words, "--box", "1,1,2,3")) == (2, 0)
    Path("log").write_text(capsys.readouterr().out)
    assert run("report", "log") == 0
    assert "1 of 1 completed" in capsys.readouterr().out


def test_a_picture_that_was_skipped_keeps_what_was_said_of_it(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (6, 5)).save(tmp_path / "a.png")
    words = [str(tmp_path / "*.png"), "--box", "1,1,2,3", "-m", str(weights), "--jsonl", "-q"]
    words += ["--emit", "mean", "-o", str(tmp_path / "out"), "--skip-existing"]
    for name in ("first", "again"):
        assert run("complete", *words) == 0
        (tmp_path / name).write_text(capsys.readouterr().out)
    assert run("report", str(tmp_path / "first"), str(tmp_path / "again"), "--json") == 0
    (merged,) = json.loads(capsys.readouterr().out)["data"]["pictures"]
    assert [*merged["outputs"]] == ["mean"]
