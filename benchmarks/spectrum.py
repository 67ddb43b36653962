"""How much detail samples have: their power spectrum in a hidden half, over the original's.

python -m benchmarks.spectrum examples/face.png
python -m benchmarks.spectrum path/to/celeba --pictures 8
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from npfill import zoo
from npfill.completion import complete
from npfill.data.datasets import read_images
from npfill.filling import Array
from npfill.images.files import intensities, read_picture
from npfill.images.sheet import Row, contact_sheet

# Bands of the radial frequency, in shares of the Nyquist frequency.
BANDS = ((1 / 8, 3 / 16), (3 / 16, 1 / 4), (1 / 4, 3 / 8), (3 / 8, 1 / 2))
_SAMPLES = 6


def radial_power(patch: Array) -> np.ndarray:
    """The power of a patch "height width channel" in each band, over channels.

    The mean is taken off, and a Hann window lets the patch fade to its edges.
    """
    window = np.multiply.outer(*(np.hanning(side + 2)[1:-1] for side in patch.shape[:2]))
    faded = (patch - patch.mean((0, 1))) * window[..., None]
    power = np.square(np.abs(np.fft.fft2(faded, axes=(0, 1)))).sum(-1)
    rows, columns = (2 * np.fft.fftfreq(side) for side in patch.shape[:2])
    radius = np.hypot(rows[:, None], columns)
    return np.array([power[(radius >= low) & (radius < high)].mean() for low, high in BANDS])


def main() -> None:
    """Print the ratio in each band, for the mean for samples, and for independent noise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a picture, or test pictures")
    parser.add_argument("--model", default="anp-celeba")
    parser.add_argument("--pictures", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--sheet", type=Path, help="a PNG of the first picture's samples")
    given, console = parser.parse_args(), Console(width=110, highlight=False)
    model = zoo.load(given.model)
    size, channels = model.config.size, model.config.channels
    if given.data.is_file() and given.data.suffix == ".png":
        pictures = [intensities(read_picture(given.data).image)]
    else:
        images = read_images(given.data, "test", size, channels)[: given.pictures]
        pictures = list((images.float() / 255.0).permute(0, 2, 3, 1).numpy())
    hole = np.zeros(pictures[0].shape[:2], dtype=bool)
    hole[hole.shape[0] // 2 :] = True
    ratios: dict[str, list[np.ndarray]] = {}
    for number, picture in enumerate(pictures):
        rows = []
        ways = {
            "autoregressive": {"sampler": "autoregressive", "rounds": given.rounds},
            "autoregressive, drawn": {
                "sampler": "autoregressive",
                "rounds": given.rounds,
                "noise": True,
            },
            "independent": {"sampler": "independent"},
        }
        truth = radial_power(_half(picture))
        for name, way in ways.items():
            done = complete(picture, hole, model, _SAMPLES, 0, **way)  # type: ignore[arg-type]
            for key, shown in (("mean", [done.mean]), (name, list(done.samples))):
                each = [radial_power(_half(one)) / truth for one in shown]
                ratios.setdefault(key, []).append(np.mean(each, axis=0))
            spread = np.sqrt(np.var(done.samples[:, hole], axis=0).mean())
            ratios.setdefault(f"{name}: std over samples", []).append(np.array([spread]))
            rows.append(Row(name, done.mean, done.std, list(done.samples)))
        if number == 0 and given.sheet:
            contact_sheet(picture, hole, rows).save(given.sheet)
    console.print(f"{'bands':40} " + "  ".join(f"{low:.3f}-{high:.3f}" for low, high in BANDS))
    for name, values in ratios.items():
        shares = "  ".join(f"{value:11.3f}" for value in np.mean(values, axis=0))
        console.print(f"{name:40} {shares}", markup=False)


def _half(picture: Array) -> Array:
    return picture[picture.shape[0] // 2 :]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
