"""models show, fetch, verify, path and remove; the environment's settings; no network at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from npfill import checkpoint, zoo
from npfill.files import folder, sha256_of
from tests.cli.conftest import Command
from tests.conftest import tiny
from tests.hub_server import COMMIT, HubServer

ROOT = Path(__file__).parents[2]
ADDRESS = f"hf://acme/models@{COMMIT}/tiny.safetensors"
RUN = """
import socket, sys
from npfill.cli import main

reached = []
def blocked(*arguments, **_):
    reached.append(arguments)
    raise OSError("blocked")
if {block}:
    socket.socket.connect = socket.socket.connect_ex = blocked
    socket.getaddrinfo = socket.create_connection = blocked
for line in {lines}:
    try:
        main(line)
    except SystemExit as stop:
        print("=", *line, stop.code, len(reached), flush=True)
"""


def in_new_process(
    *lines: list[str], block: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Command lines run one after the other; after each it prints exit code and connections."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return subprocess.run(
        [sys.executable, "-c", RUN.format(lines=list(lines), block=block)],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.slow
def test_what_is_bundled_works_without_a_network(tmp_path: Path) -> None:
    works = [
        ["models"],
        ["models", "verify"],
        ["fetch", zoo.DEFAULT],
        ["demo", "-o", str(tmp_path), "--samples", "0"],
        ["complete", "examples/digit.png", "--box", "0,14,28,14", "-o", str(tmp_path)],
        ["doctor"],
    ]
    fails = ["fetch", ADDRESS]
    done = in_new_process(*works, fails, block=True, HF_HOME=str(tmp_path / "home"))
    told = [line for line in done.stdout.splitlines() if line.startswith("= ")]
    assert told[:-1] == [" ".join(["=", *line, "0", "0"]) for line in works]
    assert told[-1].startswith(" ".join(["=", *fails, "5"]))
    assert not told[-1].endswith(" 0")
    assert "blocked" in done.stderr


@pytest.mark.slow
def test_home_endpoint_proxy_and_offline_are_those_of_the_environment(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "tiny.safetensors", tiny("cnp", channels=3).float(), {})
    home, place = str(tmp_path / "home"), Path("models--acme--models", "snapshots", COMMIT)
    expected = tmp_path / "home" / "hub" / place / "tiny.safetensors"
    with HubServer((tmp_path / "tiny.safetensors").read_bytes()) as server:
        done = in_new_process(
            ["fetch", ADDRESS],
            HF_HOME=home,
            HF_ENDPOINT="http://hub.invalid",
            HTTP_PROXY=server.endpoint,
            HF_TOKEN="hf_secret",
        )
    assert done.stdout == f"= fetch {ADDRESS} 0 0\n"
    assert str(expected) in done.stderr
    assert expected.read_bytes() == server.content
    for request in server.requests:
        assert request.path == f"http://hub.invalid/acme/models/resolve/{COMMIT}/tiny.safetensors"
        assert "authorization" not in request.headers
        assert "torch" not in request.headers["user-agent"]  # what telemetry would add
    lines = [["models", word, ADDRESS] for word in ("path", "verify", "show", "remove", "verify")]
    done = in_new_process(*lines, HF_HOME=home, HF_HUB_OFFLINE="1")
    told = [line for line in done.stdout.splitlines() if line.startswith("= ")]
    codes = [line.split()[-2] for line in told]
    assert codes == ["0", "0", "0", "0", "7"]
    assert str(expected) in done.stdout
    assert not expected.exists()


@pytest.mark.slow
def test_a_setting_that_is_none_is_said() -> None:
    done = in_new_process(["fetch", ADDRESS], HF_ENDPOINT="http://[")
    assert done.stdout == f"= fetch {ADDRESS} 5 0\n"
    # By whoever reads it first: the client of the Hub as it is imported, or npfill.
    assert done.stderr.startswith(("error: a variable HF_... is wrong", "error: HF_ENDPOINT is no"))


def test_without_docstrings_commands_work() -> None:
    done = in_new_process(["models", "path", zoo.DEFAULT], PYTHONOPTIMIZE="2")
    assert done.stdout.splitlines()[-1] == f"= models path {zoo.DEFAULT} 0 0"


@pytest.mark.slow
def test_show_says_what_the_zoo_says(npfill: Command) -> None:
    for name, entry in zoo.entries().items():
        ended = npfill("models", "show", name)
        assert ended.code == 0
        for value in (entry.variant, entry.terms, entry.sha256, f"{name}.md", f"{name}.toml"):
            assert value in ended.out.decode()
        assert f"steps      {entry.steps + entry.steps_before:,}" in ended.out.decode()
        assert ("one run from nothing" in ended.out.decode()) == (entry.steps_before > 0)


@pytest.mark.slow
def test_show_prints_the_recipe_that_weights_carry(npfill: Command, weights: Path) -> None:
    carried = checkpoint.load(zoo.find("cnp-mnist").path).provenance["recipe"]
    ended = npfill("models", "show", "cnp-mnist", "--recipe")
    assert (ended.code, ended.out.decode().strip()) == (0, carried.strip())
    assert npfill("models", "show", weights, "--recipe").code == 5


def test_show_says_what_a_file_says(npfill: Command, weights: Path) -> None:
    ended = npfill("models", "show", weights)
    assert ended.code == 0
    assert sha256_of(weights) in ended.out.decode()
    assert "unknown" in ended.out.decode()  # its data


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"steps": 1200}, "1,200"),
        ({"steps": 1200, "steps_before": 0}, "1,200"),
        (
            {"steps": 30, "steps_before": 1200},
            "1,230, the last 30 of them going on from earlier weights",
        ),
        ({"steps": ["many"], "steps_before": 3}, "['many']"),
    ],
)
def test_steps_that_are_shown_are_those_of_all_stages(
    npfill: Command, tmp_path: Path, said: dict[str, object], shown: str
) -> None:
    checkpoint.save(tmp_path / "one.safetensors", tiny("cnp", channels=3).float(), said)
    ended = npfill("models", "show", tmp_path / "one.safetensors")
    assert f"steps      {shown}\n" in ended.out.decode()


@pytest.mark.slow
def test_what_a_file_says_of_itself_cannot_steer_the_terminal(
    npfill: Command, tmp_path: Path, photo: Path
) -> None:
    path = tmp_path / "odd.safetensors"
    terms = "non-commercial \x1b]0;title\x07\r"
    checkpoint.save(path, tiny("cnp", channels=3).float(), {"terms": terms, "steps": ["many"]})
    shown, used = (
        npfill("models", "show", path),
        npfill("complete", photo, "--box", "1,1,2,2", "-m", path),
    )
    assert (shown.code, used.code) == (0, 0)
    for said in (shown.out.decode(), used.err):
        assert r"non-commercial \x1b]0;title\x07" in said
        assert not set(said) & set("\x1b\x07\r")


def test_path_says_where_the_file_is(npfill: Command) -> None:
    ended = npfill("models", "path", zoo.DEFAULT)
    path = folder("pretrained") / zoo.entries()[zoo.DEFAULT].file
    assert (ended.code, ended.out.decode().strip()) == (0, str(path))


def test_verify_says_which_file_is_damaged(npfill: Command, weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-1])
    ended = npfill("models", "verify", zoo.DEFAULT, weights)
    assert ended.code == 7
    good, bad = ended.out.decode().splitlines()
    assert zoo.DEFAULT in good
    assert "not a safetensors file" in bad
    assert bad.count(str(weights)) == 1
    assert "1 of 2" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("show", "nothing"), 5, "no model is called 'nothing'"),
        (("show", "weights.pt"), 5, "pickled"),
        (("path", "nothing"), 5, "no model is called 'nothing'"),
        (("path", "hf://acme/nothing/tiny.safetensors"), 2, "which commit is meant"),
        (("path", "linear"), 5, "a baseline"),
        (("fetch", "hf://acme/models/weights.pt"), 5, "pickled"),
        (("remove", zoo.DEFAULT), 2, "bundled"),
        (("remove", "nothing"), 2, "no name of a model"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], code: int, message: str, npfill: Command
) -> None:
    ended = npfill("models", *words)
    assert ended.code == code
    assert message in ended.err
    assert "hint: " in ended.err
