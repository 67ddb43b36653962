"""Masks proposed for damage that is put into photographs: what they find, and what is mended."""

import argparse
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from PIL import Image, ImageDraw, ImageFont

import npfill
from npfill import mask
from npfill.data.holes import FAMILIES
from npfill.pictures.planes import grown
from npfill.seeds import array_generator

_FINER = 4  # times, at which damage is drawn
_VISIBLE = 0.25  # of a pixel that is covered
_LEVELS = 8  # by which a pixel must differ from before to be damaged
Random = np.random.Generator


@dataclass(frozen=True)
class Damaged:
    """A damaged picture, and what is wrong with it.

    Attributes:
        before: The picture, "height width" or "height width channel".
        after: The same, damaged.
        wrong: True where it is.
    """

    before: np.ndarray
    after: np.ndarray | Image.Image
    wrong: np.ndarray


def scratches(picture: np.ndarray, random: Random) -> Damaged:
    """Eight to sixteen curves, 1 to 4 pixels wide: cream-coloured, or on every third dark."""
    is_dark = random.random() < 1 / 3
    base = np.array([25, 20, 18] if is_dark else [235, 225, 205])
    after, wrong = picture.astype(np.float64), np.zeros(picture.shape[:2], dtype=bool)
    for _ in range(int(random.integers(8, 17))):
        canvas, draw = _canvas(wrong.shape)
        start, end, bend = random.uniform(-0.05, 1.05, (3, 2)) * wrong.shape[::-1]
        bend = (start + end) / 2 + (bend - (start + end) / 2) * 0.15
        along = np.linspace(0, 1, 40)[:, None]
        curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end
        part = curve[int(random.integers(0, 13)) : int(random.integers(26, 40))] * _FINER
        width = max(1, round(random.uniform(1.2, 4.5) * _FINER))
        draw.line([tuple(point) for point in part], fill=255, width=width, joint="curve")
        covered = _smaller(canvas) * random.uniform(0.85, 1)
        after = _covering(after, covered, np.clip(base + random.normal(0, 6, 3), 0, 255))
        wrong |= covered > _VISIBLE
    return _damaged(picture, after, wrong)


def dust(picture: np.ndarray, random: Random) -> Damaged:
    """Sixty to 140 specks of 1.6 to 6 pixels and six fibres; light, or of every third dark."""
    is_dark = random.random() < 1 / 3
    canvas, draw = _canvas(picture.shape)
    height, width = picture.shape[:2]
    for _ in range(int(random.integers(60, 141))):
        x, y, a, b = random.uniform((0, 0, 0.8, 0.8), (width, height, 3.2, 3.2)) * _FINER
        draw.ellipse((x - a, y - b, x + a, y + b), fill=255)
    for _ in range(6):
        x, y, radius = random.uniform((0, 0, 5), (width, height, 14)) * _FINER
        start, turn = random.uniform((0, 60), (360, 160))
        bounds = (x - radius, y - radius, x + radius, y + radius)
        draw.arc(bounds, start, start + turn, fill=255, width=round(random.uniform(1, 2) * _FINER))
    covered = _smaller(canvas) * 0.95
    colour = np.array([22, 20, 18] if is_dark else [240, 235, 225])
    return _damaged(picture, _covering(picture, covered, colour), covered > _VISIBLE)


def text(picture: np.ndarray, random: Random) -> Damaged:
    """A date in orange in one of the lower corners, a fortieth to a twenty-fifth of the height."""
    canvas, draw = _canvas(picture.shape)
    height, width = picture.shape[:2]
    size = int(height / random.uniform(18, 28)) * _FINER
    font = ImageFont.load_default(size)
    year, month, day = random.integers((80, 1, 1), (100, 13, 29))
    words = f"'{year} {month:2} {day:2}"
    long = draw.textlength(words, font=font)
    right = random.random() < 0.7
    x = width * _FINER * (0.95 if right else 0.05) - (long if right else 0)
    draw.text((x, height * _FINER * 0.94 - size), words, 255, font=font, stroke_width=_FINER // 3)
    colour = np.array([255, random.uniform(110, 170), random.uniform(20, 60)])
    covered = _smaller(canvas) * 0.95
    return _damaged(picture, _covering(picture, covered, colour), covered > _VISIBLE)


def stripes(picture: np.ndarray, random: Random) -> Damaged:
    """Three to six rows and as many columns, 1 to 3 pixels wide: black, white or of one grey."""
    after, wrong = picture.copy(), np.zeros(picture.shape[:2], dtype=bool)
    for axis in (0, 1):
        for at in random.integers(0, wrong.shape[axis] - 3, int(random.integers(3, 7))):
            lines = slice(int(at), int(at) + int(random.integers(1, 4)))
            where = (lines,) if axis == 0 else (slice(None), lines)
            after[where] = random.choice([0, 255, int(random.integers(0, 256))])
            wrong[where] = True
    return Damaged(picture, after, wrong)


def colour(picture: np.ndarray, random: Random) -> Damaged:
    """Strokes of magenta over scratches, saved as JPEG of quality 90, whose colours bleed."""
    thin = scratches(picture, random)
    canvas = Image.fromarray(thin.wrong).convert("L")
    wide = np.asarray(canvas.resize(canvas.size)) > 0
    wide = grown(wide, 2)
    after = np.where(wide[..., None], np.array([255, 0, 255], np.uint8), picture)
    return Damaged(picture, _jpeg(after, 90), wide)


def like(picture: np.ndarray, random: Random) -> Damaged:
    """Lines of letters; the other version is the picture as a JPEG of quality 85."""
    wrong = FAMILIES["text"](picture.shape[:2], random)
    after = np.where(wrong[..., None], np.uint8(250), picture)
    return _damaged(picture, after, wrong)


def depth(picture: np.ndarray, random: Random) -> Damaged:
    """Zeros in blobs and lines of a depth map of 16 bits, for which the lightness stands."""
    grey = np.asarray(Image.fromarray(picture).convert("L")).astype(np.uint16) * 20 + 400
    wrong = FAMILIES["blobs"](grey.shape, random) & (random.random(grey.shape) < 0.9)
    return Damaged(grey, np.where(wrong, np.uint16(0), grey), wrong)


_DAMAGES: dict[str, Callable[[np.ndarray, Random], Damaged]] = {
    each.__name__: each for each in (colour, stripes, depth, like, scratches, dust, text)
}
_RECALL = {"scratches": 0.85, "dust": 0.85, "text": 0.85}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--data", type=Path, required=True, help="a folder of photographs")
    parser.add_argument("--every", type=int, default=4, help="take every so-many-th picture")
    parser.add_argument("--kinds", default=",".join(_DAMAGES), help="names with commas")
    parser.add_argument("--no-mend", action="store_true", help="do not complete them")
    parser.add_argument("--show", type=Path, help="a folder for sheets of what was found")


def run(options: argparse.Namespace) -> None:
    """Damage, propose, mend and compare; a line for each picture, then one for each kind."""
    paths = sorted(each for each in options.data.iterdir() if each.suffix in {".png", ".jpg"})
    summary = []
    for kind in options.kinds.split(","):
        rows = []
        for path in paths[:: options.every]:
            with Image.open(path) as image:
                picture = np.asarray(image.convert("RGB"))
            found = measured(kind, picture, path.name, mend=not options.no_mend)
            rows.append(found[:3])
            typer.echo(f"{kind:10} {path.name[:40]:40} " + " ".join(f"{x:7.3f}" for x in found[:3]))
            if options.show:
                options.show.mkdir(parents=True, exist_ok=True)
                (options.show / f"{kind}_{path.stem}.png").write_bytes(found[3])
        recall, area, error = np.array(rows).T
        bar = _RECALL.get(kind, 0.95)
        summary.append(
            f"| `{kind}` | {recall.min():.3f} | {recall.mean():.3f} | {bar} | {area.max():.2f} | "
            f"{error.mean():.2f} | {error.max():.2f} | "
            f"{((recall >= bar) & (area <= 3)).sum()} of {len(rows)} |"
        )
    typer.echo(
        "\n| damage | least recall | mean | bar | largest area | mean error left | largest | "
        "within both bars |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    typer.echo("\n".join(summary))


def measured(
    kind: str, picture: np.ndarray, name: str, *, mend: bool = True
) -> tuple[float, float, float, bytes]:
    """Recall, area over that of the damage, the share of the error that mending leaves; a sheet."""
    damaged = _DAMAGES[kind](picture, array_generator(0, "damage", kind, name))
    more = {"colour": ("#ff00ff",), "like": (_jpeg(picture, 85),)}.get(kind, ())
    found = getattr(mask, kind)(damaged.after, *more)
    wrong, error = damaged.wrong, float("nan")
    recall, area = (found & wrong).sum() / wrong.sum(), found.sum() / wrong.sum()
    if mend and found.any():
        mended = npfill.complete(damaged.after, found, samples=0, check=False).mean
        error = _error(mended, damaged.before) / _error(np.asarray(damaged.after), damaged.before)
    levels = mask.painted.levels_of(damaged.after)[1]
    part = mask.proposal.Part(kind, "", found)
    return recall, area, error, mask.Proposal(levels, (part,)).sheet_png()


def _error(one: np.ndarray, other: np.ndarray) -> float:
    """The root of the mean squared difference."""
    return float(np.sqrt(np.square(one.astype(np.float64) - other).mean()))


def _damaged(before: np.ndarray, after: np.ndarray, wrong: np.ndarray) -> Damaged:
    """What is damaged where it shows."""
    levels = np.rint(np.clip(after, 0, 255)).astype(np.uint8)
    shows = np.abs(levels.astype(int) - before).max(axis=-1) >= _LEVELS
    return Damaged(before, levels, wrong & shows)


def _canvas(shape: tuple[int, ...]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (shape[1] * _FINER, shape[0] * _FINER))
    return image, ImageDraw.Draw(image)


def _smaller(canvas: Image.Image) -> np.ndarray:
    return np.asarray(canvas.reduce(_FINER), dtype=np.float64) / 255


def _covering(picture: np.ndarray, covered: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return picture * (1 - covered[..., None]) + colour * covered[..., None]


def _jpeg(picture: np.ndarray, quality: int) -> Image.Image:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=quality)
    return Image.open(content)
