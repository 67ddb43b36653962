"""Sets of pictures: of one size, with holes of their own, or photographs of any size."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from npfill.data.fields import RandomFields
from npfill.data.structures import structure

Images = UInt8[Tensor, "image channel size size"]
Known = Bool[Tensor, "image 1 size size"]
Crop = Float[Tensor, "3 side side"]
# Standard deviations of a photograph's grain.
_GRAIN = (0.002, 0.03)
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R 601
# Alpha below this is a hole, as where a mask is taken from alpha.
_OPAQUE = 128


@dataclass(frozen=True)
class MaskedImages:
    """Pictures of one size, some with holes of their own.

    Attributes:
        images: Bytes. Values in holes are never read.
        known: True where a picture has no hole.
    """

    images: Images
    known: Known

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice) -> "MaskedImages":
        return MaskedImages(self.images[part], self.known[part])

    @property
    def device(self) -> torch.device:
        """Device that holds them."""
        return self.images.device

    def to(self, device: torch.device) -> "MaskedImages":
        """Copy them to a device."""
        return MaskedImages(self.images.to(device), self.known.to(device))


def parted(pictures: Images | MaskedImages) -> tuple[Images, Known | None]:
    """Split pictures into bytes and a mask of what is known; None where all of it is."""
    if isinstance(pictures, MaskedImages):
        return pictures.images, pictures.known
    return pictures, None


def squares(pictures: Iterable[Image.Image], size: int, channels: int) -> Images | MaskedImages:
    """Bring pictures to one size; where any has a hole of its own, with what is known of them.

    Args:
        pictures: Any pictures, in a mode of Pillow's with 8 bits.
        size: Side in pixels. Others are cut to their centre square and resized.
        channels: 1 for grey, 3 for RGB.
    """
    drawn = [_square(picture, size, channels) for picture in pictures]
    images = torch.from_numpy(np.stack([square for square, _ in drawn]))
    images = images.permute(0, 3, 1, 2).contiguous()
    whole = np.ones((size, size), dtype=bool)
    known = torch.from_numpy(np.stack([whole if at is None else at for _, at in drawn])[:, None])
    return images if known.all() else MaskedImages(images, known)


def has_hole(picture: Image.Image) -> bool:
    """Tell whether a part of a picture is transparent."""
    if not picture.has_transparency_data:
        return False
    return picture.convert("RGBA").getchannel("A").getextrema()[0] < _OPAQUE  # type: ignore[operator]


def _square(picture: Image.Image, size: int, channels: int) -> tuple[np.ndarray, np.ndarray | None]:
    """A picture as "size size channel", and where it is known, "size size"; None: everywhere."""
    colours, hole = "L" if channels == 1 else "RGB", has_hole(picture)
    if hole:
        whole = picture.convert("RGBA")
        opaque = whole.getchannel("A").point(lambda alpha: 255 * (alpha >= _OPAQUE))
        picture = whole.convert(colours)
        # Pillow weights by alpha what it resizes.
        picture.putalpha(opaque)
    else:
        picture = picture.convert(colours)
    picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    square = np.asarray(picture).reshape(size, size, -1)
    return (square[..., :-1], square[..., -1] >= _OPAQUE) if hole else (square, None)


@dataclass(frozen=True)
class Photographs:
    """RGB pictures of any size: bytes, "3 height width" each."""

    pictures: tuple[UInt8[Tensor, "3 _ _"], ...]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, part: slice) -> "Photographs":
        return Photographs(self.pictures[part])

    @property
    def device(self) -> torch.device:
        """Device that holds them."""
        return self.pictures[0].device

    def to(self, device: torch.device) -> "Photographs":
        """Copy them to a device."""
        return Photographs(tuple(picture.to(device) for picture in self.pictures))

    def centres(self, side: int) -> "Photographs":
        """Cut each to its centre, at most `side` pixels wide and high."""
        centres = []
        for picture in self.pictures:
            top, left = (max(0, length - side) // 2 for length in picture.shape[-2:])
            centres.append(picture[:, top : top + side, left : left + side])
        return Photographs(tuple(centres))


Pictures = UInt8[Tensor, "_ channel size size"] | MaskedImages | Photographs | RandomFields


def fingerprint(*sets: Pictures) -> str:
    """Hash pictures as a run sees them: their shapes and bytes."""
    digest = hashlib.sha256()
    for each in sets:
        if isinstance(each, RandomFields):
            continue
        for tensor in each.pictures if isinstance(each, Photographs) else parted(each):
            if tensor is not None:
                digest.update(f"{tuple(tensor.shape)}".encode())
                digest.update(tensor.cpu().contiguous().numpy().data)
    return digest.hexdigest()


def sizes_of(pictures: Pictures) -> str:
    """The size of pictures in words: "of 28x28", or the range of their sides."""
    if isinstance(pictures, RandomFields):
        return size_in_words([pictures.side, 2 * pictures.side])
    some = pictures.pictures if isinstance(pictures, Photographs) else parted(pictures)[0][:1]
    return size_in_words([side for each in some for side in each.shape[-2:]])


def size_in_words(sides: Sequence[int]) -> str:
    """The size of pictures by the sides of all in pixels, such as "of 28x28"."""
    least, most = min(sides), max(sides)
    return f"of {least}x{most}" if least == most else f"with sides of {least} to {most} pixels"


def crops(
    photographs: Photographs,
    count: int,
    side: int,
    scales: tuple[float, ...],
    grey: float,
    planes: float,
    structures: float,
    grain: float,
    random: np.random.Generator,
) -> Float[Tensor, "count 3 side side"]:
    """Draw random squares in [0, 1], mirrored and turned by right angles.

    Args:
        photographs: Pictures to draw from; those with a side under `side` are passed over.
        count: How many.
        side: Their side in pixels.
        scales: Each crop is reduced by one of these, or by the largest that its picture allows.
        grey: Fraction of crops that lose their colours.
        planes: Fraction that are planes of colour instead, as skies and walls are.
        structures: Fraction that are two planes, mixed by what `structure` draws.
        grain: Fraction that get the noise of a film or sensor, which small pictures have lost.
        random: Generator of every draw.
    """
    pictures = [each for each in photographs.pictures if min(each.shape[-2:]) >= side]
    drawn = []
    for _ in range(count):
        if (kind := random.random()) < planes + structures:
            plane = _plane(side, random)
            crop = plane if kind < planes else structure(plane, _plane(side, random), random)
            drawn.append(crop.to(photographs.device))
            continue
        picture = pictures[int(random.integers(len(pictures)))]
        scale = min(float(random.choice(scales)), min(picture.shape[-2:]) / side)
        wide = int(side * scale)
        top, left = (int(random.integers(length - wide + 1)) for length in picture.shape[-2:])
        crop = picture[:, top : top + wide, left : left + wide].float() / 255.0
        crop = F.adaptive_avg_pool2d(crop, side)
        crop = crop.flip(-1) if random.random() < 0.5 else crop
        crop = crop.rot90(int(random.integers(4)), (-2, -1))
        if random.random() < grey:
            luminance = (crop * crop.new_tensor(_LUMINANCE).view(3, 1, 1)).sum(0, keepdim=True)
            crop = luminance.expand(3, -1, -1)
        drawn.append(_with_grain(crop, random) if random.random() < grain else crop)
    return torch.stack(drawn)


def _plane(side: int, random: np.random.Generator) -> Crop:
    """A gradient of a random direction in each channel, in 8 bits."""
    middle = random.uniform(0.25, 0.75, (3, 1, 1))
    slopes = random.uniform(-0.25, 0.25, (2, 3, 1, 1))
    axis = (np.arange(side) + 0.5) / side - 0.5
    levels = 255 * (middle + slopes[0] * axis[:, None] + slopes[1] * axis)
    return torch.from_numpy(np.rint(levels) / 255).float()


def _with_grain(crop: Crop, random: np.random.Generator) -> Crop:
    """The crop in 8 bits with normal noise, of its luminance or of each channel."""
    channels = 1 if random.random() < 0.5 else len(crop)
    deviation = float(np.exp(random.uniform(*np.log(_GRAIN))))
    noise = random.standard_normal((channels, *crop.shape[1:]), dtype=np.float32) * deviation
    return ((crop + torch.from_numpy(noise).to(crop.device)).clamp(0, 1) * 255).round() / 255
