"""Baselines from the command line: what they write, and what they cannot give."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill import baselines, files
from tests.cli.conftest import Command

DIGIT = files.folder("examples") / "digit.png"
MASK = files.folder("examples") / "digit_mask.png"
ALL = {f"digit_{name}.png" for name in ("mean", "std", "std-heat")}
ALL |= {f"digit_sample-{k}.png" for k in (1, 2, 3)}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def text_of(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        image.load()
        return dict(image.text)  # type: ignore[attr-defined]


def words(model: str, *more: object) -> tuple[object, ...]:
    return ("complete", DIGIT, "--mask", MASK, "-m", model, *more)


def test_linear_writes_mean_std_and_samples(npfill: Command, tmp_path: Path) -> None:
    ended = npfill(*words("linear", "-o", tmp_path / "out", "--json"))
    assert ended.code == 0
    assert names(tmp_path / "out") == ALL
    data = json.loads(ended.out)["data"]
    file = baselines.BASELINES["linear"].file
    assert file is not None
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert (data["model"], data["model_sha256"], data["device"]) == ("linear", digest, "cpu")
    assert data["mean_std"] > 0
    assert data["warnings"] == []
    text = text_of(tmp_path / "out" / "digit_mean.png")
    assert (text["npfill_model"], text["npfill_model_sha256"]) == ("linear", digest)
    assert "outside changed: 0 px" in ended.err


@pytest.mark.slow
def test_gp_writes_mean_std_and_samples(npfill: Command, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    assert npfill(*words("gp", "-o", tmp_path / "out")).code == 0
    assert names(tmp_path / "out") == ALL


@pytest.fixture
def telea() -> str:
    pytest.importorskip("cv2")
    return "telea"


def test_of_a_baseline_without_std_the_mean_is_written_and_the_rest_is_said(
    npfill: Command, tmp_path: Path, telea: str
) -> None:
    ended = npfill(*words(telea, "-o", tmp_path / "out", "--json"))
    assert ended.code == 0
    assert names(tmp_path / "out") == {"digit_mean.png"}
    result = json.loads(ended.out)
    data = result["data"]
    assert data["warnings"] == [
        "telea gives no standard deviation: none is written",
        "telea gives no samples: none are written",
    ]
    assert all(f"warning: {warning}" in ended.err for warning in data["warnings"])
    assert data["mean_std"] is None
    assert data["model_sha256"] is None
    assert set(data["outputs"]) == {"mean"}
    text = text_of(tmp_path / "out" / "digit_mean.png")
    assert text["npfill_model"] == "telea"
    assert "npfill_model_sha256" not in text
    assert "outside changed: 0 px\n" in ended.err


@pytest.mark.parametrize("options", [["--emit", "mean"], ["-o", "-"], ["-o", "filled.png"]])
def test_who_asks_for_the_mean_alone_is_not_warned(
    npfill: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    telea: str,
    options: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    placed = options if "-o" in options else [*options, "-o", "out"]
    ended = npfill(*words(telea, *placed))
    assert ended.code == 0
    assert "warning" not in ended.err


@pytest.mark.parametrize("emit", ["std", "samples", "mean,std", "sheet,samples"])
def test_to_ask_for_what_a_baseline_cannot_give_is_a_usage_error(
    npfill: Command, tmp_path: Path, telea: str, emit: str
) -> None:
    ended = npfill(*words(telea, "-o", tmp_path / "out", "--emit", emit))
    assert ended.code == 2
    assert f"error: --emit {emit}: telea gives no " in ended.err
    assert names(tmp_path / "out") == set()


def test_an_npz_without_std_and_a_sheet_without_it_are_written(
    npfill: Command, tmp_path: Path, telea: str
) -> None:
    assert npfill(*words(telea, "-o", tmp_path / "out", "--emit", "sheet,npz")).code == 0
    with np.load(tmp_path / "out" / "digit.npz") as arrays:
        assert set(arrays) == {"mean", "samples", "hole"}
        assert arrays["samples"].shape == (0, 28, 28, 1)
    with Image.open(tmp_path / "out" / "digit_sheet.png") as sheet:
        assert sheet.mode == "RGB"


def test_a_picture_that_linear_does_not_know_is_an_input_error(
    npfill: Command, photo: Path
) -> None:
    ended = npfill("complete", photo, "--box", "1,1,2,3", "-m", "linear")
    assert ended.code == 3
    assert "error: linear completes pictures of 28x28, this one is 6x5\n" in ended.err
    assert names(photo.parent) == {"photo.png"}


def test_a_missing_package_is_one_line_and_a_way_out(
    npfill: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    ended = npfill(*words("telea", "-o", tmp_path / "out"))
    assert ended.code == 5
    assert "error: telea needs OpenCV, which is not installed\n" in ended.err
    assert "hint: pip install 'npfill[baselines]'\n" in ended.err
    assert names(tmp_path / "out") == set()


def test_models_names_the_baselines_in_one_line(npfill: Command) -> None:
    lines = npfill("models").out.decode().replace("\n", " ")
    assert f"Baselines: {', '.join(baselines.BASELINES)}." in lines
