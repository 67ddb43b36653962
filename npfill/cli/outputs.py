"""Which files a completion is written to."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.errors import InputError, UsageError
from npfill.files import write_bytes
from npfill.pictures.read import Suffixes

if TYPE_CHECKING:
    from npfill.completion import Completion

KINDS = ("mean", "std", "samples", "sheet", "npz")
DEFAULT_KINDS = "mean,std,samples"
_STDOUT = Path("-")
_LACKING = {
    "std": "no standard deviation: none is written",
    "samples": "no samples: none are written",
}


@dataclass(frozen=True)
class Plan:
    """The files of one completion, by what they hold: `mean`, `std`, `sample-1`, `sheet`, `npz`.

    A path of `-` is stdout.
    """

    paths: dict[str, Path]

    @property
    def files(self) -> list[Path]:
        """The paths that are files."""
        return [path for path in self.paths.values() if path != _STDOUT]

    def without_existing(self) -> "Plan":
        """What of it is not there yet."""
        return Plan({name: path for name, path in self.paths.items() if not os.path.lexists(path)})

    @property
    def of_values(self) -> list[Path]:
        """The files of the mean and of samples."""
        others = {"std", "sheet", "npz"}
        return [path for name, path in self.paths.items() if name not in others and path != _STDOUT]

    @property
    def shows_samples(self) -> bool:
        """Whether any result holds samples."""
        return any(name not in {"mean", "std"} for name in self.paths)


def plan(
    image: Path,
    stem: str,
    output: Path | None,
    emit: str | None,
    samples: int,
    suffixes: Suffixes,
) -> Plan:
    """Where each result goes.

    Args:
        image: The picture.
        stem: What the names of results begin with.
        output: A folder for all, a file for one, `-` for stdout, or None: beside the picture.
        emit: Comma-separated kinds; None is mean, std and samples, or the mean for a single file.
        samples: How many samples are drawn.
        suffixes: What the picture's results are written as.

    Raises:
        UsageError: A kind is unknown, or more than one result would go to one file.
    """
    single = output is not None and is_single(output)
    default = "mean" if single else DEFAULT_KINDS
    kinds = [kind.strip() for kind in (default if emit is None else emit).split(",")]
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"--emit {kind}: unknown", f"any of {','.join(KINDS)}")
    names = [name for kind in dict.fromkeys(kinds) for name in _names(kind, samples)]
    if not names:
        raise UsageError("--emit samples --samples 0: nothing would be written", "--samples 3")
    if output is not None and single:
        if len(names) != 1:
            raise UsageError(
                f"{output}: {len(names)} results for one file", "-o DIR/ takes them all"
            )
        suffix = suffixes.of(names[0])
        if output != _STDOUT and output.suffix.lower() != suffix.lower():
            raise UsageError(f"{output}: {names[0]} is written as {suffix}", f"-o NAME{suffix}")
        return Plan({names[0]: output})
    folder = image.parent if output is None else output
    return Plan({name: folder / _file_name(stem, name, suffixes) for name in names})


def is_single(output: Path) -> bool:
    """Whether a path means one result: stdout, or a file, with a suffix and no folder yet."""
    return output == _STDOUT or (bool(output.suffix) and not output.is_dir())


def without_lacking(
    plan: Plan, completion: "Completion", model: str, emit: str | None
) -> tuple[Plan, list[str]]:
    """The plan without what the model does not give, and a line for each kind that is left out.

    Args:
        plan: What was to be written.
        completion: What the model gave.
        model: What it is called.
        emit: What was asked for in so many words.

    Raises:
        UsageError: It was asked for in so many words.
    """
    samples = {name for name in plan.paths if name.startswith("sample-")}
    lacking: dict[str, set[str]] = {}
    if completion.std is None and "std" in plan.paths:
        lacking["std"] = {"std"}
    if samples and not len(completion.samples):
        lacking["samples"] = samples
    if lacking and emit is not None:
        raise UsageError(
            f"--emit {emit}: {model} gives {_LACKING[next(iter(lacking))]}",
            "leave it out, or name another model",
        )
    left_out = set().union(*lacking.values())
    paths = {name: path for name, path in plan.paths.items() if name not in left_out}
    return Plan(paths), [f"{model} gives {_LACKING[kind]}" for kind in lacking]


def write(plan: Plan, contents: dict[str, bytes]) -> None:
    """Write every result to its place.

    Raises:
        InputError: The system does not let one be written.
    """
    for name, path in plan.paths.items():
        if path == _STDOUT:
            _to_stdout(contents[name])
        else:
            write_bytes(path, contents[name])


def refuse_own_inputs(paths: Iterable[Path], inputs: Iterable[Path]) -> None:
    """An input is never written over, whatever --overwrite says.

    Raises:
        UsageError: A result would be.
    """
    given = {_identity(path) for path in inputs if path.exists()}
    for path in paths:
        if path.exists() and _identity(path) in given:
            raise UsageError(f"{path}: is an input and would be lost", "-o names another file")


def refuse_unwritable(paths: Iterable[Path]) -> None:
    """Check, before any work is done, that every result can be written, or none is.

    Raises:
        InputError: A folder stands where a file should, or the other way round, or is read-only.
    """
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path}: a folder has this name", "-o names another file or folder")
        folder = next(parent for parent in path.parents if os.path.lexists(parent))
        if not folder.is_dir():
            raise InputError(f"{folder}: not a folder, nothing can be written in it", "-o DIR/")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"{folder}: no permission to write there", "-o names another folder")


def _identity(path: Path) -> tuple[int, int]:
    """What links to one file have in common."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _to_stdout(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader has had enough, which is no error of ours
        raise
    except OSError as error:
        raise InputError(
            f"stdout: cannot be written ({error.strerror})", "-o names a file or folder"
        ) from None


def _names(kind: str, samples: int) -> list[str]:
    return [f"sample-{k}" for k in range(1, samples + 1)] if kind == "samples" else [kind]


def _file_name(stem: str, name: str, suffixes: Suffixes) -> str:
    return f"{stem}.npz" if name == "npz" else f"{stem}_{name}{suffixes.of(name)}"
