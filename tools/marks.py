"""Train the network that finds scratches and dust: python -m tools.marks --data PICTURES.zip.

Damage of many kinds is drawn on photographs. Pixels are drawn from them, with the measures of
`npfill.mask.network`, and a small network learns which are damaged: once without, and once with
the colour that the first finds, as `npfill.mask` asks it.
"""

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
import torch
import typer
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from torch import nn

from npfill.mask.network import Network, coloured, colours_of, measures
from npfill.pictures.formats import npz_bytes
from npfill.seeds import array_generator

_FINER = 4  # times, at which damage is drawn
_VISIBLE = 8  # levels
_PIXELS = 4000  # of each picture that are learned from
Random = np.random.Generator
Share = Float[np.ndarray, "height width"]


def damaged(
    picture: Image.Image, kind: str, random: Random
) -> tuple[np.ndarray, Bool[np.ndarray, "height width"], Bool[np.ndarray, "height width"], bool]:
    """A photograph with marks, where these are, where it matters, and if they are light."""
    before = np.asarray(_varied(picture, random), dtype=np.float64)
    base, is_light = _colour(random)
    after, shape = before, before.shape[:2]
    covered = np.zeros((2, *shape))
    kinds = {kind} if random.random() < 0.7 else {"scratches", "dust"}
    if random.random() < 0.1:
        kinds = set()
    apart = 6.0 if random.random() < 0.85 else 25.0
    shares = []
    if "scratches" in kinds:
        shares += [(0, _scratch(shape, random)) for _ in range(int(random.integers(2, 17)))]
    if "dust" in kinds:
        shares += [(1, _specks(shape, random)) for _ in range(3)]
    for which, whole in shares:
        share = whole * random.uniform(0.8 if random.random() < 0.8 else 0.5, 1)
        paint = np.clip(base + random.normal(0, apart, 3), 0, 255)
        after = after * (1 - share[..., None]) + paint * share[..., None]
        covered[which] = np.maximum(covered[which], share)
    if random.random() < 0.15:
        grey = np.full((3, 3), 1 / 3)
        after, before = after @ grey, before @ grey
    shows = np.abs(np.rint(after) - before).max(-1) >= _VISIBLE
    wrong = (covered > 0.25) & shows
    if kind == "dust":
        wrong, covered = wrong[::-1], covered[::-1]
    counts = wrong[0] | (covered < 0.02).all(0)
    levels = np.rint(np.clip(after, 0, 255)).astype(np.uint8)
    return _coded(levels, random).astype(np.float32), wrong[0], counts, is_light


def _varied(picture: Image.Image, random: Random) -> Image.Image:
    scale = random.uniform(0.6, 1.3)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    side = min(256, *picture.size)
    left, top = (int(random.integers(0, length - side + 1)) for length in picture.size)
    picture = picture.crop((left, top, left + side, top + side))
    picture = ImageOps.mirror(picture) if random.random() < 0.5 else picture
    if random.random() < 0.3:
        low, gamma = random.uniform(0, 60), random.uniform(0.7, 1.5)
        table = low + (random.uniform(190, 255) - low) * (np.arange(256) / 255) ** gamma
        picture = picture.point([round(each) for each in table] * 3)
    return picture


def _colour(random: Random) -> tuple[Float[np.ndarray, "3"], bool]:
    """Near white or black, as scratches are."""
    off = np.array([0, random.uniform(0, 14), random.uniform(0, 38)])
    if random.random() < 0.6:
        return random.uniform(210, 255) - off, True
    return np.maximum(random.uniform(5, 45) - off / 4, 0), False


def _scratch(shape: tuple[int, ...], random: Random) -> Share:
    canvas, draw = _canvas(shape)
    start, end = random.uniform(-0.1, 1.1, (2, 2)) * shape[::-1]
    bend = (start + end) / 2 + random.normal(0, 0.1, 2) * np.hypot(*(end - start))
    along = np.linspace(0, 1, 40)[:, None]
    curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end
    if random.random() < 0.2:
        curve = curve + random.normal(0, 0.6, curve.shape)
    width = max(1, round(random.uniform(1.0, 4.8) * _FINER))
    points = [tuple(point) for point in curve * _FINER]
    draw.line(points[int(random.integers(0, 13)) :], fill=255, width=width, joint="curve")
    return _share(canvas, random)


def _specks(shape: tuple[int, ...], random: Random) -> Share:
    canvas, draw = _canvas(shape)
    for _ in range(int(random.gamma(1.5, 8))):
        x, y, a, b = random.uniform((0, 0, 0.7, 0.7), (shape[1], shape[0], 3.4, 3.4)) * _FINER
        draw.ellipse((x - a, y - b, x + a, y + b), fill=255)
    for _ in range(int(random.poisson(0.7))):
        x, y, radius = random.uniform((0, 0, 4), (shape[1], shape[0], 15)) * _FINER
        start, turn = random.uniform((0, 50), (360, 180))
        bounds = (x - radius, y - radius, x + radius, y + radius)
        draw.arc(bounds, start, start + turn, fill=255, width=round(random.uniform(1, 2) * _FINER))
    return _share(canvas, random)


def _canvas(shape: tuple[int, ...]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (shape[1] * _FINER, shape[0] * _FINER))
    return image, ImageDraw.Draw(image)


def _share(canvas: Image.Image, random: Random) -> Share:
    """How much of each pixel is covered, sharp or with soft edges."""
    small = canvas.reduce(_FINER)
    if random.random() < 0.3:
        small = small.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 0.8)))
    return np.asarray(small, dtype=np.float64) / 255


def _coded(levels: UInt8[np.ndarray, "height width 3"], random: Random) -> np.ndarray:
    if random.random() < 0.6:
        return levels
    content = io.BytesIO()
    Image.fromarray(levels).save(content, "JPEG", quality=int(random.integers(80, 98)))
    return np.asarray(Image.open(content))


def drawn(
    found: np.ndarray, wrong: np.ndarray, counts: np.ndarray, random: Random
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measures of some pixels, if they are damaged, and the number that each stands for."""
    height = found[..., 2]
    parts = [(wrong & counts, 0.4), (~wrong & counts & (height > 0.12), 0.4)]
    parts += [(~wrong & counts & (height <= 0.12), 0.2)]
    values, truth, weights = [], [], []
    for where, share in parts:
        at = np.flatnonzero(where)
        some = random.permutation(at)[: int(share * _PIXELS)]
        values.append(found.reshape(-1, found.shape[-1])[some])
        truth.append(np.full(len(some), where is parts[0][0]))
        weights.append(np.full(len(some), len(at) / max(len(some), 1)))
    return np.concatenate(values), np.concatenate(truth), np.concatenate(weights)


def fitted(values: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """The weights and offsets of a network, layer by layer."""
    torch.manual_seed(0)
    middle, spread = values.mean(0), values.std(0) + 1e-6
    inputs = torch.from_numpy((values - middle) / spread)
    right, weight = torch.from_numpy(truth).float(), torch.from_numpy(weights).float()
    weight = (weight / weight.mean()).clamp(max=8)
    width = values.shape[1]
    network = nn.Sequential(
        nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1)
    )
    epochs, size = 10, 2048
    steps = epochs * -(-len(values) // size)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, steps)
    loss = torch.zeros(())
    for _ in range(epochs):
        for some in torch.randperm(len(values)).split(size):
            logits = network(inputs[some])[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(
                logits, right[some], weight[some] * (1 + right[some])
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    typer.echo(f"{len(values):,} pixels of {width} measures: loss {loss.item():.4f}")
    layers = []
    for at in (0, 2, 4):
        layer = network[at]
        assert isinstance(layer, nn.Linear)
        matrix, offset = (each.detach().double().numpy() for each in (layer.weight.T, layer.bias))
        if at == 0:
            offset = offset - (middle / spread) @ matrix
            matrix = matrix / spread[:, None]
        layers += [matrix.astype(np.float32), offset.astype(np.float32)]
    return layers


def main() -> None:
    """Train the networks, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a zip of photographs")
    parser.add_argument("--pictures", type=int, default=130)
    parser.add_argument("--kinds", default="scratches,dust")
    parser.add_argument("--output", type=Path, default=Path("npfill/mask/marks.npz"))
    options = parser.parse_args()
    weights: dict[str, np.ndarray] = {}
    if options.output.exists():
        weights |= np.load(options.output)
    with zipfile.ZipFile(options.data) as archive:
        names = [each for each in archive.namelist() if each.endswith(".jpg")]
        contents = [archive.read(each) for each in names]
    for kind in options.kinds.split(","):
        seen, first = [], []
        for number in range(options.pictures):
            random = array_generator(0, "marks", kind, number)
            with Image.open(io.BytesIO(contents[int(random.integers(len(contents)))])) as image:
                levels, wrong, counts, is_light = damaged(image.convert("RGB"), kind, random)
            if random.random() < 0.15:
                is_light, wrong, counts = not is_light, np.zeros_like(wrong), ~wrong & counts
            levels = levels if is_light else 255 - levels
            found = measures(levels, kind)
            first.append(drawn(found, wrong, counts, random))
            seen.append((levels, wrong, counts, found.astype(np.float16), random))
        layers = fitted(*(np.concatenate(each) for each in zip(*first, strict=True)))
        network = Network(tuple(zip(layers[::2], layers[1::2], strict=True)))
        second = []
        for levels, wrong, counts, found, random in seen:
            chance = network.chance(found.astype(np.float32))
            for shade in colours_of(levels, found, chance):
                more = coloured(levels, shade.colour, chance, kind)
                both = np.concatenate([found, more], axis=-1, dtype=np.float32)
                second.append(drawn(both, wrong, counts, random))
        last = fitted(*(np.concatenate(each) for each in zip(*second, strict=True)))
        for turn, each in enumerate((layers, last), 1):
            for k in range(3):
                weights[f"{kind}{turn}.{k}.weights"] = each[2 * k]
                weights[f"{kind}{turn}.{k}.offsets"] = each[2 * k + 1]
    options.output.write_bytes(npz_bytes(weights))


if __name__ == "__main__":
    main()
