"""How much `npfill complete --adapt` gains in PSNR, with a fifth of the pixels kept.

Pictures named, or the ridges of a random field by `ridges`; each as it is, and after training.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import npfill
from benchmarks.kinds import field

_KEPT = 0.2


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this program."""
    parser.add_argument("pictures", nargs="+", help="Files, or `ridges`.")
    parser.add_argument("--adapt", default="60s", help="Steps, or a time.")
    parser.add_argument("--model", default="convcnp-photo")


def run(options: argparse.Namespace) -> None:
    """Print a line for each picture."""
    for number, name in enumerate(options.pictures):
        random = np.random.default_rng(number)
        truth = field(4.0, True, random) if name == "ridges" else np.asarray(Image.open(name))
        hole = random.random(truth.shape[:2]) >= _KEPT
        ways = [
            npfill.complete(truth, hole, options.model, samples=0, adapt=adapt)
            for adapt in (0, options.adapt)
        ]
        scores = [_psnr(done.mean, truth, hole) for done in ways]
        said = next((note for note in ways[1].notes if note.startswith("adapt")), "")
        print(f"{Path(name).name}: {scores[0]:.2f} dB, {scores[1]:.2f} after; {said}", flush=True)  # noqa: T201


def _psnr(mean: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    error = np.square((mean.astype(float) - truth)[hole]).mean()
    return float(20 * np.log10(255 if truth.dtype == np.uint8 else 1) - 10 * np.log10(error))
