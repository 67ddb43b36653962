"""Files that work, by kind and name, from which the fuzzer begins; and what lies beside them."""

import gzip
import io
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import numpy as np

from npfill import checkpoint
from npfill.cli import main
from tests.conftest import MODELS, TINY, of
from tests.corpus.masks import MASKS
from tests.corpus.nasty import DONE, Nasty, noise, saved
from tests.corpus.pictures import PICTURES
from tests.corpus.recipes import RECIPES
from tests.corpus.weights import whole

Files = dict[str, dict[str, bytes]]
_LARGEST = 100_000  # bytes
QUICK = (
    "schedule.steps=1", "data.validation=2", "run.validate_every=1", "--device", "cpu",
)  # fmt: skip


def surroundings() -> dict[str, bytes]:
    """The files beside each case."""
    hole = np.zeros((5, 6), dtype=bool)
    hole[1:3, 2:4] = True
    return {
        "photo.png": saved(noise(), "PNG"),
        "hole.png": saved(noise(channels=1).point(lambda level: 255 * (level > 99)), "PNG"),
        "tiny.safetensors": whole(),
        "tiny.toml": TINY.read_bytes().replace(b"steps = 60", b"steps = 1"),
        "data.npy": _sets()["set.npy"],
    }


def beginnings() -> Files:
    """Files that work, by kind and name."""
    made = {"picture": PICTURES, "mask": MASKS, "recipe": RECIPES}
    files = {kind: dict(_working(table)) for kind, table in made.items()}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        weights = {}
        for name in MODELS:
            path = Path(f"{name}.safetensors")
            checkpoint.save(path, of(name, 3), {})
            weights[path.name] = path.read_bytes()
        for name, content in surroundings().items():
            Path(name).write_bytes(content)
        words = ("complete", "photo.png", "--mask", "hole.png", "-m", "tiny.safetensors")
        _done(*words, "--emit", "mean,std,samples,sheet", "--samples", "2", "-o", "out")
        _done("train", "tiny.toml", *QUICK, "--data", "data.npy", "--run-dir", "run")
        results = {path.name: path.read_bytes() for path in Path("out").iterdir()}
        run = {str(path): path.read_bytes() for path in Path("run").iterdir()}
    return files | {"weights": weights, "result": results, "run": run, "set": _sets()}


def _working(table: dict[str, Nasty]) -> Iterator[tuple[str, bytes]]:
    for name, nasty in table.items():
        if nasty.code == DONE and len(content := nasty.make()) < _LARGEST:
            yield name, content


def _done(*words: str) -> None:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), suppress(SystemExit):
        main(words)


def _sets() -> dict[str, bytes]:
    """Sets of pictures to train on."""
    levels = np.random.default_rng(0).integers(0, 256, (9, 8, 8), dtype=np.uint8)
    pictures = [saved(noise(8, 8, 1 + 2 * (number % 2)), "PNG") for number in range(9)]
    idx = b"\0\0\x08\x03" + struct.pack(">III", *levels.shape) + levels.tobytes()
    array, floats, archive, zipped = (io.BytesIO() for _ in range(4))
    np.save(array, levels)
    np.save(floats, levels / np.float32(255))
    np.savez_compressed(archive, levels)
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as file:
        for number, picture in enumerate(pictures):
            file.writestr(f"{number % 2}/{number}.png", picture)
    return {
        "set.npy": array.getvalue(),
        "floats.npy": floats.getvalue(),
        "set.npz": archive.getvalue(),
        "set.zip": zipped.getvalue(),
        "train-images-idx3-ubyte": idx,
        "train-images-idx3-ubyte.gz": gzip.compress(idx, mtime=0),
    }


def laid(files: dict[str, bytes]) -> None:
    """Write files below the current folder."""
    for name, content in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(content)


def offline() -> None:
    """Let nothing be asked of another machine, and nothing be kept in the user's folders."""
    os.environ |= {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(Path("home").absolute())}
