"""Train the network that finds scratches and dust: python -m tools.marks --data PICTURES.zip.

Damage of many kinds is drawn on photographs, and `npfill.mask.network` learns where it is.
"""

import argparse
import io
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import typer
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from npfill.files import write_bytes
from npfill.mask.network import KINDS, MarksNet
from npfill.seeds import array_generator

_SIDE = 256
_FINER = 3  # times, at which damage is drawn
_VISIBLE = 8  # levels
_COVERED, _BARE = 0.25, 0.02  # shares of a pixel that is damaged, and of one that is not
_BATCH, _KEPT = 6, 512  # crops of a step, and of those that come again
_SAVED, _DECAY, _RATE = 200, 0.998, 2e-3  # steps; of the average; the highest rate
Random = np.random.Generator
Share = Float[np.ndarray, "height width"]


@dataclass(frozen=True)
class Crop:
    """A part of a photograph with marks.

    Attributes:
        levels: The picture.
        wrong: For each of `KINDS`, where the marks are.
        counts: Likewise, what is surely one or the other.
    """

    levels: UInt8[np.ndarray, "side side 3"]
    wrong: Bool[np.ndarray, "kind side side"]
    counts: Bool[np.ndarray, "kind side side"]


def damaged(picture: Image.Image, random: Random) -> Crop:
    """A part of a photograph with scratches, dust, both, or nothing."""
    before = np.asarray(_varied(picture, random), dtype=np.float32)
    base = _colour(random)
    after, shape = before, before.shape[:2]
    covered = np.zeros((len(KINDS), *shape), dtype=np.float32)
    drawn = [["scratches"], ["dust"], [*KINDS], []][random.choice(4, p=(0.25, 0.5, 0.15, 0.1))]
    apart = 6.0 if random.random() < 0.85 else 25.0
    shares = []
    if "scratches" in drawn:
        left = int(random.integers(1, 17))
        while left > 0:
            some = min(left, int(random.integers(1, 6)))
            shares.append((0, _scratches(shape, some, random)))
            left -= some
    if "dust" in drawn:
        shares += [(1, _specks(shape, random)) for _ in range(2)]
    for which, whole in shares:
        share = whole * random.uniform(0.8 if random.random() < 0.8 else 0.5, 1)
        paint = np.clip(base + random.normal(0, apart, 3), 0, 255)
        after = (after * (1 - share[..., None]) + paint * share[..., None]).astype(np.float32)
        covered[which] = np.maximum(covered[which], share)
    if random.random() < 0.15:
        grey = np.full((3, 3), 1 / 3)
        after, before = after @ grey, before @ grey
    shows = np.abs(np.rint(after) - before).max(-1) >= _VISIBLE
    wrong = (covered > _COVERED) & shows
    levels = np.rint(np.clip(after, 0, 255)).astype(np.uint8)
    return Crop(_coded(levels, random), wrong, wrong | (covered < _BARE).all(0))


def _varied(picture: Image.Image, random: Random) -> Image.Image:
    scale = max(random.uniform(0.6, 1.3), _SIDE / min(picture.size))
    side = min(*picture.size, round(_SIDE / scale))
    left, top = (int(random.integers(0, length - side + 1)) for length in picture.size)
    box = (left, top, left + side, top + side)
    picture = picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, box)
    picture = ImageOps.mirror(picture) if random.random() < 0.5 else picture
    if random.random() < 0.3:
        low, gamma = random.uniform(0, 60), random.uniform(0.7, 1.5)
        table = low + (random.uniform(190, 255) - low) * (np.arange(256) / 255) ** gamma
        picture = picture.point([round(each) for each in table] * 3)
    return picture


def _colour(random: Random) -> Float[np.ndarray, "3"]:
    """Near white or black, as scratches are."""
    off = np.array([0, random.uniform(0, 14), random.uniform(0, 38)])
    if random.random() < 0.6:
        return random.uniform(210, 255) - off
    return np.maximum(random.uniform(5, 45) - off / 4, 0)


def _scratches(shape: tuple[int, ...], count: int, random: Random) -> Share:
    canvas, draw = _canvas(shape)
    for _ in range(count):
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
    for _ in range(int(random.gamma(1.5, 10))):
        x, y, a, b = random.uniform((0, 0, 0.7, 0.7), (shape[1], shape[0], 3.4, 3.4)) * _FINER
        draw.ellipse((x - a, y - b, x + a, y + b), fill=255)
    for _ in range(int(random.poisson(0.9))):
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
    return np.asarray(small, dtype=np.float32) / 255


def _coded(levels: UInt8[np.ndarray, "height width 3"], random: Random) -> np.ndarray:
    if random.random() < 0.6:
        return levels
    content = io.BytesIO()
    Image.fromarray(levels).save(content, "JPEG", quality=int(random.integers(80, 98)))
    return np.asarray(Image.open(content))


def photographs(archive: Path) -> list[Image.Image]:
    """The photographs of a zip, decoded."""
    with zipfile.ZipFile(archive) as file:
        names = sorted(each for each in file.namelist() if each.endswith(".jpg"))
        return [Image.open(io.BytesIO(file.read(each))).convert("RGB") for each in names]


def batch(crops: Sequence[Crop], random: Random) -> tuple[Tensor, Tensor, Tensor]:
    """Levels, what is wrong and what counts of crops, each turned, mirrored or inverted."""
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for crop in crops:
        levels = 255 - crop.levels if random.random() < 0.5 else crop.levels
        turns, mirrored = int(random.integers(4)), random.random() < 0.5
        for into, each in zip(
            parts, (np.moveaxis(levels, -1, 0), crop.wrong, crop.counts), strict=True
        ):
            turned = np.rot90(each, turns, (1, 2))
            into.append(turned[..., ::-1] if mirrored else turned)
    seen, wrong, counts = (
        torch.from_numpy(np.ascontiguousarray(np.stack(each))).float() for each in parts
    )
    return seen, wrong, counts


def error(logits: Tensor, wrong: Tensor, counts: Tensor) -> Tensor:
    """Cross-entropy of what counts, damage twice, and the share of overlap that is lacking."""
    each = F.binary_cross_entropy_with_logits(logits, wrong, reduction="none")
    entropy = (each * (1 + wrong) * counts).sum() / counts.sum()
    chance = logits.sigmoid() * counts
    common = 2 * (chance * wrong).sum((0, 2, 3)) + 1
    overlap = common / (chance.sum((0, 2, 3)) + wrong.sum((0, 2, 3)) + 1)
    return entropy + 0.1 * (1 - overlap).mean()


def _halved(tensor: Tensor) -> Tensor:
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous()


def main() -> None:
    """Train the network, and write it as it is saved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a zip of photographs")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="go on at this step, from the output")
    parser.add_argument("--output", type=Path, default=Path("npfill/mask/marks.safetensors"))
    options = parser.parse_args()
    torch.manual_seed(0)
    pictures, net, kept = photographs(options.data), MarksNet(), list[Crop]()
    if options.first:
        net.load_state_dict(load_file(options.output))
    optimiser = torch.optim.AdamW(net.parameters(), _RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, options.steps, pct_start=0.05)
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_DECAY), use_buffers=True
    )
    mean, began = 0.0, time.perf_counter()
    for step in range(options.first, options.first + options.steps):
        random = array_generator(0, "marks", step)
        new = damaged(pictures[int(random.integers(len(pictures)))], random)
        kept = [*kept[-_KEPT:], new]
        again = [kept[int(each)] for each in random.integers(len(kept), size=_BATCH - 1)]
        levels, wrong, counts = batch([new, *again], random)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(levels)
        loss = error(logits.float(), wrong, counts)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update_parameters(net)
        mean = 0.98 * mean + 0.02 * loss.item()
        if (step + 1) % _SAVED == 0:
            weights = average.module.state_dict()
            write_bytes(options.output, save({k: _halved(v) for k, v in weights.items()}))
            pace = (time.perf_counter() - began) / (step + 1 - options.first)
            typer.echo(f"step {step + 1}  loss {mean:.4f}  {pace:.2f} s/step")


if __name__ == "__main__":
    main()
