"""Files come into being whole or not at all."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from npfill.errors import InputError, OverwriteError
from npfill.files import STDIO, json_text, refuse_inputs, refuse_results, write_bytes
from npfill.pictures import stores
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


def test_what_was_left_of_a_store_goes_with_the_next(tmp_path: Path) -> None:
    for name in ("left", "written"):
        (tmp_path / f".npfill-{name}.parts").mkdir()
    os.utime(tmp_path / ".npfill-left.parts", (0, 0))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zarr.json", "{}")
    stores.write(tmp_path / "a.zarr", archive.getvalue())
    assert {each.name for each in tmp_path.iterdir()} == {"a.zarr", ".npfill-written.parts"}
