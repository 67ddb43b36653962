"""Weights from the Hub: the real client, against a server on 127.0.0.1 that may misbehave."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

import npfill
from npfill import checkpoint, hub, zoo
from npfill.config import as_toml
from npfill.errors import ModelError
from tests.conftest import tiny
from tests.hub_server import COMMIT, HubServer

ADDRESS = f"hf://acme/models@{COMMIT}/tiny.safetensors"
TOKEN = "hf_secret"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    checkpoint.save(path, tiny("cnp", channels=3).float(), {})
    return path.read_bytes()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a client that waits for nobody and knows a token."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.3)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return tmp_path / "cache"


@pytest.fixture
def server(content: bytes, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer(content) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running
        huggingface_hub.close_session()


@pytest.fixture
def row(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> zoo.Entry:
    """A zoo of one row, `tiny`, whose weights are on the Hub."""
    fields: dict[str, Any] = dict.fromkeys(
        ("counts", "mse", "log_likelihood", "floored_log_likelihood"), ()
    )
    entry = zoo.Entry(
        file="tiny.safetensors",
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        variant="cnp",
        channels=3,
        size=6,
        parameters=1,
        data="noise",
        terms="none",
        steps=1,
        repo="acme/models",
        revision=COMMIT,
        **fields,
    )
    monkeypatch.setattr(zoo, "folder", lambda name: tmp_path / name)
    write_row(tmp_path, entry)
    return entry


def write_row(folder: Path, entry: zoo.Entry) -> None:
    (folder / "pretrained").mkdir(exist_ok=True)
    (folder / "pretrained" / "zoo.toml").write_text(as_toml({"tiny": asdict(entry)}), "utf-8")


def files_in(cache: Path) -> list[Path]:
    """All content in a cache, finished or not."""
    return [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_weights_are_downloaded_once_and_verified(server: HubServer, row: zoo.Entry) -> None:
    found = zoo.find("tiny")
    assert (found.name, found.sha256) == ("tiny", row.sha256)
    assert found.path.read_bytes() == server.content
    asked = len(server.requests)
    assert all(f"/acme/models/resolve/{COMMIT}/" in each.path for each in server.requests)
    assert npfill.load("tiny").sha256 == row.sha256
    assert len(server.requests) == asked


def test_weights_beside_zoo_toml_need_no_network(
    server: HubServer, row: zoo.Entry, tmp_path: Path
) -> None:
    (tmp_path / "pretrained" / row.file).write_bytes(server.content)
    assert zoo.find("tiny").path == tmp_path / "pretrained" / row.file
    assert "tiny" in zoo.shipped()
    assert not server.requests


@pytest.mark.slow
@pytest.mark.parametrize("address", [ADDRESS, "hf://acme/models/tiny.safetensors"])
def test_an_address_is_downloaded_once(address: str, server: HubServer, cache: Path) -> None:
    assert zoo.find(address).path.read_bytes() == server.content
    asked = len(server.requests)
    assert zoo.find(address).sha256 == hashlib.sha256(server.content).hexdigest()
    assert len(server.requests) == asked


@pytest.mark.slow
def test_a_redirect_to_another_host_is_followed(server: HubServer, row: zoo.Entry) -> None:
    server.fault = "redirect"
    assert zoo.find("tiny").path.read_bytes() == server.content
    assert server.requests[-1].path == "/content"


def test_a_connection_that_drops_is_taken_up_again(server: HubServer, row: zoo.Entry) -> None:
    server.fault, server.times = "dropped", 2
    assert zoo.find("tiny").path.read_bytes() == server.content


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("no file", "no such file"),
        ("no repository", "no such repository, or a private one"),
        ("no revision", f"no revision {COMMIT}"),
        ("gated", "its owner wants terms accepted"),
        ("busy", "asked too often"),
        ("down", "answers 503"),
        ("slow", "does not answer in time"),
        ("slow content", "does not answer in time"),
        ("short", "the file came short"),
        ("dropped", "cannot be had from http:.* closed connection"),
        ("wrong", "sha256 is"),
        ("odd content", "names '/tmp/npfill-odd' as a commit or content"),
        ("odd commit", "names '../../odd' as a commit or content"),
        ("endless", "sends more than the [0-9]+ bytes that it stated"),
        ("dripping", "does not answer in time"),
    ],
)
def test_what_goes_wrong_is_said_and_leaves_nothing(
    fault: str, message: str, server: HubServer, row: zoo.Entry, cache: Path
) -> None:
    server.fault = fault
    with pytest.raises(ModelError, match=message) as error:
        zoo.find("tiny")
    assert "npfill models path" in error.value.hint
    assert "\n" not in str(error.value) + error.value.hint
    assert not files_in(cache)
    assert server.sent < 2**24
    server.fault = ""
    assert zoo.find("tiny").path.read_bytes() == server.content


def test_a_wrong_download_is_repeated_once(server: HubServer, row: zoo.Entry) -> None:
    server.fault, server.times = "wrong", 1
    assert zoo.find("tiny").path.read_bytes() == server.content
    assert [each.method for each in server.requests].count("GET") == 2


def test_a_damaged_file_in_the_cache_is_replaced_and_nothing_else_is(
    server: HubServer, row: zoo.Entry, cache: Path
) -> None:
    path = zoo.find("tiny").path
    path.write_bytes(server.content[:-1])
    other = path.with_name("other.safetensors")
    other.write_bytes(b"of another program")
    with pytest.raises(ModelError, match="bytes, not"):
        zoo.find("tiny", fetch=False)
    assert path.is_file()
    assert zoo.find("tiny").path.read_bytes() == server.content
    assert other.read_bytes() == b"of another program"


def test_a_server_of_other_weights_is_not_believed(
    server: HubServer, row: zoo.Entry, tmp_path: Path, cache: Path
) -> None:
    write_row(tmp_path, replace(row, bytes=row.bytes + 1))
    with pytest.raises(ModelError, match=f"{row.bytes} bytes, not {row.bytes + 1}"):
        zoo.find("tiny")
    assert not files_in(cache)


def test_a_copy_by_hand_is_used(row: zoo.Entry, content: bytes, cache: Path) -> None:
    place = zoo.place("tiny")
    assert place is not None
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    assert zoo.find("tiny").path == place
    assert hub.remove(hub.parse(ADDRESS)) == len(content)
    assert not place.exists()


def test_a_link_by_hand_is_removed_and_what_it_leads_to_stays(
    row: zoo.Entry, content: bytes, cache: Path, tmp_path: Path
) -> None:
    place, own = zoo.place("tiny"), tmp_path / "own.safetensors"
    assert place is not None
    place.parent.mkdir(parents=True)
    own.write_bytes(content)
    place.symlink_to(own)
    assert hub.remove(hub.parse(ADDRESS)) == 0
    assert not place.is_symlink()
    assert own.read_bytes() == content


def test_content_that_another_commit_has_too_is_kept_for_it(content: bytes, cache: Path) -> None:
    blob = cache / "models--acme--models" / "blobs" / "abc"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(content)
    one, other = (hub.parse(ADDRESS.replace(COMMIT, commit)) for commit in (COMMIT, "f" * 40))
    for address in (one, other):
        place = hub.place(address)
        assert place is not None
        place.parent.mkdir(parents=True)
        place.symlink_to("../../blobs/abc")
    assert hub.remove(one) == 0
    assert hub.cached(one) is None
    assert zoo.find(str(other), fetch=False).path.read_bytes() == content
    assert hub.remove(other) == len(content)
    assert not blob.exists()
    assert hub.remove(other) is None


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_what_is_cached_is_used_and_the_rest_is_said(
    server: HubServer, row: zoo.Entry, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = zoo.find("tiny").path
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(server.requests)
    assert zoo.find("tiny").path == path
    path.unlink()
    with pytest.raises(ModelError, match=f"and {name} is set"):
        zoo.find("tiny")
    assert len(server.requests) == asked


def test_a_mirror_is_sent_no_token(server: HubServer, row: zoo.Entry) -> None:
    zoo.find("tiny")
    assert server.requests
    assert not any("authorization" in each.headers for each in server.requests)
    assert all(each.headers["user-agent"].startswith("npfill/") for each in server.requests)


def test_the_hub_is_sent_the_token_and_who_it_redirects_to_is_not(
    server: HubServer, row: zoo.Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npfill.download.HUB", server.endpoint)
    server.fault = "gated without a token"
    zoo.find("tiny")
    assert all(each.headers["authorization"] == f"Bearer {TOKEN}" for each in server.requests)
    hub.remove(hub.parse(ADDRESS))
    server.fault = "redirect"
    zoo.find("tiny")
    assert server.requests[-1].path == "/content"
    assert "authorization" not in server.requests[-1].headers


def test_a_file_larger_than_any_model_is_not_downloaded(
    server: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npfill.download.LARGEST", len(server.content) - 1)
    with pytest.raises(ModelError, match="larger than any npfill model"):
        zoo.find(ADDRESS)
    assert [each.method for each in server.requests] == ["HEAD"]


@pytest.mark.parametrize(
    "address",
    [
        "hf://",
        "hf://tiny.safetensors",
        "hf://acme/tiny.safetensors",
        "hf://acme/models/tiny.bin.txt",
        "hf://acme/models/../tiny.safetensors",
        "hf://../models/tiny.safetensors",
        "hf://acme/models//tiny.safetensors",
        "hf://acme/models@/tiny.safetensors",
        "hf://acme/models@a b/tiny.safetensors",
        "hf://acme/models/tiny.pt",
        "hf://" + "a/" * 3000 + "tiny.safetensors",
    ],
)
def test_what_is_no_address_is_refused(address: str, server: HubServer) -> None:
    with pytest.raises(ModelError):
        zoo.find(address)
    assert not server.requests


def test_a_row_with_a_repository_names_a_whole_commit(row: zoo.Entry, tmp_path: Path) -> None:
    write_row(tmp_path, replace(row, revision="main"))
    with pytest.raises(ModelError, match="revision 'main'"):
        zoo.entries()


def test_hf_without_slashes_is_the_same_address() -> None:
    assert hub.parse(ADDRESS.replace("//", "", 1)) == hub.parse(ADDRESS)
    assert str(hub.parse(ADDRESS)) == ADDRESS


def test_a_branch_of_no_commit_is_refused(server: HubServer, cache: Path) -> None:
    server.fault = "no commit"
    with pytest.raises(ModelError, match="it names no commit"):
        zoo.find("hf://acme/models/tiny.safetensors")
    assert not files_in(cache)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["", "busy", "dropped"])
def test_a_password_in_an_address_is_not_shown(
    fault: str, server: HubServer, row: zoo.Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.port if fault else 1
    server.fault = fault
    monkeypatch.setenv("HF_ENDPOINT", f"http://user:s3cr3t@127.0.0.1:{port}")
    with pytest.raises(ModelError) as error:
        zoo.find("tiny")
    assert "s3cr3t" not in str(error.value) + error.value.hint


@pytest.mark.parametrize(
    "endpoint", ["http://☃.invalid", "ftp://a:s3cr3t@mirror", "mirror", "http://", "http://m:0x1"]
)
def test_an_endpoint_that_is_no_address_is_said(
    endpoint: str, cache: Path, row: zoo.Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(ModelError, match="HF_ENDPOINT is no address") as error:
        zoo.find("tiny")
    assert "s3cr3t" not in str(error.value)


def test_a_variable_that_the_client_cannot_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        int("abc")

    monkeypatch.setattr(huggingface_hub.logging, "set_verbosity_error", refused)
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "abc")
    with pytest.raises(ModelError, match=r"^HF_HUB_ETAG_TIMEOUT is wrong \(invalid literal"):
        hub.library()
