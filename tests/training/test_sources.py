"""What a set of pictures may be, and what is said of anything else."""

import gzip
import io
import os
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npfill.cli import app
from npfill.data import sources
from npfill.errors import InputError
from npfill.pictures.formats import picture_suffixes
from tests.training.test_run import train


@pytest.mark.parametrize("content", [b"", b"nothing of the kind"])
def test_a_file_of_no_known_kind_is_told_what_is_taken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(InputError, match="no set of pictures") as refusal:
        sources.read_images(tmp_path / "x.txt", "train", 8, 1)
    for source in sources.SOURCES:
        assert source.words in refusal.value.hint


def test_one_picture_is_no_set_of_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "cat.jpg")
    assert train("cnp-mnist", "--data", str(tmp_path / "cat.jpg"), f"--run-dir={tmp_path}/r") == 3
    said = capsys.readouterr().err
    assert "one picture, not a set of them" in said
    assert "hint: give a folder" in said


@pytest.mark.parametrize("suffix", [".gif", ".avif", ".png"])
def test_every_format_of_pictures_is_found_in_a_folder(tmp_path: Path, suffix: str) -> None:
    assert suffix in picture_suffixes()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / f"one{suffix}")
    (tmp_path / "notes.txt").write_text("not a picture")
    images = sources.read_images(tmp_path, "train", 8, 3)
    assert images.shape == (1, 3, 8, 8)
    assert images[0, 0].float().mean() > 250


def test_pictures_are_read_when_they_are_called(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 4, 5), np.uint8))
    found = sources.entries(tmp_path / "x.npy", "train")
    assert [entry.read().size for entry in found] == [(5, 4)] * 3


def test_the_help_names_every_source() -> None:
    option = next(
        each
        for command in app.registered_commands
        if command.name == "train" and command.callback
        for each in command.callback.__annotations__["data"].__metadata__
    )
    assert sources.ACCEPTED in option.help


def png(level: int, size: int = 8) -> bytes:
    content = io.BytesIO()
    Image.new("L", (size, size), level).save(content, "PNG")
    return content.getvalue()


def idx(*shape: int, values: int | None = None) -> bytes:
    count = int(np.prod(shape)) if values is None else values
    return b"\x00\x00\x08\x03" + struct.pack(">III", *shape) + bytes(count)


def npy(text: str, values: int = 64) -> bytes:
    """An .npy file with this header."""
    header = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(values)


def header(dtype: str = "'|u1'", shape: str = "(1, 8, 8)") -> str:
    return f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}"


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method, compresslevel=1) as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry)
    return content.getvalue()


def rotten(content: bytes, at: int) -> bytes:
    """The content with some bytes changed."""
    return content[:at] + bytes(255 - each for each in content[at : at + 4]) + content[at + 4 :]


def encrypted(content: bytes) -> bytes:
    """A zip of one entry that says that it is encrypted."""
    at = content.index(b"PK\x01\x02") + 8
    return content[:6] + b"\x01" + content[7:at] + b"\x01" + content[at + 1 :]


def lying(content: bytes, size: int) -> bytes:
    """A zip of one entry that states another size."""
    at = content.index(b"PK\x01\x02") + 24
    said = struct.pack("<I", size)
    return content[:22] + said + content[26:at] + said + content[at + 4 :]


SEVERAL = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
PACKED = gzip.compress(idx(4, 8, 8)[:16] + SEVERAL.tobytes())
ARRAY = io.BytesIO()
np.save(ARRAY, SEVERAL)
BOMB = zipped({"0.png": bytes(80 * 2**20)})
DAMAGED = {
    "short-idx": idx(1, 8, 8)[:12],
    "idx-that-lacks-some": idx(4, 8, 8, values=100),
    "idx-with-more": idx(1, 8, 8, values=65),
    "idx-of-no-pixels": idx(3, 0, 0),
    "huge-idx": idx(2**32 - 1, 2**32 - 1, 2**32 - 1, values=9),
    "rotten-idx.gz": rotten(PACKED, 40),
    "wrong-sum-idx.gz": rotten(PACKED, len(PACKED) - 8),
    "short-idx.gz": PACKED[:60],
    "huge-idx.gz": gzip.compress(idx(2**32 - 1, 2**32 - 1, 2**32 - 1, values=9)),
    "bomb-idx.gz": gzip.compress(idx(80, 1024, 1024), 1),
    "text.gz": gzip.compress(b"something else"),
    "object.npy": npy(header("'|O'")),
    "words.npy": npy(header("'<U3'")),
    "whole.npy": npy(header("'<i8'")),
    "fields.npy": npy(header("[('a', '|u1')]")),
    "petabyte.npy": npy(header(shape="(1000000, 1000000, 1000000)")),
    "negative.npy": npy(header(shape="(-1, 8, 8)")),
    "thin.npy": npy(header(shape="(1, 8, 0)")),
    "flat.npy": npy(header(shape="(8, 8)")),
    "channels-first.npy": npy(header(shape="(1, 1, 8, 8)")),
    "seven.npy": npy(header(shape="(1, 2, 2, 7)")),
    "two.npy": npy(header("'<f4'", "(1, 2, 2, 2)")),
    "code.npy": npy("__import__('os')"),
    "long.npy": npy("{" + "'a':" * 9000 + "}"),
    "version.npy": b"\x93NUMPY\x09\x00" + bytes(100),
    "pickle.npy": b"\x80\x04N.",
    "none.npy": b"",
    "short.npy": ARRAY.getvalue()[:-1],
    "pictures.npz": zipped({"0.png": png(1)}),
    "object.npz": zipped({"a.npy": npy(header("'|O'"))}),
    "rotten.npz": rotten(zipped({"a.npy": ARRAY.getvalue()}), 90),
    "wrong-sum.npz": rotten(zipped({"a.npy": ARRAY.getvalue()}, zipfile.ZIP_STORED), 200),
    "bomb.npz": zipped({"a.npy": npy(header(shape="(80, 1024, 1024)"), 80 * 2**20)}),
    "no.zip": b"PK\x03\x04 and no more",
    "rotten.zip": rotten(zipped({"0.png": png(1)}), 50),
    "wrong-sum.zip": rotten(zipped({"0.png": png(1)}, zipfile.ZIP_STORED), 80),
    "encrypted.zip": encrypted(zipped({"0.png": png(1)})),
    "bomb.zip": BOMB,
    "lying.zip": lying(BOMB, 1000),
    "longer.zip": lying(zipped({"0.png": png(1)}), 9999),
    "bzip.zip": zipped({"0.png": png(1)}, zipfile.ZIP_BZIP2),
    "lzma.zip": zipped({"0.png": png(1)}, zipfile.ZIP_LZMA),
    "array.zip": zipped({"0.png": ARRAY.getvalue()}),
    "empty.zip": zipped({}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_or_hostile_set_is_refused_in_one_line_of_ours(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(DAMAGED[name])
    with pytest.raises(InputError) as refusal:
        sources.read_images(path, "train", 8, 1)
    message = str(refusal.value)
    assert name in message
    assert refusal.value.hint
    assert "\n" not in message
    assert "pickle=" not in message + refusal.value.hint


def test_the_content_tells_which_kind_of_array_a_file_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", SEVERAL)
    (tmp_path / "x.npz").rename(tmp_path / "y.npy")
    np.save(tmp_path / "z.npy", SEVERAL)
    (tmp_path / "z.npy").rename(tmp_path / "z.npz")
    for name in ("y.npy", "z.npz"):
        read = sources.read_images(tmp_path / name, "train", 8, 1)
        assert read[:, 0].tolist() == SEVERAL.tolist()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_bytes_may_have_an_axis_of_channels(tmp_path: Path, channels: int) -> None:
    opaque = np.full((4, 8, 8, channels), 255, np.uint8)
    opaque[..., : min(channels, 3) - (channels == 2)] = SEVERAL[..., None]
    np.save(tmp_path / "x.npy", opaque)
    read = sources.read_images(tmp_path / "x.npy", "train", 8, 1)
    assert np.abs(read[:, 0].numpy().astype(int) - SEVERAL.astype(int)).max() <= 1


def test_what_a_mac_adds_to_a_zip_is_no_picture(tmp_path: Path) -> None:
    names = {"0.png": png(7), "__MACOSX/._0.png": b"\x00\x05\x16\x07", "._1.png": b"Mac"}
    (tmp_path / "x.zip").write_bytes(zipped(names | {"read me.txt": b"hello"}))
    assert len(sources.entries(tmp_path / "x.zip", "train")) == 1
    assert ".txt" in sources.left_out(tmp_path / "x.zip", "train")


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    content = zipped({"0.png": png(1, 64)}, zipfile.ZIP_STORED)
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry, last = content[start:end], bytearray(content[end:])
    last[8:10] = last[10:12] = struct.pack("<H", 50)
    last[12:16] = struct.pack("<I", 50 * len(entry))
    (tmp_path / "x.zip").write_bytes(content[:start] + 50 * entry + last)
    with pytest.raises(InputError, match="overlap"):
        sources.entries(tmp_path / "x.zip", "train")


@pytest.mark.parametrize("packed", [False, True])
def test_folders_of_classes_are_read_and_the_last_pictures_are_of_all(
    tmp_path: Path, packed: bool
) -> None:
    names = [f"{name}/{number}.png" for name in ("cats", "dogs") for number in range(6)]
    pictures = {name: png(20 if "cats" in name else 200) for name in names}
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(pictures))
    if not packed:
        path = tmp_path / "x"
        zipfile.ZipFile(tmp_path / "x.zip").extractall(path)
    read = sources.read_images(path, "train", 8, 1)
    assert sorted(read[-4:, 0, 0, 0].tolist()) == [20, 20, 200, 200]
    assert len(read) == 12


def test_a_part_that_is_missing_is_not_taken_from_the_others(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0.png").write_bytes(png(1))
    with pytest.raises(InputError, match="no pictures"):
        sources.entries(tmp_path, "test")


def test_what_is_left_out_of_a_folder_is_said(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.svg", ".hidden"):
        (tmp_path / name).write_bytes(b"hello")
    for name in ("0.png", "._0.png"):
        (tmp_path / name).write_bytes(png(1))
    assert sources.left_out(tmp_path, "train") == {".txt": 2, ".svg": 1, "hidden": 2}


def test_no_pipe_or_device_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.npy")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "0.png")
    os.mkfifo(tmp_path / "train-images-idx3-ubyte")
    for name in ("x.npy", "folder", ".", "/dev/zero"):
        with pytest.raises(InputError, match="pipe or device"):
            sources.read_images(tmp_path / name, "train", 8, 1)


def test_a_folder_and_a_zip_of_it_leave_the_same_out(tmp_path: Path) -> None:
    names = ["0.png", "._0.png", ".DS_Store", "Thumbs.db", "@eaDir/0.png", "__MACOSX/._0.png"]
    for name in [*names, "notes.txt"]:
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / name).write_bytes(png(1))
    shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path / "x")
    for path in (tmp_path / "x", tmp_path / "x.zip"):
        assert [Path(each.name).name[-5:] for each in sources.entries(path, "train")] == ["0.png"]
        others = sources.left_out(path, "train")
        assert others == {"hidden": 2, "Thumbs.db": 1, "@eaDir": 1, "__MACOSX": 1, ".txt": 1}


def test_a_folder_of_classes_that_is_a_link_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "0.png").write_bytes(png(1))
    (tmp_path / "set" / "cats").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "round").symlink_to(tmp_path / "set")
    assert len(sources.entries(tmp_path / "set", "train")) == 1


def test_pictures_in_folders_below_pictures_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    for name in ("0.png", "cats/1.png", "cats/2.png"):
        (tmp_path / name).write_bytes(png(1))
    assert len(sources.entries(tmp_path, "train")) == 1
    assert sources.left_out(tmp_path, "train") == {"pictures in folders below": 2}


def test_a_damaged_picture_is_named_and_left_out_on_demand(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    (tmp_path / "1.png").write_bytes(png(1)[:40])
    with pytest.raises(InputError, match=r"1\.png") as refusal:
        sources.read_images(tmp_path, "train", 8, 1)
    assert "`skip_damaged=True`" in refusal.value.hint
    damaged: list[InputError] = []
    images = sources.read_images_with_holes(tmp_path, "train", 8, 1, damaged)
    assert isinstance(images, torch.Tensor)
    assert images[:, 0, 0, 0].tolist() == [0, 2]
    assert ["1.png" in str(error) for error in damaged] == [True]
    (tmp_path / "0.png").write_bytes(png(1)[:40])
    assert sources.first_file(tmp_path) == tmp_path / "2.png"


def test_pictures_that_are_all_damaged_are_no_set(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(png(1)[:40])
    with pytest.raises(InputError, match=r"1\.png"):
        sources.read_images_with_holes(tmp_path, "train", 8, 1, [])


def test_a_zip_of_windows_has_folders_too(tmp_path: Path) -> None:
    names = [f"set\\{name}\\{number}.png" for name in ("cats", "dogs") for number in range(2)]
    content = {name: png(20 if "cats" in name else 200) for name in names}
    (tmp_path / "x.zip").write_bytes(zipped(content | {"__MACOSX\\._0.png": b"Mac"}))
    read = sources.read_images(tmp_path / "x.zip", "train", 8, 1)
    assert read[:, 0, 0, 0].tolist() == [20, 200, 20, 200]


def test_a_folder_without_pictures_says_what_it_has(tmp_path: Path) -> None:
    for name in ("part1.zip", "part2.zip", "._0.png"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=r"left out: \.zip \(2\), hidden \(1\)"):
        sources.entries(tmp_path, "train")


@pytest.mark.parametrize(
    "names", [("Train", "Valid", "Test"), ("training", "validation", "testing")]
)
def test_parts_have_the_names_that_people_give_them(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    for level, name in enumerate(names):
        (tmp_path / name / "cats").mkdir(parents=True)
        (tmp_path / name / "cats" / "0.png").write_bytes(png(level))
    for level, split in enumerate(("train", "val", "test")):
        assert sources.read_images(tmp_path, split, 8, 1)[:, 0, 0, 0].tolist() == [level]  # type: ignore[arg-type]
    shutil.rmtree(tmp_path / names[2])
    with pytest.raises(InputError, match="no pictures"):
        sources.entries(tmp_path, "test")


def test_a_class_may_be_called_valid(tmp_path: Path) -> None:
    for name in ("valid", "invalid"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(png(1))
    assert len(sources.entries(tmp_path, "train")) == 2
    assert not sources.has_parts(tmp_path, "val")


def test_what_lies_beside_a_training_part_is_no_other_part(tmp_path: Path) -> None:
    for name in ("train/0.png", "stray.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(1))
    assert not any(sources.has_parts(tmp_path, split) for split in ("val", "test"))
    assert sources.shape_of(tmp_path / "train") == sources.shape_of(tmp_path)
