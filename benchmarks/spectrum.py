"""How much detail samples have: their power spectrum in a hidden half, over the original's."""

import argparse
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

import npfill
from npfill.data.sources import read_images
from npfill.pictures.picture import intensities
from npfill.pictures.read import read_picture
from npfill.pictures.sheet import Row, contact_sheet

# Bands of the radial frequency, in shares of the Nyquist frequency.
BANDS = ((1 / 8, 3 / 16), (3 / 16, 1 / 4), (1 / 4, 3 / 8), (3 / 8, 1 / 2))
_SAMPLES, _SIDE = 6, 64
# Samplers, and whether the pixels of their samples are drawn.
_WAYS = {
    "autoregressive": ("autoregressive", False),
    "autoregressive, drawn": ("autoregressive", True),
    "independent": ("independent", False),
    "flow": ("flow", False),
}


def radial_power(patch: np.ndarray) -> np.ndarray:
    """The power of a patch "height width channel" in each band, over channels.

    The mean is taken off, and a Hann window lets the patch fade to its edges.
    """
    window = np.multiply.outer(*(np.hanning(side + 2)[1:-1] for side in patch.shape[:2]))
    faded = (patch - patch.mean((0, 1))) * window[..., None]
    power = np.square(np.abs(np.fft.fft2(faded, axes=(0, 1)))).sum(-1)
    rows, columns = (2 * np.fft.fftfreq(side) for side in patch.shape[:2])
    radius = np.hypot(rows[:, None], columns)
    return np.array([power[(radius >= low) & (radius < high)].mean() for low, high in BANDS])


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("data", type=Path, help="a picture, or test pictures")
    parser.add_argument("--pictures", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="a PNG of the first picture's samples")


def run(given: argparse.Namespace) -> None:
    """Print the ratio in each band, for the mean, for samples and for independent noise."""
    torch.set_num_threads(1)
    console = Console(width=110, highlight=False)
    model = npfill.load("anp-celeba")
    measured: dict[str, list[np.ndarray]] = {}
    for number, picture in enumerate(_pictures(given.data, given.pictures)):
        height, width = picture.shape[:2]
        hole = np.zeros((height, width), dtype=bool)
        hole[height // 2 :] = True
        completions = {
            name: npfill.complete(
                picture, hole, model=model, samples=_SAMPLES, sampler=sampler, noise=noise
            )
            for name, (sampler, noise) in _WAYS.items()
        }
        for name, values in _ratios(picture, hole, completions).items():
            measured.setdefault(name, []).append(values)
        if number == 0 and given.sheet:
            rows = [Row(name, c.mean, c.std, list(c.samples)) for name, c in completions.items()]
            contact_sheet(picture, hole, rows).save(given.sheet)
    console.print(f"{'bands':40} " + "  ".join(f"{low:.3f}-{high:.3f}" for low, high in BANDS))
    for name, each in measured.items():
        shares = "  ".join(f"{value:11.3f}" for value in np.mean(each, axis=0))
        console.print(f"{name:40} {shares}", markup=False)


def _pictures(data: Path, count: int) -> list[np.ndarray]:
    """A PNG, or the first test pictures of a set."""
    if data.suffix == ".png":
        return [intensities(read_picture(data).image)]
    images = read_images(data, "test", _SIDE, channels=3)[:count]
    return list((images.float() / 255.0).permute(0, 2, 3, 1).numpy())


def _ratios(
    picture: np.ndarray, hole: np.ndarray, completions: dict[str, npfill.Completion]
) -> dict[str, np.ndarray]:
    """Power over the original's in each band, and the std over samples in the hole."""
    truth, ratios = radial_power(_half(picture)), {}
    for name, done in completions.items():
        for key, shown in (("mean", [done.mean]), (name, done.samples)):
            ratios[key] = np.mean([radial_power(_half(one)) / truth for one in shown], axis=0)
        spread = np.sqrt(np.var(done.samples[:, hole], axis=0).mean())
        ratios[f"{name}: std over samples"] = np.array([spread])
    return ratios


def _half(picture: np.ndarray) -> np.ndarray:
    return picture[picture.shape[0] // 2 :]
