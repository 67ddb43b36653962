"""Samples of photographs beside G'MIC and PatchMatch: how alike, how textured, how different."""

import argparse
import importlib
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

from npfill.data.sources import read_photographs
from npfill.errors import InputError
from npfill.evaluate.case import Case
from npfill.evaluate.metrics import scores_of
from npfill.evaluate.own_size import AtOwnSize
from npfill.evaluate.predictions import BatchPrediction, BatchPredictor
from npfill.predictor import load

console = Console(width=200, markup=False, highlight=False)
# Height and width of what is cut from the middle of a photograph, and the side of a box there.
_SIZE, _BOX = (256, 384), 96
_SCORES = ("st_lpips", "sample_psnr", "psnr", "samples_mean_psnr", "diversity", "spread")
_BANDS = ("band_fine", "band_middle", "band_coarse")
# Commands and packages that others offer, by name.
_PEERS = ("gmic", "patchmatch")
_WHITE = 128


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this program."""
    parser.add_argument("photos", help="a folder of photographs")
    parser.add_argument("--masks", type=Path, help="a zip or folder of masks; a box without")
    parser.add_argument("--share", type=float, nargs=2, default=(1, 20), help="of masks, in %%")
    parser.add_argument("--samplers", nargs="*", default=["exemplar"])
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--peers", nargs="*", choices=_PEERS, default=[])
    parser.add_argument("--step", type=int, default=1, help="every so manyth photograph")
    parser.add_argument("--whole", action="store_true", help="do not cut photographs")


def run(options: argparse.Namespace) -> None:
    """Print the scores of each photograph, and their means."""
    photographs = read_photographs(Path(options.photos), "test", 1).pictures
    masks = _masks(options)
    entrants: dict[str, BatchPredictor] = {name: Peer(name) for name in options.peers}
    for sampler in options.samplers:
        entrants[sampler] = AtOwnSize(load("convcnp-photo", "cpu"), 0, sampler, options.samples)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in entrants}
    for number, picture in list(enumerate(photographs))[:: options.step]:
        cut = picture if options.whole else _middle(picture)
        pixels = cut.unsqueeze(0).float() / 255.0
        hole = masks(number, (cut.shape[-2], cut.shape[-1]))
        observed = ~torch.from_numpy(hole).expand(1, 1, -1, -1)
        for name, entrant in entrants.items():
            try:
                found = entrant.predict(pixels, observed)
            except InputError as error:
                console.print(f"{number} {name}: {error}")
                continue
            scores = scores_of(Case(found, pixels.to(found.mean.dtype), observed))
            row = {key: float(value[0]) for key, value in scores.items()}
            rows[name].append(row)
            shown = (*_SCORES, *_BANDS, "sample_seconds")
            parts = [f"{key} {row[key]:.4f}" for key in shown if key in row]
            console.print(f"{number} {name}: {', '.join(parts)}")
    _table(rows)


class Peer(BatchPredictor):
    """Another tool as a predictor, whose one answer is mean and sample."""

    def __init__(self, name: str) -> None:
        self.name = name

    def predict(self, pixels: Tensor, observed: Tensor) -> BatchPrediction:
        """The answer of the tool, in 8 bits."""
        hole = ~observed[0, 0].numpy()
        seen = np.rint(255 * pixels[0].permute(1, 2, 0).numpy()).astype(np.uint8)
        seen[hole] = 0
        filled = _gmic(seen, hole) if self.name == "gmic" else _patchmatch(seen, hole)
        values = np.where(hole[..., None], filled / 255.0, pixels[0].permute(1, 2, 0).numpy())
        answer = torch.from_numpy(values).reshape(1, -1, values.shape[-1])
        return BatchPrediction(answer, samples=answer.unsqueeze(0))


def _gmic(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("picture.png", "mask.png", "filled.png")]
        Image.fromarray(picture).save(files[0])
        Image.fromarray(np.uint8(255) * hole).save(files[1])
        command = ["gmic", *files[:2], "inpaint_matchpatch[0]", "[1]", "keep[0]"]
        subprocess.run([*command, "output", files[2]], check=True, capture_output=True)
        return np.asarray(Image.open(files[2]).convert("RGB"))


def _patchmatch(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    tool = importlib.import_module("patchmatch.patch_match")
    return np.asarray(tool.inpaint(picture, np.uint8(255) * hole, patch_size=7))


def _masks(options: argparse.Namespace) -> Callable[[int, tuple[int, int]], np.ndarray]:
    """The hole of a photograph by its number and size."""
    if options.masks is None:
        return _box
    low, high = options.share
    every = [
        each[0].numpy() >= _WHITE for each in read_photographs(options.masks, "test", 1).pictures
    ]
    some = [mask for mask in every if low <= 100 * mask.mean() < high]

    def irregular(number: int, size: tuple[int, int]) -> np.ndarray:
        mask = Image.fromarray(some[number * 7 % len(some)])
        return np.array(mask.resize(size[::-1], Image.Resampling.NEAREST))

    return irregular


def _box(number: int, size: tuple[int, int]) -> np.ndarray:
    del number
    hole = np.zeros(size, dtype=bool)
    box = min(_BOX, *(side // 2 for side in size))  # a small photograph is not all hidden
    top, left = ((side - box) // 2 for side in size)
    hole[top : top + box, left : left + box] = True
    return hole


def _middle(picture: Tensor) -> Tensor:
    """The middle of a photograph, upright of an upright one; of a smaller one what there is."""
    height, width = picture.shape[-2:]
    rows, columns = _SIZE if width >= height else _SIZE[::-1]
    top, left = max(0, height - rows) // 2, max(0, width - columns) // 2
    return picture[:, top : top + rows, left : left + columns]


def _table(rows: dict[str, list[dict[str, float]]]) -> None:
    """Means; of bands, the median of the power over the original's."""
    console.print(f"\n| | {' | '.join([*_SCORES, *_BANDS, 'seconds', 'n'])} |")
    console.print("| --- " * (len(_SCORES) + len(_BANDS) + 3) + "|")
    for name, each in rows.items():
        cells = []
        for key in (*_SCORES, *_BANDS, "sample_seconds"):
            values = [row[key] for row in each if key in row]
            middle = np.median if key in (*_BANDS, "diversity") else np.mean
            value = float(middle(values)) if values else float("nan")
            cells.append(f"{2**value if key in _BANDS else value:.4f}" if values else "-")
        console.print(f"| {name} | {' | '.join(cells)} | {len(each)} |")
