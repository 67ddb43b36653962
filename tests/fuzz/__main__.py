"""`python -m tests.fuzz`: npfill among damaged files of every kind, and random command lines.

Case N of a seed is always the same. A process of its own runs the cases one after another, so that
whatever ends it counts as a crash, and a case that takes too long as a hang.
"""

import contextlib
import io
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from npfill.cli import main
from tests.fuzz.beginnings import QUICK, Files, beginnings, laid, offline, surroundings
from tests.fuzz.command_lines import command_line, commands
from tests.fuzz.mutations import mutated

_BUG = 1
_LONGEST = 300.0  # seconds, on a machine that is busy; a case takes a tenth of one
_MEMORY = 8 * 2**30
_TO = ("-o", "out", "--overwrite", "--samples", "1")
_FILL = ("--box", "0,0,1,1", "-m", "tiny.safetensors", *_TO)
_TRAIN = ("train", "tiny.toml", *QUICK, "--run-dir", "out")
_HOLE = ("--box", "0,0,1,1")


@dataclass(frozen=True)
class Case:
    """A damaged file, what lies beside it, and the command that reads it."""

    kind: str
    name: str
    content: bytes
    words: tuple[str, ...]


@dataclass
class Tally:
    """How cases ended: by kind and exit code, and the failures."""

    ended: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def case_of(files: Files, seed: int, number: int) -> Case:
    """Case `number` of a seed."""
    random = Random(f"{seed} {number}")
    kind = random.choice([*sorted(files), "command"])
    if kind == "command":
        name = random.choice(sorted(files["result"]))
        return Case(kind, "result.png", files["result"][name], command_line(random, commands()))
    name = random.choice(sorted(files[kind]))
    content = mutated(name, files[kind][name], list(files[kind].values()), random)
    words: dict[str, list[tuple[str, ...]]] = {
        "picture": [("complete", name, *_FILL), ("complete", name, *_FILL, "--format", "keep")],
        "mask": [("complete", "photo.png", "--mask", name, "--fit-mask", *_FILL[2:])],
        "weights": [("complete", "photo.png", *_HOLE, "-m", name, *_TO)],
        "recipe": [("train", name, "--print-config")],
        "result": [("explain", name, "--rerun"), ("check", "photo.png", name, *_HOLE)],
        "run": [
            ("train", "--resume", "--run-dir", "run", "--device", "cpu"),
            ("train", "tiny.toml", *QUICK, "--data", "data.npy", "--run-dir", "run"),
            ("complete", "photo.png", *_HOLE, "-m", "run", *_TO),
        ],
        "set": [
            (*_TRAIN, "--data", name),
            ("train", "--new", "out.toml", "--data", name),
            ("evaluate", "nearest", "--data", name, "--images", "2", "--contexts", "9"),
        ],
    }
    return Case(kind, name, content, random.choice(words[kind]))


def run(words: tuple[str, ...]) -> tuple[int, str]:
    """The exit code of a command and what it said on stderr."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(words)
    except SystemExit as stop:
        return int(stop.code or 0), err.getvalue()
    return 0, err.getvalue()


def work(files: Files, seed: int, first: int, told: Connection) -> None:
    """Run cases from number `first` on, until stopped, and tell of each how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    with tempfile.TemporaryDirectory() as folder:
        number = first
        while True:
            place = Path(folder, str(number))
            place.mkdir()
            os.chdir(place)
            offline()
            case = case_of(files, seed, number)
            beside = files["run"] if case.kind == "run" else {}
            laid(surroundings() | beside | {case.name: case.content})
            told.send(run(case.words))
            os.chdir(folder)
            shutil.rmtree(place)
            number += 1


def fuzz(seed: int, seconds: float, folder: Path) -> Tally:
    """Run cases for a time; the files of those that fail are kept in a folder."""
    files, tally = beginnings(), Tally()
    context, number, end = multiprocessing.get_context("fork"), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        heard, told = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(files, seed, number, told))
        worker.start()
        told.close()
        while time.monotonic() < end:
            problem = _wait(heard, case_of(files, seed, number), tally)
            if problem:
                tally.failures.append(f"case {number}: {problem}")
                _keep(folder / str(number), case_of(files, seed, number), problem)
            number += 1
            if problem in {"crash", "hang"}:
                break
        worker.kill()
        worker.join()
    return tally


def _wait(heard: Connection, case: Case, tally: Tally) -> str:
    """What is wrong with how a case ends; nothing if it ends well."""
    if not heard.poll(_LONGEST):
        return "hang"
    try:
        code, err = heard.recv()
    except EOFError:
        return "crash"
    tally.ended[case.kind, code] += 1
    return f"exit code {code}: {err}" if code == _BUG or "Traceback" in err else ""


def _keep(folder: Path, case: Case, problem: str) -> None:
    (folder / case.name).parent.mkdir(parents=True, exist_ok=True)
    (folder / case.name).write_bytes(case.content)
    said = f"npfill {case.words!r}\n{problem}\n"
    (folder / "problem.txt").write_text(said, "utf-8", errors="backslashreplace")


def command(
    minutes: Annotated[float, typer.Option(min=0, help="For how long.")] = 10,
    seed: Annotated[int, typer.Option(help="Case N of a seed is always the same.")] = 0,
    folder: Annotated[Path, typer.Option(help="Takes the files of what fails.")] = Path("fuzz"),
) -> None:
    """Run npfill on damaged files, and tell how often it crashes."""
    tally = fuzz(seed, minutes * 60, folder.absolute())
    total = sum(tally.ended.values())
    print(f"{total:,} cases in {minutes:g} minutes, seed {seed}")  # noqa: T201
    for kind in sorted({kind for kind, _ in tally.ended}):
        codes = sorted(code for known, code in tally.ended if known == kind)
        listed = ", ".join(f"exit {code}: {tally.ended[kind, code]:,}" for code in codes)
        print(f"  {kind}: {listed}")  # noqa: T201
    print(f"{len(tally.failures)} crashes, hangs, bugs and tracebacks")  # noqa: T201
    for failure in tally.failures[:20]:
        print(f"  {' '.join(failure.split())[:200]}")  # noqa: T201
    raise typer.Exit(7 if tally.failures else 0)


if __name__ == "__main__":
    typer.run(command)
