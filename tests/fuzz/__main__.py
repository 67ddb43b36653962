"""`python -m tests.fuzz`: npfill among damaged pictures, masks, weights and recipes.

Case N of a seed is always the same. A process of its own runs the cases one after another, so that
whatever ends it counts as a crash, and a case that takes too long as a hang.
"""

import contextlib
import io
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from npfill import checkpoint
from npfill.cli import main
from tests.conftest import MODELS, of
from tests.corpus.masks import MASKS
from tests.corpus.nasty import DONE, Nasty, noise, saved
from tests.corpus.pictures import PICTURES
from tests.corpus.recipes import RECIPES
from tests.corpus.weights import whole
from tests.fuzz.mutations import mutated

_BUG = 1
_LONGEST = 60.0  # seconds; a case takes a tenth of one
_MEMORY = 8 * 2**30
_TO = ("-o", "out", "--overwrite", "--samples", "1")
_FILL = ("--box", "0,0,1,1", "-m", "tiny.safetensors", *_TO)


@dataclass(frozen=True)
class Case:
    """A damaged file and the command that reads it."""

    kind: str
    name: str
    content: bytes
    words: tuple[str, ...]


@dataclass
class Tally:
    """How cases ended: by kind and exit code, and the failures."""

    ended: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def seeds() -> dict[str, dict[str, bytes]]:
    """Files that work, by kind and name."""

    def working(table: dict[str, Nasty]) -> dict[str, bytes]:
        made = {name: nasty.make() for name, nasty in table.items() if nasty.code == DONE}
        return {name: content for name, content in made.items() if len(content) < 100_000}

    weights = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            path = Path(folder) / f"{name}.safetensors"
            checkpoint.save(path, of(name, 3), {})
            weights[path.name] = path.read_bytes()
    kinds = {"picture": PICTURES, "mask": MASKS, "recipe": RECIPES}
    return {kind: working(table) for kind, table in kinds.items()} | {"weights": weights}


def case_of(files: dict[str, dict[str, bytes]], seed: int, number: int) -> Case:
    """Case `number` of a seed."""
    random = Random(f"{seed} {number}")
    kind = random.choice(sorted(files))
    name = random.choice(sorted(files[kind]))
    content = mutated(name, files[kind][name], list(files[kind].values()), random)
    words = {
        "picture": ("complete", name, *_FILL),
        "mask": ("complete", "photo.png", "--mask", name, "--fit-mask", *_FILL[2:]),
        "weights": ("complete", "photo.png", *_FILL[:2], "-m", name, *_TO),
        "recipe": ("train", name, "--print-config"),
    }
    return Case(kind, name, content, words[kind])


def run(words: tuple[str, ...]) -> tuple[int, str]:
    """The exit code of a command and what it said on stderr."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(words)
    except SystemExit as stop:
        return int(stop.code or 0), err.getvalue()
    return 0, err.getvalue()


def work(files: dict[str, dict[str, bytes]], seed: int, first: int, told: Connection) -> None:
    """Run cases from number `first` on, until stopped, and tell of each how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("photo.png").write_bytes(saved(noise(), "PNG"))
        Path("tiny.safetensors").write_bytes(whole())
        number = first
        while True:
            case = case_of(files, seed, number)
            Path(case.name).write_bytes(case.content)
            told.send(run(case.words))
            Path(case.name).unlink()
            shutil.rmtree("out", ignore_errors=True)
            number += 1


def fuzz(seed: int, seconds: float, folder: Path) -> Tally:
    """Run cases for a time; the files of those that fail are kept in a folder."""
    files, tally = seeds(), Tally()
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
    folder.mkdir(parents=True, exist_ok=True)
    (folder / case.name).write_bytes(case.content)
    (folder / "problem.txt").write_text(f"npfill {' '.join(case.words)}\n{problem}\n", "utf-8")


def command(
    minutes: Annotated[float, typer.Option(min=0, help="For how long.")] = 10,
    seed: Annotated[int, typer.Option(help="Case N of a seed is always the same.")] = 0,
    folder: Annotated[Path, typer.Option(help="Takes the files of what fails.")] = Path("fuzz"),
) -> None:
    """Run npfill on damaged files, and tell how often it crashes."""
    tally = fuzz(seed, minutes * 60, folder)
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
