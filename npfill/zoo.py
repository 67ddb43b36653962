"""The zoo: a name or a path becomes a verified file of weights, and a model."""

import hashlib
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from npfill import baselines, checkpoint
from npfill.errors import ModelError
from npfill.models import NeuralProcess
from npfill.records import read
from npfill.shipped import folder

# The model that completes where none is named, and the word for that.
DEFAULT, AUTO = "convcnp-photo", "auto"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of `zoo.toml`: what is known of weights without opening them.

    Attributes:
        file: The file's name beside `zoo.toml`.
        bytes: Its size.
        sha256: Its hash, in hex.
        variant: The word for the variant.
        channels: 1 for grey, 3 for RGB.
        size: Longer side of the grid that it was trained on.
        parameters: How many numbers it has.
        data: The data that it was trained on.
        terms: The terms of that data.
        steps: Steps of training.
        counts: Numbers of random context pixels that the scores are at; none for photographs.
        mse: Mean squared error at each, over the other pixels of test pictures.
        log_likelihood: Joint log-likelihood at each, in nats per target pixel.
        floored_log_likelihood: The same with the scale floored at 0.1.
        contexts: For photographs, the kinds of holes that scores are at.
        psnr: Mean PSNR in each, in dB.
    """

    file: str
    bytes: int
    sha256: str
    variant: str
    channels: int
    size: int
    parameters: int
    data: str
    terms: str
    steps: int
    counts: tuple[int, ...]
    mse: tuple[float, ...]
    log_likelihood: tuple[float, ...]
    floored_log_likelihood: tuple[float, ...]
    contexts: tuple[str, ...] = ()
    psnr: tuple[float, ...] = ()


@dataclass(frozen=True)
class Found:
    """Weights that a user named: where they are, their hash, and what to call them."""

    name: str
    path: Path
    sha256: str


def entries() -> dict[str, Entry]:
    """The rows of `zoo.toml` by name, in its order."""
    path = folder("pretrained") / "zoo.toml"
    if not path.is_file():
        return {}
    rows = tomllib.loads(path.read_text("utf-8"))
    return {name: read(Entry, row, f"{path}: [{name}]", ModelError) for name, row in rows.items()}


def find(name_or_path: str) -> Found:
    """The weights of a name of the zoo, verified, or of a path to a `.safetensors` file.

    The name `auto` is the default's, whatever the picture.

    Raises:
        ModelError: The name is unknown, or the file is not what `zoo.toml` says it is.
        InputError: A path leads to no file.
    """
    known = entries()
    if name_or_path == AUTO:
        name_or_path = DEFAULT
    if name_or_path in known:
        return _verified(name_or_path, known[name_or_path])
    path = Path(name_or_path)
    if path.suffix or len(path.parts) > 1:
        checkpoint.refuse(path)
        return Found(path.stem, path, sha256_of(path))
    if name_or_path in baselines.NAMES:
        hint = f"npfill complete -m {name_or_path} uses it"
        raise ModelError(f"{name_or_path} is a baseline, not a model with weights", hint)
    near = get_close_matches(name_or_path, [*known, *baselines.NAMES], n=1)
    names = f"npfill models lists the names; baselines are {', '.join(baselines.NAMES)}"
    hint = f"did you mean {near[0]}?" if near else names
    raise ModelError(f"no model is called {name_or_path!r}", hint)


def load(name_or_path: str) -> NeuralProcess[Any]:
    """A model by its name in the zoo or its path, on the CPU, in float32, ready to predict.

    Args:
        name_or_path: A name that `npfill models` lists, or a `.safetensors` file.

    Raises:
        ModelError: The name is unknown, or the file fails verification.
        InputError: A path leads to no file.
    """
    return checkpoint.load(find(name_or_path).path).model


def sha256_of(path: Path) -> str:
    """The hash of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verified(name: str, entry: Entry) -> Found:
    path = folder("pretrained") / entry.file
    if not path.is_file():
        raise ModelError(f"{path}: the weights of {name} are missing", "install npfill again")
    size = path.stat().st_size
    if size != entry.bytes:
        raise ModelError(f"{path}: {size} bytes, not {entry.bytes}", "install npfill again")
    digest = sha256_of(path)
    if digest != entry.sha256:
        raise ModelError(f"{path}: sha256 is {digest}, not {entry.sha256}", "install npfill again")
    return Found(name, path, digest)
