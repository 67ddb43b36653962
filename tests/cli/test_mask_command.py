"""`npfill mask`: a mask, a sheet to look at, and the command that fills."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill.pictures.read import read_picture
from tests.cli.conftest import Command

COFFEE = Path(__file__).parents[2] / "examples/coffee.jpg"


@pytest.mark.slow
def test_the_command_writes_a_mask_and_a_sheet_and_says_what_to_do(
    npfill: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    picture = np.array(Image.open(COFFEE).convert("RGB"))
    picture[40:44, 20:200] = (255, 0, 255)
    Image.fromarray(picture).save("a b.png")
    ended = npfill("mask", "a b.png", "--colour", "magenta")
    assert ended.code == 0
    assert ended.out.decode().strip() == "npfill complete 'a b.png' --mask 'a b_mask.png'"
    assert "painted: 1." in ended.err
    selected = read_picture(Path("a b_mask.png")).values[..., 0]
    assert (selected[40:44, 20:200] == 255).all()
    assert read_picture(Path("a b_mask_sheet.png")).size[1] > 640
    assert npfill("mask", "a b.png", "--colour", "magenta").code == 4
    assert npfill("mask", "a b.png", "--depth", "--overwrite").code == 3
