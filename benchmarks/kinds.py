"""Kinds of pictures and data that no model was trained on, and holes in them."""

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image, ImageDraw, ImageFont

from npfill.data.holes import FAMILIES, scattered

SIDE = 160
Picture = Float[np.ndarray, "height width channel"]
Hole = Bool[np.ndarray, "height width"]
Make = Callable[[np.random.Generator], Picture]
# Those that are grids of numbers, which `npfill complete` completes by its model for data.
NUMBERS = {"terrain", "field, slope 2", "field, slope 4", "noisy field", "depth"}


def kinds(data: Path) -> dict[str, Make]:
    """A picture of each kind, of `SIDE` x `SIDE`; those from files are crops."""
    samples, kodak = data / "samples", sorted((data / "kodak24").glob("*.png"))
    fashion = data / "fashion_mnist" / "t10k-images-idx3-ubyte.gz"
    return {
        "brick": partial(_crop, [samples / "brick.png"]),
        "grass": partial(_crop, [samples / "grass.png"]),
        "gravel": partial(_crop, [samples / "gravel.png"]),
        "hubble": partial(_crop, [*samples.glob("hubble*")]),
        "kodak, grain 0.01": lambda random: _grainy(_crop(kodak, random), 0.01, random),
        "kodak, grain 0.03": lambda random: _grainy(_crop(kodak, random), 0.03, random),
        "fashion sheets": partial(_sheet, fashion),
        "terrain": partial(field, 3.0, True),
        "field, slope 2": partial(field, 2.0, False),
        "field, slope 4": partial(field, 4.0, False),
        "noisy field": lambda random: _grainy(field(3.5, False, random), 0.05, random),
        "text": _text,
        "depth": _depth,
        "moire": _moire,
    }


def holes() -> dict[str, Callable[[np.random.Generator], Hole]]:
    """A hole of each kind."""
    size = (SIDE, SIDE)
    return {
        "keep 5 %": partial(scattered, size, kept=0.05),
        "keep 20 %": partial(scattered, size, kept=0.2),
        "keep 50 %": partial(scattered, size, kept=0.5),
        "strokes": lambda random: FAMILIES["strokes"](size, random),
        "blobs": _blobs,
        "stripes": _stripes,
    }


def _crop(files: list[Path], random: np.random.Generator) -> Picture:
    """A square of a picture; grey pictures stay grey."""
    with Image.open(files[int(random.integers(len(files)))]) as image:
        whole = np.asarray(image if image.mode in {"L", "RGB"} else image.convert("RGB"))
    top, left = (int(random.integers(length - SIDE + 1)) for length in whole.shape[:2])
    part = whole[top : top + SIDE, left : left + SIDE].reshape(SIDE, SIDE, -1)
    return (part / np.float32(255)).astype(np.float32)


def _grainy(picture: Picture, std: float, random: np.random.Generator) -> Picture:
    """With noise, in 8 bits."""
    noisy = (picture + std * random.normal(size=picture.shape)).clip(0, 1)
    return (np.rint(255 * noisy) / 255).astype(np.float32)


def _sheet(file: Path, random: np.random.Generator) -> Picture:
    """Pictures of 28x28 side by side."""
    every = np.frombuffer(gzip.decompress(file.read_bytes())[16:], np.uint8).reshape(-1, 28, 28)
    count = -(-SIDE // 28)
    some = every[random.integers(len(every), size=count * count)].reshape(count, count, 28, 28)
    sheet = some.transpose(0, 2, 1, 3).reshape(count * 28, -1)[:SIDE, :SIDE, None]
    return (sheet / np.float32(255)).astype(np.float32)


def _scaled(values: np.ndarray) -> Picture:
    low, high = values.min(), values.max()
    return ((values - low) / (high - low)).astype(np.float32)[..., None]


def field(slope: float, ridged: bool, random: np.random.Generator) -> Picture:
    """A Gaussian field whose power falls with the frequency to the slope; or its ridges."""
    along = np.fft.fftfreq(SIDE)
    frequency = np.hypot(along[:, None], along)
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(random.normal(size=(SIDE, SIDE))) * frequency ** (-slope / 2)
    values = np.fft.ifft2(spectrum).real
    return _scaled(-np.abs(values) if ridged else values)


def _text(random: np.random.Generator) -> Picture:
    """A page of letters."""
    page = Image.new("L", (SIDE, SIDE), 245)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=int(random.integers(10, 16)))
    for top in range(4, SIDE, 18):
        letters = "".join(random.choice([*"etaoinshrdlucmfwypvbgkjqxz      "], 40))
        draw.text((4, top), letters, fill=20, font=font)
    return (np.asarray(page)[..., None] / np.float32(255)).astype(np.float32)


def _depth(random: np.random.Generator) -> Picture:
    """The distance to balls before a slanted wall."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    depth = 3 + random.normal() * rows + random.normal() * columns
    for _ in range(9):
        y, x, away, radius = random.uniform((0, 0, 1, 0.08), (1, 1, 2.5, 0.3))
        inside = radius**2 - (rows - y) ** 2 - (columns - x) ** 2
        depth = np.where(inside > 0, np.minimum(depth, away - np.sqrt(inside.clip(0))), depth)
    return _scaled(depth)


def _moire(random: np.random.Generator) -> Picture:
    """Two gratings over each other."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    waves = []
    for _ in range(2):
        angle, period = random.uniform((0, 5), (np.pi, 9))
        waves.append(np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / period))
    return _scaled(waves[0] + waves[1])


def _blobs(random: np.random.Generator) -> Hole:
    """Three ellipses of 20 to 60 pixels."""
    rows, columns = np.ogrid[:SIDE, :SIDE]
    hole = np.zeros((SIDE, SIDE), dtype=bool)
    for _ in range(3):
        y, x = random.uniform(0, SIDE, 2)
        wide, stretch = random.uniform((20, 0.8), (60, 1.25))
        hole |= ((rows - y) * stretch) ** 2 + ((columns - x) / stretch) ** 2 < (wide / 2) ** 2
    return hole


def _stripes(random: np.random.Generator) -> Hole:
    """Bands of 4 to 13 pixels, every 24 to 47, along an axis."""
    wide, every, first = random.integers((4, 24, 0), (14, 48, 24))
    hole = np.tile((np.arange(SIDE)[:, None] - first) % every < wide, (1, SIDE))
    return hole if random.random() < 0.5 else hole.T.copy()
