"""What is torn is refused with the way to mend it, and mended by it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import npfill as library
from npfill.errors import InputError
from npfill.exploring import MaskOptions, explorer_of
from tests.cli.conftest import Command

ROWS, COLUMNS = np.mgrid[:48, :64]
VALUES = np.stack([ROWS * 4, COLUMNS * 3, (ROWS * COLUMNS) % 200], axis=-1).astype(np.uint8)


@pytest.fixture(params=["torn.png", "torn.jpg"])
def torn(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path(request.param)
    Image.fromarray(VALUES).save(path)
    content = path.read_bytes()
    Path(f"whole{path.suffix}").write_bytes(content)
    path.write_bytes(content[: int(0.7 * len(content))])
    return path


@pytest.mark.slow
def test_the_refusal_names_the_way_out_and_the_way_is_one(npfill: Command, torn: Path) -> None:
    ended = npfill("complete", torn, "--box", "0,0,4,4", "-m", "nearest")
    assert ended.code == 3
    assert "--mask damaged takes what is lost as the hole" in ended.err
    words = ("complete", torn, "--mask", "damaged", "-m", "nearest", "--emit", "mean,npz")
    ended = npfill(*words, "-o", "out")
    assert ended.code == 0, ended.err
    assert "outside changed: 0 px" in ended.err
    hole = np.load("out/torn.npz")["hole"]
    with Image.open(f"whole{torn.suffix}") as whole, Image.open("out/torn_mean.png") as mean:
        assert np.array_equal(np.asarray(mean)[~hole], np.asarray(whole)[~hole])
    assert 0.1 < hole.mean() < 0.8
    assert npfill("explain", "out/torn_mean.png", "--rerun").code == 0
    assert npfill("check", torn, "out/torn_mean.png", "--mask", "damaged").code == 0
    done = library.complete(torn, "damaged", "nearest")
    assert np.array_equal(done.hole, hole)


def test_what_is_whole_is_not_damaged(npfill: Command, torn: Path) -> None:
    ended = npfill("complete", f"whole{torn.suffix}", "--mask", "damaged", "-m", "nearest")
    assert ended.code == 3
    assert "nothing of it is damaged" in ended.err
    with pytest.raises(InputError, match="only of a file"):
        library.complete(VALUES, "damaged", "nearest")


def test_a_torn_mask_is_not_said_to_be_mended(npfill: Command, torn: Path) -> None:
    ended = npfill("complete", f"whole{torn.suffix}", "--mask", torn, "-m", "nearest")
    assert ended.code == 3
    assert "damaged" not in ended.err


def test_transparency_that_was_lost_becomes_opaque(npfill: Command, tmp_path: Path) -> None:
    values = np.concatenate([VALUES, np.full((48, 64, 1), 200, np.uint8)], axis=-1)
    Image.fromarray(values).save(tmp_path / "clear.png")
    content = (tmp_path / "clear.png").read_bytes()
    (tmp_path / "clear.png").write_bytes(content[: len(content) // 2])
    words = ("--mask", "damaged", "-m", "nearest", "-o", tmp_path / "mean.png")
    assert npfill("complete", tmp_path / "clear.png", *words).code == 0
    with Image.open(tmp_path / "mean.png") as mean:
        alpha = np.asarray(mean)[..., 3]
    assert alpha[-1, -1] == 255
    assert alpha[0, 0] == 200


def test_what_is_lost_is_what_is_to_be_measured(torn: Path, weights: Path) -> None:
    explorer, _ = explorer_of(torn, None, MaskOptions("damaged"), [], str(weights))
    assert 0.1 < 1 - explorer.measured.mean() < 0.8
