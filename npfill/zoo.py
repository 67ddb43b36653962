"""The zoo: a name, a path or an address on the Hub becomes a verified file."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from npfill import download, hub
from npfill.config import read
from npfill.errors import InputError, ModelError
from npfill.files import folder, mismatch, refuse_weights, sha256_of

# The model that completes where none is named, and the word for that.
DEFAULT, AUTO = "convcnp-photo", "auto"
# The model for grids of numbers, and the word for the better of it and kriging.
DATA, BEST = "convcnp-field", "best"
# Baselines by name, as `npfill.baselines` has them: known here without torch.
BASELINES = (
    "nearest", "griddata", "linear", "gp", "kriging", "telea", "navier-stokes", "biharmonic",
)  # fmt: skip
# The weights of a training run, in its folder.
_BEST = "best.safetensors"


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
        parameters: Number of parameters.
        data: The data that it was trained on.
        terms: The terms of that data.
        steps: Steps of training, of the last stage alone.
        steps_before: Steps of the weights that it went on from; 0 if it began from nothing.
        counts: Numbers of random context pixels that the scores are at; none for photographs.
        mse: Mean squared error at each, over the other pixels of test pictures.
        log_likelihood: Joint log-likelihood at each, in nats per target pixel.
        floored_log_likelihood: The same with the scale floored at 0.1.
        contexts: For photographs, the kinds of holes that scores are at.
        psnr: Mean PSNR in each, in dB.
        repo: The file's repository on the Hub, `owner/repo`; "" for weights that only ship here.
        revision: The whole commit there.
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
    steps_before: int = 0
    counts: tuple[int, ...]
    mse: tuple[float, ...]
    log_likelihood: tuple[float, ...]
    floored_log_likelihood: tuple[float, ...]
    contexts: tuple[str, ...] = ()
    psnr: tuple[float, ...] = ()
    repo: str = ""
    revision: str = ""

    @property
    def is_of_digits(self) -> bool:
        """It completes digits by itself: a flow draws for another, and a field is none."""
        return self.channels == 1 and bool(self.counts)


@dataclass(frozen=True)
class Found:
    """Weights that a user named: where they are, their hash, and what to call them."""

    name: str
    path: Path
    sha256: str


def entries() -> dict[str, Entry]:
    """The rows of `zoo.toml` by name, in its order.

    Raises:
        ModelError: A row is not as it must be.
    """
    path = folder("pretrained") / "zoo.toml"
    return dict(_rows(path.read_text("utf-8"), path)) if path.is_file() else {}


@lru_cache(maxsize=1)
def _rows(text: str, path: Path) -> dict[str, Entry]:
    rows = tomllib.loads(text)
    known = {name: read(Entry, row, f"{path}: [{name}]", ModelError) for name, row in rows.items()}
    for name, entry in known.items():
        if entry.repo and not _address(entry).pinned:
            why = f"{path}: [{name}]: revision {entry.revision!r}"
            raise ModelError(why, "name a whole commit")
    return known


def for_data() -> str:
    """The name of the model that completes data: the default, where none ships for them."""
    return DATA if DATA in shipped() else DEFAULT


def shipped() -> dict[str, Entry]:
    """The rows whose weights ship with npfill, and need no network."""
    return {name: entry for name, entry in entries().items() if _ships(entry)}


def damaged() -> list[str]:
    """A sentence on each bundled model whose file is not what it must be."""
    sentences = []
    for name in shipped():
        try:
            find(name)
        except ModelError as error:
            sentences.append(str(error))
    return sentences


def find(name_or_path: str, *, fetch: bool = True) -> Found:
    """Find weights by a name of the zoo, verified; by a path, or by an address on the Hub.

    The name `auto` is the default's, whatever the picture. A name's weights are those that ship
    with npfill, else those in the Hugging Face cache, else they are downloaded into it.

    Args:
        name_or_path: A name, a file, the folder of a training run, or an address such as
            `hf://owner/repo@revision/file.safetensors`.
        fetch: Allow the network.

    Raises:
        ModelError: The name is unknown, the file is not what `zoo.toml` says it is, or it cannot
            be had.
        InputError: A path leads to no file.
    """
    name = DEFAULT if name_or_path == AUTO else name_or_path
    entry = entries().get(name)
    if entry is not None and _ships(entry):
        path = folder("pretrained") / entry.file
        if not path.is_file():
            raise ModelError(f"{path}: the weights of {name} are missing", "install npfill again")
        if problem := mismatch(path, entry.bytes, entry.sha256):
            raise ModelError(f"{path}: {problem}", "install npfill again")
        return Found(name, path, entry.sha256)
    address = address_of(name)
    if address is not None:
        return _on_hub(name, address, entry, fetch)
    path = Path(name)
    is_path = bool(path.suffix) or len(path.parts) > 1
    if path.is_dir() and (is_path or (path / _BEST).is_file()):
        return _of_run(path)
    if is_path:
        refuse_weights(path)
        return Found(path.stem, path, sha256_of(path))
    raise _unknown(name)


def address_of(name: str) -> hub.Address | None:
    """The address on the Hub of a name's weights, or of an `hf://` address; None without one.

    Raises:
        ModelError: It is no address on the Hub.
    """
    if name.startswith(hub.ALIAS):
        return hub.parse(name)
    entry = entries().get(name)
    return _address(entry) if entry is not None and entry.repo else None


def place(name: str) -> Path | None:
    """The place of the file of a name or an `hf://` address, or of a copy by hand.

    Returns:
        The path; None where an address names no commit, and none is known from an earlier fetch.

    Raises:
        ModelError: The name is unknown, or it is no address on the Hub.
    """
    entry, address = entries().get(name), address_of(name)
    if entry is not None and _ships(entry):
        return folder("pretrained") / entry.file
    if address is None:
        raise _unknown(name)
    return hub.place(address)


def _address(entry: Entry) -> hub.Address:
    return hub.Address(entry.repo, entry.revision, entry.file)


def _ships(entry: Entry) -> bool:
    return not entry.repo or (folder("pretrained") / entry.file).is_file()


def _on_hub(name: str, address: hub.Address, entry: Entry | None, fetch: bool) -> Found:
    """A file of the Hub, from the cache or the network; if it is not as it must be, anew."""
    path, size = hub.cached(address), None if entry is None else entry.bytes
    if path is None and not fetch:
        raise ModelError(f"{name}: not fetched yet", f"npfill fetch {name}")
    path = path or download.fetch(address, size=size)
    if (problem := _problem(path, entry)) and fetch:
        hub.remove(address)
        path = download.fetch(address, size=size)
        if problem := _problem(path, entry):
            hub.remove(address)
    if problem:
        hint = f"npfill fetch {name} tries again; or copy it where npfill models path {name} says"
        raise ModelError(f"{path}: {problem}", hint)
    return Found(path.stem if entry is None else name, path, sha256_of(path))


def _problem(path: Path, entry: Entry | None) -> str:
    """Describe the difference of a file from its row in `zoo.toml`; "" if there is none."""
    return "" if entry is None else mismatch(path, entry.bytes, entry.sha256)


def _of_run(folder: Path) -> Found:
    """The best weights of a training run, named after its folder."""
    path = folder / _BEST
    if not path.is_file():
        hint = "name the folder of a training run that has been validated, or a .safetensors file"
        raise InputError(f"{folder}: a folder without {_BEST}", hint)
    refuse_weights(path)
    return Found(folder.resolve().name, path, sha256_of(path))


def _unknown(name: str) -> ModelError:
    if name in BASELINES:
        hint = f"`model={name!r}` completes with it"
        return ModelError(f"{name} is a baseline, not a model with weights", hint)
    near = get_close_matches(name, [*entries(), *BASELINES], n=1)
    names = f"npfill models lists the names; baselines are {', '.join(BASELINES)}"
    hint = f"did you mean {near[0]}?" if near else names
    return ModelError(f"no model is called {name!r}", hint)
