"""How much `npfill complete --adapt` gains in PSNR, with a fifth of the pixels kept.

Pictures named, or random fields: `ridges`, and `smooth`, a terrain smoother than photographs are;
each as it is, and after training.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import npfill
from benchmarks.kinds import field

_KEPT = 0.2
# The slope of the spectrum, and whether it is the ridges that are taken.
_FIELDS = {"ridges": (4.0, True), "smooth": (5.0, False)}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this program."""
    parser.add_argument("pictures", nargs="+", help="Files, `ridges` or `smooth`.")
    parser.add_argument("--adapt", default="60s", help="Steps, or a time.")
    parser.add_argument("--model", default="convcnp-photo")


def run(options: argparse.Namespace) -> None:
    """Print a line for each picture."""
    for number, name in enumerate(options.pictures):
        random = np.random.default_rng(number)
        field_of = _FIELDS.get(name)
        truth = field(*field_of, random) if field_of else np.asarray(Image.open(name))
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
    peak = np.iinfo(truth.dtype).max if truth.dtype.kind in "iu" else 1
    return float(20 * np.log10(peak) - 10 * np.log10(error))
