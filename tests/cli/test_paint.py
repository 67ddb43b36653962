"""The page of `npfill paint`: who may ask, what is filled, and that files are the command's."""

import io
import json
import os
import shlex
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill.cli.paint import _said, _words
from npfill.cli.train import _try
from npfill.errors import UsageError
from npfill.paint import server as serving
from npfill.paint.server import Server
from npfill.paint.session import Session
from tests.cli.conftest import Command, process

Answer = tuple[int, bytes]
BOX = (1, 1, 2, 3)


class Page:
    """A server in this process, and requests to it."""

    def __init__(self, *images: str, model: str, masks: tuple[str, ...] = ()) -> None:
        self.model = model
        self.server = Server(Session(images, masks, None, "cpu"), [model], _words, _said)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def ask(
        self, name: str, body: bytes | None = None, *, headers: dict[str, str] | None = None,
        **how: Any,
    ) -> Answer:  # fmt: skip
        query = "&".join(f"{key}={value}" for key, value in ({"model": self.model} | how).items())
        path = name if name.startswith("/") else f"/{self.server.token}/{name}?{query}"
        connection = HTTPConnection("127.0.0.1", self.server.server_port, timeout=60)
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        answer = connection.getresponse()
        result = answer.status, answer.read()
        connection.close()
        return result

    def fill(self, body: bytes, **how: Any) -> dict[str, object]:
        code, content = self.ask("fill", body, **how)
        assert code == 200
        last: dict[str, object] = json.loads(content.splitlines()[-1])
        return last

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.server.session.end()


def painted(left: int, top: int, width: int, height: int) -> bytes:
    """A box, as the page sends it."""
    bits = np.packbits(np.ones(width * height, dtype=bool))
    return np.array([left, top, width, height], "<u4").tobytes() + bits.tobytes()


@pytest.fixture
def page(photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.chdir(photo.parent)
    shutil.copy(photo, "other.png")
    one = Page("photo.png", "other.png", model=str(weights))
    yield one
    one.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("result", "how"),
    [
        ("mean", {}),
        ("std", {"seed": 7}),
        ("mean", {"grow": 1, "samples": 2}),
        ("samples", {"samples": 3, "sample": 2, "seed": 5}),
        ("sheet", {"samples": 2}),
    ],
)
def test_a_saved_file_is_that_of_the_command_that_the_page_shows(
    npfill: Command, page: Page, result: str, how: dict[str, Any]
) -> None:
    assert "box" in page.fill(painted(*BOX), **how)
    code, content = page.ask("save", painted(*BOX), result=result, **how)
    assert code == 200, content
    mask, saved = map(Path, json.loads(content)["saved"])
    assert str(mask) == "photo_mask.png"
    before = saved.read_bytes()
    saved.unlink()
    how |= {"samples": how.get("sample", how.get("samples", 0))}
    _, content = page.ask("command", painted(*BOX), result=result, **how)
    words = shlex.split(json.loads(content)["command"])
    assert words[:5] == ["npfill", "complete", "photo.png", "--mask", "photo_mask.png"]
    assert npfill(*words[1:]).code == 0
    assert saved.read_bytes() == before


@pytest.mark.slow
def test_what_is_shown_is_the_completion_in_its_box(page: Page) -> None:
    said = page.fill(painted(*BOX), samples=2)
    assert said["box"] == [1, 1, 2, 3]
    assert (len(said["samples"]), said["isData"]) == (2, False)  # type: ignore[arg-type]
    assert "mask 6 x 5, 20.0 % selected (6 px)" in said["said"]  # type: ignore[operator]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ],
)
def test_foreign_hosts_and_origins_are_refused(page: Page, headers: dict[str, str]) -> None:
    for name, body in (("", None), ("pictures", None), ("save", painted(*BOX))):
        code, content = page.ask(name, body, headers=headers)
        assert (code, content) == (403, b"not the address that npfill printed\n")
    assert not Path("photo_mask.png").exists()


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/wrong/", "/wrong/pictures", "/%C3%A9/"])
def test_a_wrong_token_is_refused(page: Page, path: str) -> None:
    assert page.ask(path)[0] == 403


@pytest.mark.parametrize(
    "name",
    [
        "../session.py",
        "page/app.js",
        "%2e%2e/session.py",
        "/etc/passwd",
        "..%2fsession.py",
        "error",
    ],
)
def test_a_path_outside_is_not_served(page: Page, name: str) -> None:
    assert page.ask(f"/{page.server.token}/{name}")[0] == 404


def test_pictures_by_number_and_models_by_name_are_the_only_ones(page: Page) -> None:
    for how in ({"picture": 2}, {"picture": "-1"}, {"picture": "../photo.png"}, {"model": "/x"}):
        assert page.ask("fill", painted(*BOX), **how)[0] == 400
    _, content = page.ask("pictures")
    assert json.loads(content) == {"pictures": ["photo.png", "other.png"], "models": [page.model]}


@pytest.mark.parametrize("body", [b"", b"x" * 15, painted(0, 0, 7, 5), painted(5, 4, 2, 2)])
def test_a_hole_of_another_picture_is_refused(page: Page, body: bytes) -> None:
    code, content = page.ask("fill", body)
    assert (code, "hole" in json.loads(content)["message"]) == (400, True)


def test_a_page_without_a_hole_says_so(page: Page) -> None:
    said = page.fill(np.array([0, 0, 0, 0], "<u4").tobytes())
    assert "selects 0 px" in str(said["message"])


@pytest.mark.slow
def test_two_tabs_do_not_mix(page: Page) -> None:
    holes = {0: (1, 1, 2, 3), 1: (3, 0, 2, 2)}
    alone = {number: page.fill(painted(*hole), picture=number) for number, hole in holes.items()}
    found: dict[int, list[object]] = {0: [], 1: []}

    def tab(number: int) -> None:
        for _ in range(3):
            found[number].append(page.fill(painted(*holes[number]), picture=number))

    tabs = [threading.Thread(target=tab, args=(number,)) for number in holes]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    for number in holes:
        assert found[number] == [alone[number]] * 3
    for number, hole in holes.items():
        assert page.ask("save", painted(*hole), picture=number, result="mean")[0] == 200
    assert np.asarray(Image.open("photo_mask.png")).sum() == 6 * 255
    assert np.asarray(Image.open("other_mask.png")).sum() == 4 * 255


def test_a_picture_of_a_name_like_an_option_is_none() -> None:
    assert _words(Path("-p.png"), {"seed": 7}) == "npfill complete ./-p.png --seed 7"
    assert _try(Path("runs/a"), Path("-p.png"), (8, 8)).startswith("npfill complete ./-p.png --box")


@pytest.mark.slow
def test_nothing_is_replaced_unless_the_page_says_so(page: Page) -> None:
    assert page.ask("save", painted(*BOX), result="mean")[0] == 200
    code, content = page.ask("save", painted(0, 0, 2, 2), result="mean")
    assert (code, json.loads(content)["exists"]) == (409, True)
    assert json.loads(content)["message"] == "photo_mask.png: exists; photo_mean.png: exists"
    Path("photo_mask.png").rename("away")
    code, content = page.ask("save", painted(*BOX), result="mean")
    assert (code, json.loads(content)["message"]) == (409, "photo_mean.png: exists")
    assert not Path("photo_mask.png").exists()
    Path("away").rename("photo_mask.png")
    assert json.loads(page.ask("save", painted(*BOX), result="mask")[1])["saved"] == []
    code, _ = page.ask("save", painted(0, 0, 2, 2), result="mean", overwrite=1)
    assert code == 200
    assert np.asarray(Image.open("photo_mask.png")).sum() == 4 * 255


def test_a_mask_of_another_picture_is_replaced_if_the_page_says_so(page: Page) -> None:
    Image.new("L", (3, 3), 255).save("photo_mask.png")
    code, content = page.ask("save", painted(*BOX), result="mask")
    assert (code, json.loads(content)["exists"]) == (409, True)
    assert page.ask("save", painted(*BOX), result="mask", overwrite=1)[0] == 200
    assert np.asarray(Image.open("photo_mask.png")).sum() == 6 * 255


@pytest.mark.slow
@pytest.mark.parametrize(("result", "placed"), [("mean", True), ("sheet", False)])
def test_a_saved_result_lies_where_its_picture_does(page: Page, result: str, placed: bool) -> None:
    Path("photo.pgw").write_text("10")
    assert page.ask("save", painted(*BOX), result=result)[0] == 200
    assert Path(f"photo_{result}.pgw").exists() == placed
    Path(f"photo_{result}.pgw").write_text("elsewhere")
    code, content = page.ask("save", painted(*BOX), result=result, overwrite=1)
    notes = [f"photo_{result}.pgw exists, and is left as it is"] if placed else []
    assert (code, json.loads(content)["notes"]) == (200, notes)
    assert Path(f"photo_{result}.pgw").read_text() == "elsewhere"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(6, 5), (5, 6)])
def test_a_picture_that_has_changed_is_not_saved_over_and_read_again(
    page: Page, size: tuple[int, int]
) -> None:
    page.fill(painted(*BOX))
    Image.new("RGB", size, "teal").save("photo.png")
    code, content = page.ask("save", painted(*BOX), result="mean")
    assert (code, json.loads(content)["message"]) == (400, "photo.png: has changed")
    assert not [*Path().glob("photo_*")]
    with Image.open(io.BytesIO(page.ask("picture")[1])) as shown:
        assert (shown.size, shown.getpixel((0, 0))) == (size, (0, 128, 128))
    page.fill(painted(*BOX))
    assert page.ask("save", painted(*BOX), result="mean")[0] == 200


@pytest.mark.slow
def test_what_is_sent_of_marks_far_apart_is_small(page: Page) -> None:
    Image.new("RGB", (300, 200), "teal").save("other.png")
    bits = np.zeros((200, 300), dtype=bool)
    bits[:2, :2] = bits[-2:, -2:] = True
    body = np.array([0, 0, 300, 200], "<u4").tobytes() + np.packbits(bits).tobytes()
    code, content = page.ask("fill", body, picture=1)
    assert (code, json.loads(content.splitlines()[-1])["box"]) == (200, [0, 0, 300, 200])
    assert len(content) < 10_000


def begun(page: Page, number: int = 0) -> int:
    _, content = page.ask("mask", picture=number)
    return int(np.unpackbits(np.frombuffer(content, np.uint8, offset=16)).sum())


def test_all_but_a_spot_is_saved_as_by_the_command_and_taken_up_again(
    npfill: Command, page: Page
) -> None:
    Image.new("RGB", (30, 20), "teal").save("large.png")
    selected = np.ones((20, 30), dtype=bool)
    selected[8:12, 10:15] = False
    hole = np.array([0, 0, 30, 20], "<u4").tobytes() + np.packbits(selected).tobytes()
    large = Page("large.png", model=page.model)
    code, content = large.ask("save", hole, result="mean")
    assert (code, json.loads(content)["saved"]) == (200, ["large_mask.png", "large_mean.png"])
    saved = Path("large_mean.png").read_bytes()
    _, content = large.ask("command", hole, result="mean")
    words = shlex.split(json.loads(content)["command"])
    assert words[words.index("--mask-threshold") + 1] == "128"
    ended = npfill(*words[1:], "--overwrite")
    assert (ended.code, Path("large_mean.png").read_bytes()) == (0, saved)
    assert json.loads(large.ask("save", hole, result="mask")[1])["saved"] == []
    assert begun(large) == selected.sum()
    large.close()
    Image.open("large_mask.png").convert("RGB").save("large_mask.png")  # as an editor may
    named = Page("large.png", model=page.model, masks=("large_mask.png",))
    assert begun(named) == selected.sum()
    named.close()


@pytest.mark.slow
def test_masks_that_exist_are_taken_up(page: Page, mask: Path) -> None:
    assert begun(page) == 0
    shutil.copy(mask, "photo_mask.png")
    assert (begun(page), begun(page, 1)) == (6, 0)
    Image.new("L", (6, 5), 255).save("mask_photo.png")
    assert begun(page) == 6, "its own, of several"
    Path("mask_photo.png").unlink()
    for other in ("photo.png_mask.png", "Photo_MASK.png"):
        Path("photo_mask.png").unlink(missing_ok=True)
        shutil.copy(mask, other)
        assert begun(page) == 6
        Path(other).unlink()
    assert begun(page) == 0
    named = Page("photo.png", model=page.model, masks=("color:#ffffff~255",))
    assert begun(named) == 30
    named.close()


@pytest.mark.slow
def test_of_data_the_hole_begins_with_what_is_missing(page: Page) -> None:
    values = np.linspace(200, 300, 30).reshape(5, 6)
    values[1:4, 1:3] = np.nan
    np.save("heights.npy", values)
    data = Page("heights.npy", model=page.model)
    assert begun(data) == 6
    said = data.fill(painted(*BOX))
    assert said["isData"]
    assert data.ask("picture")[1].startswith(b"\x89PNG")
    code, content = data.ask("save", painted(*BOX), result="mean")
    assert (code, json.loads(content)["saved"][1]) == (200, "heights_mean.npy")
    data.close()


@pytest.mark.parametrize(("box", "alpha"), [(BOX, 255), ((1, 1, 2, 2), 0)])
def test_a_picture_begins_with_what_is_transparent_which_becomes_opaque_if_all_is_painted(
    npfill: Command, page: Page, box: tuple[int, int, int, int], alpha: int
) -> None:
    with Image.open("photo.png") as photo:
        values = np.array(photo.convert("RGBA"))
    values[1:4, 1:3, 3] = 0
    Image.fromarray(values).save("cut.png")
    cut = Page("cut.png", model=page.model)
    selected = begun(cut)
    code, _ = cut.ask("save", painted(*box), result="mean")
    _, content = cut.ask("command", painted(*box), result="mean")
    cut.close()
    assert (selected, code) == (6, 200)
    saved = Path("cut_mean.png").read_bytes()
    assert npfill(*shlex.split(json.loads(content)["command"])[1:], "--overwrite").code == 0
    assert Path("cut_mean.png").read_bytes() == saved
    assert np.asarray(Image.open("cut_mean.png"))[1, 1, 3] == alpha


def test_pictures_of_one_name_have_a_mask_and_a_result_each(npfill: Command, page: Page) -> None:
    folder = Path("alike")
    folder.mkdir()
    Image.new("RGB", (6, 5), "teal").save(folder / "a.png")
    Image.new("RGB", (9, 8), "navy").save(folder / "a.jpg")
    (folder / "a_mask.png").write_bytes(b"whose?")
    (folder / "a.png_mask.xcf").write_bytes(b"of a program")
    alike = Page("alike/a.jpg", "alike/a.png", model=page.model)
    assert (begun(alike), begun(alike, 1)) == (0, 0)
    for number, name in enumerate(("a.jpg", "a.png")):
        code, content = alike.ask("save", painted(*BOX), picture=number, result="mean")
        saved = [f"alike/{name}_mask.png", f"alike/{name}_mean.png"]
        assert (code, json.loads(content).get("saved", content)) == (200, saved)
        _, content = alike.ask("command", painted(*BOX), picture=number, result="mean")
        made = Path(saved[1]).read_bytes()
        assert npfill(*shlex.split(json.loads(content)["command"])[1:], "--overwrite").code == 0
        assert Path(saved[1]).read_bytes() == made
    assert (begun(alike), begun(alike, 1)) == (6, 6)
    alike.close()
    shutil.copy("photo.png", folder)
    with pytest.raises(UsageError, match="out: would hold two pictures of one name"):
        Session(["photo.png", "alike/photo.png"], [], "out", "cpu")


@pytest.mark.slow
def test_of_a_store_a_store_is_saved(page: Page) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    values = np.linspace(200, 300, 30).reshape(5, 6)
    xarray.DataArray(values, dims=("y", "x"), name="sst").to_dataset().to_zarr(
        "sea.zarr", consolidated=False
    )
    data = Page("sea.zarr", model=page.model)
    code, content = data.ask("save", painted(*BOX), result="mean")
    data.close()
    assert (code, json.loads(content).get("saved", content)[-1]) == (200, "sea_mean.zarr")
    after = xarray.open_zarr("sea_mean.zarr", consolidated=False).sst.values
    assert (after != values).sum() == 6


@pytest.mark.slow
def test_it_ends_when_its_last_page_is_closed(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_SECONDS_TO_COME_BACK", 0.01)
    connections = [socket.create_connection(page.server.server_address) for _ in range(2)]  # type: ignore[arg-type]
    for one in connections:
        request = f"GET /{page.server.token}/alive HTTP/1.0\r\nHost: 127.0.0.1:1\r\n\r\n"
        one.sendall(request.encode())
        assert b"200" in one.recv(100)
    connections[0].close()
    page.thread.join(0.5)
    assert page.thread.is_alive()
    connections[1].close()
    page.thread.join(10)
    assert not page.thread.is_alive()


@pytest.mark.slow
def test_an_interruption_ends_it(photo: Path, weights: Path) -> None:
    running = process("paint", photo, "-m", weights, "--no-browser")
    while not os.fstat(running.out.fileno()).st_size:
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGINT)
    ended = running.wait()
    assert ended.code == 130
    assert ended.out.startswith(b"http://127.0.0.1:")


def test_stdin_and_a_file_of_results_are_refused(npfill: Command, photo: Path) -> None:
    assert npfill("paint", "-").code == 2
    assert npfill("paint", photo, "-o", "out.png").code == 2
    assert "a file for one result" not in npfill("paint", "--help").out.decode()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("no.png",), 3, "no.png: no such file"),
        (("text.png",), 3, "text.png: not a picture"),
        (("photo.png", "--mask", "no.png"), 3, "no.png: no such file"),
        (("photo.png", "-m", "no-model"), 5, "no model is called 'no-model'"),
        (("photo.png", "-o", "text.png/"), 3, "text.png: not a folder"),
        (("photo.png", "-m", "no.safetensors"), 3, "no.safetensors: no such file"),
    ],
)
def test_what_cannot_be_painted_on_is_refused_before_there_is_a_page(
    npfill: Command,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    monkeypatch.setattr(Server, "serve_forever", lambda *_, **__: None)
    Path("text.png").write_text("no picture")
    ended = npfill("paint", *words, "--no-browser")
    assert (ended.code, ended.out) == (code, b"")
    assert f"error: {said}" in ended.err


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = Path(serving.__file__).parent / "page"
    assert {file.name for file in page.iterdir()} >= {"index.html", "app.js", "style.css"}
    assert all("http" not in file.read_text("utf-8") for file in page.iterdir())
