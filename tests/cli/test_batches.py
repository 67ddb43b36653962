"""Many pictures in one command: what is found, how results are named, what a bad one costs."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill import complete_many
from npfill.errors import UsageError
from tests.cli.conftest import Command
from tests.forked import Ended

SELECTED = np.zeros((5, 6), dtype=bool)
SELECTED[1:4, 1:3] = True
BOX = ("--box", "1,1,2,3")


def picture(path: Path, seed: int = 0) -> Path:
    values = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def selecting(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(SELECTED).save(path)
    return path


def files(folder: Path) -> set[str]:
    """The paths of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mean_of(npfill: Command, weights: Path) -> Command:
    """Completes pictures, the mean alone of each."""

    def run(*words: object) -> Ended:
        return npfill("complete", *words, "-m", weights, "--emit", "mean")

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["in"], {"a"}),
        (["in", "-r"], {"a", "sub/b"}),
        (["in/*.png"], {"a"}),
        (["in/**/*.png"], {"a", "b"}),
        (["in/a.png", "in/sub/b.png"], {"a", "b"}),
        (["in/a.png", "in"], {"a"}),
    ],
)
def test_files_folders_and_patterns_name_pictures_once(
    mean_of: Command, words: list[str], found: set[str]
) -> None:
    picture(Path("in/a.png"))
    picture(Path("in/sub/b.png"))
    Path("in/notes.txt").write_text("no picture")
    assert mean_of(*words, *BOX, "-o", "out").code == 0
    assert files(Path("out")) == {f"{name}_mean.png" for name in found}


@pytest.mark.slow
def test_each_picture_of_a_batch_is_what_it_is_alone(mean_of: Command) -> None:
    for seed, name in enumerate(("a", "b")):
        picture(Path(f"{name}.png"), seed)
    mean_of("a.png", "b.png", *BOX, "-o", "together")
    for name in ("a", "b"):
        mean_of(f"{name}.png", *BOX, "-o", "alone")
        result = f"{name}_mean.png"
        assert Path("together", result).read_bytes() == Path("alone", result).read_bytes()


def test_a_file_of_a_name_like_a_pattern_goes_before_the_pattern(mean_of: Command) -> None:
    picture(Path("photo[1].png"))
    picture(Path("photo1.png"))
    assert mean_of("photo[1].png", *BOX).code == 0
    assert files(Path()) == {"photo[1].png", "photo1.png", "photo[1]_mean.png"}


def test_masks_are_found_by_path_and_stem_whatever_the_suffix(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    picture(Path("in/sub/a.png"))
    selecting(Path("masks/a.bmp"))
    selecting(Path("masks/sub/a.gif"))
    assert mean_of("in", "-r", "--mask", "masks", "-o", "out").code == 0
    assert files(Path("out")) == {"a_mean.png", "sub/a_mean.png"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["a_mask.png", "a-mask.bmp", "mask_a.png", "A_MASK.PNG", "a_mask001.png", "a.png"]
)
def test_masks_are_found_by_the_usual_names(mean_of: Command, name: str) -> None:
    picture(Path("in/a.jpg"))
    selecting(Path("masks", name))
    assert mean_of("in", "--mask", "masks", "-o", "out").code == 0
    assert files(Path("out")) == {"a_mean.png"}


def test_masks_are_found_in_either_unicode_form(mean_of: Command) -> None:
    picture(Path("in/caf\u00e9.png"))
    selecting(Path("masks/cafe\u0301.png"))
    assert mean_of("in", "--mask", "masks", "-o", "out").code == 0


def test_two_masks_of_one_picture_are_not_chosen_from(mean_of: Command) -> None:
    picture(Path("in/a.jpg"))
    for name in ("a.png", "a_mask.png"):
        selecting(Path("masks", name))
    ended = mean_of("in", "--mask", "masks", "-o", "out")
    assert ended.code == 6
    assert "more than one mask in masks" in ended.err


@pytest.mark.parametrize(
    ("name", "masks_name"),
    [
        ("b", "b_mask"),
        ("IMG_1", "img_1_mask"),
        ("gr\u00fcn", "gru\u0308n_mask"),
        ("b", "mask_B.png"),
    ],
)
def test_pictures_and_masks_may_share_a_folder(
    mean_of: Command, name: str, masks_name: str
) -> None:
    for one, mask in {"a": "a_mask", name: masks_name}.items():
        picture(Path(f"in/{one}.png"))
        selecting(Path(f"in/{mask}.png"))
    ended = mean_of("in", "--mask", "in", "-o", "out")
    assert (ended.code, files(Path("out"))) == (0, {"a_mean.png", f"{name}_mean.png"}), ended.err


@pytest.mark.slow
def test_several_masks_and_boxes_are_united(mean_of: Command, npfill: Command) -> None:
    picture(Path("a.png"))
    selecting(Path("masks/a.png"))
    selecting(Path("one.png"))
    words = ("a.png", "--mask", "masks", "--mask", "color:magenta~255", "--box", "0,0,1,1")
    assert mean_of(*words).code == 0
    ended = npfill("explain", "a_mean.png")
    assert ended.code == 0, ended.err
    assert b"--mask masks/a.png --mask 'color:magenta~255' --box 0,0,1,1" in ended.out
    ended = mean_of("a.png", "--mask", "one.png", "--mask", "masks/a.png", "--overwrite")
    assert "20.0 % selected (6 px)" in ended.err


def test_one_mask_serves_all_and_is_no_picture_of_the_folder(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    picture(Path("in/b.png"))
    selecting(Path("in/mask.png"))
    assert mean_of("in", "--mask", "in/mask.png", "-o", "out").code == 0
    assert files(Path("out")) == {"a_mean.png", "b_mean.png"}


@pytest.mark.slow
def test_results_in_a_folder_are_no_pictures_to_complete(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    assert mean_of("in", *BOX).code == 0
    ended = mean_of("in", *BOX, "--overwrite")
    assert ended.code == 0
    assert "results of npfill" in ended.err
    assert files(Path("in")) == {"a.png", "a_mean.png"}


@pytest.mark.slow
def test_pictures_of_one_name_keep_their_suffixes_and_it_is_said(mean_of: Command) -> None:
    for suffix in ("png", "bmp"):
        picture(Path(f"in/a.{suffix}"))
    picture(Path("in/b.png"))
    ended = mean_of("in", *BOX, "-o", "out")
    assert ended.code == 0
    assert "in/a.bmp, in/a.png" in ended.err
    assert files(Path("out")) == {"a.png_mean.png", "a.bmp_mean.png", "b_mean.png"}


def test_pictures_whose_results_cannot_be_told_apart_are_refused(mean_of: Command) -> None:
    words = [picture(Path(f"{folder}/a.png")) for folder in ("one", "two")]
    ended = mean_of(*words, *BOX, "-o", "out")
    assert ended.code == 2
    assert "one/a.png and of two/a.png" in ended.err
    assert not Path("out").exists()


@pytest.mark.parametrize("part", [[], ["--part", "1/2"]])
def test_one_file_does_not_take_two_pictures(mean_of: Command, part: list[str]) -> None:
    words = [picture(Path(f"{name}.png")) for name in "ab"]
    for output in ("mean.png", "-"):
        assert mean_of(*words, *BOX, "-o", output, *part).code == 2
    assert files(Path()) == {"a.png", "b.png"}


def test_bad_pictures_are_listed_and_the_others_completed(mean_of: Command) -> None:
    for name in ("a", "b", "maskless"):
        picture(Path(f"in/{name}.png"))
    Path("in/broken[x].png").write_bytes(b"no picture")
    for name in ("a", "b", "broken[x]"):
        selecting(Path(f"masks/{name}.png"))
    ended = mean_of("in", "--mask", "masks", "-o", "out")
    assert ended.code == 6
    assert files(Path("out")) == {"a_mean.png", "b_mean.png"}
    for line in (
        "error: in/broken[x].png: not a picture of a known format",
        "error: in/maskless.png: no mask in masks",
        "error: 2 of 4 pictures failed",
    ):
        assert line in ended.err


def test_json_has_a_record_of_each_picture(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    Path("in/b.png").write_bytes(b"no picture")
    ended = mean_of("in", *BOX, "-o", "out", "--json")
    result = json.loads(ended.out)
    assert (result["status"], result["exit_code"], ended.code) == ("partial", 6, 6)
    assert [record["input"] for record in result["data"]["pictures"]] == ["in/a.png"]
    assert result["data"]["pictures"][0]["outputs"] == {"mean": "out/a_mean.png"}
    assert [error["file"] for error in result["errors"]] == ["in/b.png"]


def test_what_exists_stops_a_batch_before_it_begins(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    picture(Path("in/b.png"))
    Path("out").mkdir()
    Path("out/b_mean.png").write_bytes(b"precious")
    assert mean_of("in", *BOX, "-o", "out").code == 4
    assert files(Path("out")) == {"b_mean.png"}


@pytest.mark.slow
def test_skipping_what_exists_writes_the_rest_and_touches_nothing(
    npfill: Command, weights: Path
) -> None:
    for seed, name in enumerate(("a", "b", "c")):
        picture(Path(f"in/{name}.png"), seed)
    words = ("complete", "in", *BOX, "-m", weights, "--emit", "mean,std", "-o")
    assert npfill(*words, "whole").code == 0
    Path("out").mkdir()
    for name in ("a_mean.png", "a_std.png", "b_mean.png"):
        Path("out", name).write_bytes(b"precious")
    ended = npfill(*words, "out", "--skip-existing")
    assert ended.code == 0
    assert "1 skipped" in ended.err
    assert files(Path("out")) == files(Path("whole"))
    for name in files(Path("out")):
        kept = name in {"a_mean.png", "a_std.png", "b_mean.png"}
        expected = b"precious" if kept else Path("whole", name).read_bytes()
        assert Path("out", name).read_bytes() == expected
    assert npfill(*words, "out", "--skip-existing", "--overwrite").code == 2


def test_a_dry_run_says_what_would_be_done_and_does_nothing(mean_of: Command) -> None:
    picture(Path("in/a[x].png"))
    selecting(Path("masks/a[x].png"))
    ended = mean_of("in", "--mask", "masks", "-o", "out", "--dry-run")
    assert ended.code == 0
    assert ended.out == b"in/a[x].png with masks/a[x].png -> out/a[x]_mean.png\n"
    assert not Path("out").exists()


def test_what_names_no_picture_is_refused(mean_of: Command) -> None:
    Path("empty").mkdir()
    for word in ("empty", "*.png"):
        ended = mean_of(word, *BOX)
        assert ended.code == 3
        assert f"error: {word}: no picture" in ended.err


@pytest.mark.parametrize("word", ["in", "in/*.png"])
def test_a_second_pass_over_results_is_told_how(mean_of: Command, word: str) -> None:
    picture(Path("a.png"))
    assert mean_of("a.png", *BOX, "-o", "in/").code == 0
    ended = mean_of(word, *BOX)
    assert ended.code == 3
    assert "hint: name them alone, as in in/a_mean.png" in ended.err
    assert mean_of("in/a_mean.png", *BOX).code == 0


_GROWTH = """
import resource, sys
from npfill.cli import main
from npfill.completion import Run
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
peaks, one = [], Run.complete
def measured(*arguments):
    report = one(*arguments)
    peaks.append(peak())
    return report
Run.complete = measured
try:
    main(sys.argv[1:])
finally:
    print(len(peaks), peaks[-1] - peaks[9])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
def test_memory_does_not_grow_with_the_number_of_pictures(place: Path, weights: Path) -> None:
    Path("in").mkdir()
    values = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(values).save("in/0.bmp")
    for number in range(1, 40):
        Path(f"in/{number}.bmp").hardlink_to("in/0.bmp")
    words = ["complete", "in", *BOX, "-m", weights, "-q", "-o", "out", "--emit", "mean"]
    done = subprocess.run(
        [sys.executable, "-c", _GROWTH, *map(str, words)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    pictures, growth = map(int, done.stdout.split())
    assert pictures == 40
    # Kept completions would be 30 of 1.4 MB each, and as much again for the pictures.
    assert growth < 20


@pytest.mark.slow
def test_what_systems_put_beside_pictures_is_left_alone_and_told(mean_of: Command) -> None:
    picture(Path("in/dog.png"))
    for name in ("._dog.png", ".DS_Store", "Thumbs.db", "@eaDir/dog.png", "sub/.thumbs/dog.png"):
        path = Path("in", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0\5\26\7")
    for words in (["in", "-r"], ["in/**/*"]):
        ended = mean_of(*words, *BOX, "-o", "out", "--overwrite")
        assert ended.code == 0, ended.err
        assert files(Path("out")) == {"dog_mean.png"}
    ended = mean_of("in", *BOX, "-o", "out", "--overwrite", "-r")
    assert "in: left out: hidden (3), @eaDir (1), Thumbs.db (1)" in ended.err


def test_a_folder_of_the_tree_is_a_folder_whatever_its_name(mean_of: Command) -> None:
    picture(Path("in/2024.05.01/a.png"))
    picture(Path("in/roll.png/b.png"))
    assert mean_of("in", "-r", *BOX, "-o", "out").code == 0
    assert files(Path("out")) == {"2024.05.01/a_mean.png", "roll.png/b_mean.png"}


def test_links_to_folders_are_followed_once_and_never_round(mean_of: Command) -> None:
    picture(Path("in/a/1.png"))
    picture(Path("elsewhere/2.png"))
    picture(Path("above.png"))
    for link, target in {"loop": "..", "b": "a", "more": "../elsewhere", "a/up": "../.."}.items():
        Path("in", link).symlink_to(target)
    for words in (["in", "-r"], ["in/**/*.png"]):
        ended = mean_of(*words, *BOX, "-o", "out", "--dry-run")
        assert sorted(line.split(" -> ")[0] for line in ended.out.decode().splitlines()) == [
            "in/a/1.png",
            "in/more/2.png",
        ]
    assert (
        "in: left out: links to folders that are looked into already (3)"
        in mean_of("in", "-r", *BOX, "--dry-run").err
    )


@pytest.mark.slow
@pytest.mark.parametrize("words", [["in/a.png", "in/mask.png", "in/b_mean.png"], ["in/*.png"]])
def test_masks_and_results_among_several_are_not_completed_however_they_are_named(
    mean_of: Command, words: list[str]
) -> None:
    picture(Path("in/a.png"))
    selecting(Path("in/mask.png"))
    picture(Path("b.png"))
    mean_of("b.png", *BOX, "-o", "in")
    ended = mean_of(*words, "--mask", "in/mask.png", "-o", "out")
    assert ended.code == 0
    assert files(Path("out")) == {"a_mean.png"}
    assert "left out: masks (1), results of npfill (1)" in ended.err
    assert mean_of("in/b_mean.png", *BOX, "-o", "out").code == 0  # named alone, it is meant


def test_a_picture_of_a_batch_is_looked_at_once_and_read_once(
    mean_of: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(Path("in/a.png"))
    picture(Path("in/b.jpg"))
    opened: list[str] = []
    whole = Path.open

    def counted(path: Path, *words: Any, **more: Any) -> Any:
        opened.extend([path.name] * path.is_relative_to("in"))
        return whole(path, *words, **more)

    monkeypatch.setattr(Path, "open", counted)
    assert mean_of("in", *BOX, "-o", "out").code == 0
    assert sorted(opened) == ["a.png", "a.png", "b.jpg", "b.jpg"]


@pytest.mark.slow
def test_a_line_of_json_tells_of_each_picture_as_it_is_done(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    Path("in/b.png").write_bytes(b"no picture")
    picture(Path("in/c.png"))
    picture(Path("out/c_mean.png"))
    ended = mean_of("in", *BOX, "-o", "out", "--jsonl", "--skip-existing")
    assert ended.code == 6
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [(line["data"]["input"], line["exit_code"]) for line in lines] == [
        ("in/c.png", 0),
        ("in/a.png", 0),
        ("in/b.png", 3),
    ]
    assert "not a picture" in lines[2]["errors"][0]["message"]
    alone = json.loads(mean_of("in/a.png", *BOX, "-o", "other", "--json").out)
    assert alone.keys() == lines[1].keys()
    assert alone["data"].keys() == lines[1]["data"].keys()
    dry = mean_of(
        "in/a.png", "in/c.png", *BOX, "-o", "other", "--jsonl", "--dry-run", "--overwrite"
    )
    assert [json.loads(line)["data"]["input"] for line in dry.out.splitlines()] == [
        "in/a.png",
        "in/c.png",
    ]
    assert mean_of("in", *BOX, "--json", "--jsonl").code == 2


@pytest.mark.slow
def test_results_in_a_folder_below_are_not_completed_again_whatever_their_format(
    mean_of: Command,
) -> None:
    picture(Path("in/a.jpg"))
    words = ("in", "-r", *BOX, "-o", "in/out", "--format", "keep", "--overwrite")
    ended = mean_of(*words)
    assert ended.code == 0
    assert re.search(r"outside changed: \d+ px, at most \d+ levels, by the format", ended.err)
    assert "in: left out: in the folder of results (1)" in mean_of(*words).err
    assert files(Path("in")) == {"a.jpg", "out/a_mean.jpg"}


def test_a_picture_of_two_names_is_completed_once(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    Path("link").symlink_to("in")
    ended = mean_of("in", "in/../in/a.png", "link/a.png", *BOX, "-o", "out")
    assert ended.code == 0
    assert "1 of 1 pictures" in ended.err


@pytest.mark.slow
def test_signs_of_patterns_in_names_of_folders_are_no_pattern(mean_of: Command) -> None:
    picture(Path("[set 1]/a*/a.png"))
    for word in ("[set 1]/a*/*.png", "[set 1]/**/*.png"):
        ended = mean_of(word, *BOX, "-o", "out", "--overwrite")
        assert ended.code == 0, ended.err
        assert files(Path("out")) == {"a_mean.png"}


def test_a_picture_whose_name_is_all_there_is_fails_alone(mean_of: Command) -> None:
    picture(Path("in/a.png"))
    Path("in/b.png").symlink_to("nowhere.png")
    ended = mean_of("in", *BOX, "-o", "out")
    assert ended.code == 6
    assert "in/b.png: no such file" in ended.err
    assert files(Path("out")) == {"a_mean.png"}


def test_stdin_is_not_both_picture_and_mask(mean_of: Command) -> None:
    ended = mean_of("-", "--mask", "-")
    assert ended.code == 2
    assert "both picture and mask come through stdin" in ended.err


def test_parts_write_what_one_process_writes(mean_of: Command) -> None:
    for name in ("a.bmp", "a.png", "b.png"):
        selecting(Path("masks", name))
        picture(Path("in", name))
    selecting(Path("masks/a.png")).rename("masks/a.png_mask.png")
    selecting(Path("masks/a.bmp")).rename("masks/a.bmp_mask.png")
    for part in ("1/2", "2/2"):
        words = ("--mask", "masks", "-o", "out", "--skip-existing", "--part", part)
        ended = mean_of("in", *words)
        assert ended.code == 0, ended.err
        assert "skipped" not in ended.err
    assert files(Path("out")) == {"a.bmp_mean.png", "a.png_mean.png", "b_mean.png"}


def test_no_part_writes_over_a_picture_of_another(mean_of: Command) -> None:
    before = [picture(Path("in", name)).read_bytes() for name in ("a.png", "a_mean.png")]
    ended = mean_of("in", *BOX, "-o", "in", "--overwrite", "--part", "1/2")
    assert ended.code == 2
    assert "in/a_mean.png: is an input and would be lost" in ended.err
    assert [Path("in", name).read_bytes() for name in ("a.png", "a_mean.png")] == before


@pytest.mark.parametrize(
    ("options", "saved"),
    [
        ({"emit": "mean"}, {"a.bmp_mean.png", "a.png_mean.png", "b_mean.png"}),
        ({"name": "{stem}{suffix}", "format": "keep"}, {"a.bmp", "a.png", "b.png"}),
    ],
)
def test_completions_of_pictures_of_one_name_are_saved_as_the_command_does(
    weights: Path, options: dict[str, str], saved: set[str]
) -> None:
    for name in ("a.bmp", "a.png", "b.png"):
        picture(Path("in", name))
    for done in complete_many("in", model=weights, samples=0, box=(1, 1, 2, 3)):
        done.save("out/", **options)  # type: ignore[arg-type]
    assert files(Path("out")) == saved


def test_completions_of_a_folder_are_saved_as_they_lie_in_it(weights: Path) -> None:
    for name in ("a", "sub/a"):
        picture(Path(f"in/{name}.png"))
    for done in complete_many("in", model=weights, samples=0, recursive=True, box=(1, 1, 2, 3)):
        done.save("out", name="{stem}{suffix}")
    assert files(Path("out")) == {"a.png", "sub/a.png"}


@pytest.mark.parametrize(
    ("names", "saved"),
    [
        (["one/a.png", "two/a.png"], {"a_mean.png", "two/a_mean.png"}),
        (["one/a.png"] * 3, {"a_mean.png", "one/a_mean.png", "a-2_mean.png"}),
        (["one/a.png", "one/../a.png"], {"a_mean.png", "a-2_mean.png"}),
        ([], {f"completion{number}_mean.png" for number in ("", "-2")}),
    ],
)
def test_no_completion_of_a_list_is_saved_over_another(names: list[str], saved: set[str]) -> None:
    given: list[Any] = [picture(Path(name)) for name in names] or [np.zeros((5, 6), np.uint8)] * 2
    for done in complete_many(given, SELECTED, "nearest"):
        done.save("out", emit="mean", overwrite=True)
    assert files(Path("out")) == saved


def test_each_picture_of_a_folder_has_its_own_mask_of_a_list() -> None:
    for name in "ab":
        picture(Path(f"in/{name}.png"))
    masks = [SELECTED, ~SELECTED]
    for given in (masks, np.stack(masks)):
        done = [each.hole for each in complete_many("in", given, "nearest")]
        assert np.array_equal(done, masks)
    with pytest.raises(UsageError, match="not as many masks as pictures"):
        next(iter(complete_many("in", [*masks, SELECTED], "nearest")))


def test_a_name_that_is_too_long_for_results_is_told_as_json_too(npfill: Command) -> None:
    name = f"{picture(Path('a' * 250 + '.png'))}"
    words = ["complete", name, *BOX, "-m", "nearest", "--json", "-o"]
    assert npfill(*words, "out.png").code == 0
    said = json.loads(npfill(*words, "out/").out)
    assert (said["exit_code"], said["data"]["input"]) == (3, name)
    assert "File name too long" in said["errors"][0]["message"]


@pytest.mark.parametrize("words", [["in"], ["in/a.png", "in/a_mask.png"]])
@pytest.mark.slow
def test_what_is_named_as_the_mask_of_a_picture_beside_it_is_left_out(
    mean_of: Command, words: list[str]
) -> None:
    picture(Path("in/a.png"))
    selecting(Path("in/a_mask.png"))
    ended = mean_of(*words, *BOX, "-o", "out")
    assert ended.code == 0
    assert "left out: masks (1)" in ended.err
    assert files(Path("out")) == {"a_mean.png"}
    assert mean_of("in/a_mask.png", *BOX, "-o", "out").code == 0


@pytest.mark.slow
def test_the_end_of_a_batch_names_what_needs_a_look(
    npfill: Command, photo: Path, weights: Path, tmp_path: Path
) -> None:
    shutil.copy(photo, tmp_path / "other.png")
    words = ("complete", photo, tmp_path / "other.png", "--box", "1,1,3,3", "--no-check")
    ended = npfill(*words, "-m", weights, "--samples", "0")
    assert ended.code == 0
    looks = [line for line in ended.err.splitlines() if line.startswith("look at")]
    assert len(looks) == 2
    assert "photo.png: a guess in " in "".join(looks)


@pytest.mark.parametrize("form", ["--json", "--jsonl"])
def test_a_part_may_have_no_picture(mean_of: Command, form: str) -> None:
    picture(Path("a.png"))
    ended = mean_of("a.png", *BOX, "--part", "2/2", form)
    assert ended.code == 0
    assert files(Path()) == {"a.png"}
    if form == "--json":
        assert json.loads(ended.out)["data"]["pictures"] == []


def test_what_a_baseline_never_gives_is_not_waited_for(npfill: Command) -> None:
    pytest.importorskip("scipy")
    picture(Path("a.png"))
    words = ("complete", "a.png", *BOX, "-m", "nearest", "-o", "out", "--skip-existing")
    assert npfill(*words).code == 0
    assert files(Path("out")) == {"a_mean.png"}
    assert "1 skipped" in npfill(*words).err


@pytest.mark.slow
def test_the_summary_names_the_model_that_completed_the_pictures(npfill: Command) -> None:
    values = np.random.default_rng(0).normal(size=(9, 8))
    values[2:5, 3:6] = np.nan
    Path("folder").mkdir()
    for name in ("a", "b"):
        np.save(f"folder/{name}.npy", values)
    done = npfill("complete", "folder", "--emit", "mean", "-o", "out", "--jsonl")
    assert done.code == 0, done.err
    models = {json.loads(line)["data"]["model"] for line in done.out.splitlines()}
    assert f"2 of 2 pictures completed by {models.pop()}, cpu" in done.err
    assert not models
