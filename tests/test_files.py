"""Files come into being whole or not at all."""

import errno
import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from npfill.errors import InputError, OverwriteError
from npfill.files import STDIO, json_text, lock, put, refuse_inputs, refuse_results, write_bytes
from npfill.pictures import stores
from npfill.pictures.folders import in_folder, of_pattern
from tests.forked import posix
from tests.house import sources


def test_what_does_not_exist_is_not_in_the_way(tmp_path: Path) -> None:
    refuse_results([tmp_path / "a", tmp_path / "no folder" / "b"], overwrite=False)


def test_the_first_existing_path_is_named(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path in paths[1:]:
        path.touch()
    with pytest.raises(OverwriteError, match=r"b \(and 1 more\): exists") as refusal:
        refuse_results(paths, overwrite=False)
    assert "`overwrite=True`" in refusal.value.hint
    refuse_results(paths, overwrite=True)


def test_a_link_to_nowhere_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OverwriteError):
        refuse_results([tmp_path / "a"], overwrite=False)


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
def test_a_file_or_folder_called_dash_is_not_in_the_way_of_stdout(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path("-"))
    refuse_results([STDIO], overwrite=False)
    refuse_inputs([STDIO], [Path("-")])


def test_stdout_needs_no_folder_that_can_be_written_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    refuse_results([STDIO], overwrite=False)
    with pytest.raises(InputError, match="no permission to write there"):
        refuse_results([Path("a")], overwrite=False)


@posix
@pytest.mark.parametrize("name", ["{}.png", "new/{}.png", "new/er/{}.png", "{}/er/a.png"])
def test_a_name_that_is_too_long_is_refused_before_there_is_anything_to_write(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name.format("a" * 256)
    refuse_inputs([path], [tmp_path])
    with pytest.raises(InputError, match=r"\.png: cannot be written") as refusal:
        refuse_results([path], overwrite=False)
    assert "rename the picture" in refusal.value.hint


@posix
def test_of_a_device_in_place_of_a_folder_the_way_to_stdout_is_said() -> None:
    with pytest.raises(InputError, match="/dev/null: not a folder") as refusal:
        refuse_results([Path("/dev/null/a.png")], overwrite=False)
    assert "`output=-`" in refusal.value.hint


def test_bytes_are_written_and_replaced_and_folders_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.png"
    for content in (b"first", b"second"):
        write_bytes(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "any").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path: Path) -> None:
    write_bytes(tmp_path / ("a" * 255), b"content")


@pytest.mark.parametrize(
    "interruption", [OSError(28, "No space left on device"), KeyboardInterrupt]
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interruption_leaves_what_was_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interruption: OSError | type[KeyboardInterrupt],
    step: str,
) -> None:
    def interrupt(*_: object) -> None:
        raise interruption

    path = tmp_path / "a.png"
    write_bytes(path, b"first")
    monkeypatch.setattr(os if step == "fsync" else Path, step, interrupt)
    with pytest.raises((InputError, KeyboardInterrupt)) as error:
        write_bytes(path, b"second")
    if isinstance(interruption, OSError):
        assert str(error.value) == f"{path}: cannot be written (No space left on device)"
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_what_another_run_is_writing_is_not_taken_for_what_one_has_left(tmp_path: Path) -> None:
    part = tmp_path / ".npfill-0123456789ab.part"
    part.write_bytes(b"half")
    os.utime(part, (0, 0))
    with part.open("r+b") as file:
        assert lock(file.fileno())
        write_bytes(tmp_path / "a", b"whole")
        assert part.read_bytes() == b"half"


@posix
def test_a_file_that_is_replaced_keeps_its_permissions_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o664)
    umask = os.umask(0o077)
    try:
        write_bytes(path, b"two")
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o664


@posix
def test_what_appears_meanwhile_is_not_replaced_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    with pytest.raises(FileNotFoundError):  # nor does one come of another that has gone
        put(tmp_path / "gone", tmp_path / "b")
    monkeypatch.setattr(Path, "hardlink_to", refused)
    write_bytes(tmp_path / "a", b"one", overwrite=False)
    with pytest.raises(OverwriteError):
        write_bytes(tmp_path / "a", b"two", overwrite=False)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a", b"one")]


def test_a_place_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"a\.png: cannot be written"):
        write_bytes(tmp_path / "file" / "a.png", b"content")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"folder: cannot be written \(Is a directory\)"):
        write_bytes(tmp_path / "folder", b"content")
    assert not any((tmp_path / "folder").iterdir())
    assert len(list(tmp_path.iterdir())) == 2


def test_json_has_null_for_the_numbers_that_it_has_not() -> None:
    value = {"psnr": float("inf"), "rows": [(float("nan"), 1.5)], "name": "NaN"}
    assert json.loads(json_text(value)) == {"psnr": None, "rows": [[None, 1.5]], "name": "NaN"}


@pytest.mark.slow
def test_json_is_written_by_one_function_alone() -> None:
    writers = {one.name for one in sources() if "json.dump" in one.text}
    assert writers == {"npfill.files", "npfill.config"}  # the latter: values of TOML


def test_what_was_left_goes_from_each_folder_of_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "out").mkdir(parents=True)
        left = tmp_path / name / "out" / ".npfill-1.part"
        left.touch()
        os.utime(left, (0, 0))
        monkeypatch.chdir(tmp_path / name)
        write_bytes(Path("out/x.png"), b"")
        assert [each.name for each in Path("out").iterdir()] == ["x.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_no_file_takes_the_place_of_a_pipe_or_device(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    os.mkfifo(path)
    with pytest.raises(InputError, match="a pipe or device has this name"):
        refuse_results([path], overwrite=True)
    with pytest.raises(InputError, match="a pipe or device"):
        write_bytes(path, b"content")
    assert path.is_fifo()


def test_a_file_is_in_the_way_of_a_store(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").touch()
    with pytest.raises(InputError, match="a file has this name"):
        refuse_results([tmp_path / "a.zarr"], overwrite=True)


def zipped(files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return archive.getvalue()


@pytest.mark.parametrize("moment", range(6))
def test_a_store_is_the_old_or_the_new_one_whenever_its_replacement_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    path, moments = tmp_path / "a.zarr", count()

    def interrupted(act: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            if next(moments) == moment:
                raise KeyboardInterrupt
            return act(*arguments, **options)

        return call

    old, new = ({"zarr.json": state, "c": state} for state in ("old", "new"))
    stores.write(path, zipped(old))
    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        for name in ("rename", "unlink", "rmdir"):
            patch.setattr(os, name, interrupted(getattr(os, name)))
        stores.write(path, zipped(new))
    assert {each.name: each.read_text() for each in path.iterdir()} in (old, new)


@posix
def test_a_store_takes_the_place_of_a_link_and_leaves_what_it_leads_to(tmp_path: Path) -> None:
    link, other = tmp_path / "link.zarr", tmp_path / "other.zarr"
    stores.write(other, zipped({"zarr.json": "old"}))
    link.symlink_to(other.name)
    with pytest.raises(OverwriteError):
        stores.write(link, zipped({"zarr.json": "new"}), overwrite=False)
    stores.write(link, zipped({"zarr.json": "new"}))
    assert not link.is_symlink()
    assert [(each / "zarr.json").read_text() for each in (link, other)] == ["new", "old"]
    assert {*tmp_path.iterdir()} == {link, other}


@posix
@pytest.mark.parametrize(
    ("kind", "mode", "allowed"),
    [("store", 0o700, 0), ("store", 0o750, 0o050), ("file", 0o600, 0), ("file", 0o644, 0o055)],
)
def test_a_result_in_zarr_or_of_a_store_is_no_more_public_than_its_source(
    tmp_path: Path, kind: str, mode: int, allowed: int
) -> None:
    source = tmp_path / "source"
    source.mkdir() if kind == "store" else source.touch()
    source.chmod(mode)
    umask = os.umask(0o022)
    try:
        stores.write(tmp_path / "a.zarr", zipped({"zarr.json": ""}), like=source)
        stores.write(tmp_path / "a.png", b"", like=source)
    finally:
        os.umask(umask)
    assert (tmp_path / "a.zarr").stat().st_mode & 0o077 == allowed
    assert (tmp_path / "a.png").stat().st_mode & 0o077 == allowed & 0o044


def test_a_folder_that_may_not_be_looked_into_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "a.png").touch()
    real = os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        if "lost+found" + os.sep in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    for recursive in (False, True):
        assert in_folder(tmp_path, {".png"}, recursive=recursive).pictures == [tmp_path / "a.png"]
    assert of_pattern(f"{tmp_path}/*", {".png"}).pictures == [tmp_path / "a.png"]


def test_what_was_left_of_a_store_goes_with_the_next(tmp_path: Path) -> None:
    for name in ("left", "written"):
        (tmp_path / f".npfill-{name}.parts").mkdir()
    os.utime(tmp_path / ".npfill-left.parts", (0, 0))
    stores.write(tmp_path / "a.zarr", zipped({"zarr.json": "{}"}))
    assert {each.name for each in tmp_path.iterdir()} == {"a.zarr", ".npfill-written.parts"}
