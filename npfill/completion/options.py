"""The options of a completion: of its mask, its samples and its results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from npfill.pictures.picture import Picture
from npfill.pictures.read import MAX_PIXELS

_ALPHA = "alpha"
_COLOUR = "color:"


@dataclass(frozen=True)
class MaskOptions:
    """The options that select the hole; what data lack is part of it in any case.

    Attributes:
        mask: A file; `alpha` for what is transparent; `color:#rrggbb` or `color:#rrggbb~TOLERANCE`
            for what has a colour; or a picture in memory. None: no mask.
        boxes: Boxes to fill, each X, Y, width and height in pixels, or a text "X,Y,W,H".
        invert: Fill what the mask keeps.
        grow: Pixels that the hole grows by; negative shrinks it.
        threshold: The lowest level that is filled; None is half of full scale.
        fit: Resize a mask of another size.
    """

    mask: str | Path | Picture | None = None
    boxes: Sequence[str | Sequence[int]] = ()
    invert: bool = False
    grow: int = 0
    threshold: float | None = None
    fit: bool = False

    @property
    def word(self) -> str | None:
        """The mask as a word: the name of a file, `alpha` or a colour; None for one in memory."""
        return str(self.mask) if isinstance(self.mask, str | Path) else None

    @property
    def file(self) -> Path | None:
        """The mask's file, if it comes from one."""
        word = self.word
        return None if word is None or word == _ALPHA or self.is_colour else Path(word)

    @property
    def is_alpha(self) -> bool:
        """The picture's transparency marks the hole."""
        return self.word == _ALPHA

    @property
    def is_colour(self) -> bool:
        """A colour of the picture marks the hole."""
        return self.word is not None and self.word.startswith(_COLOUR)

    @property
    def name(self) -> str:
        """The mask's name in messages."""
        if self.mask is not None:
            return self.word or "the mask"
        return "`box`" if self.boxes else "NaN"


@dataclass(frozen=True)
class SamplingOptions:
    """The options of samples.

    Attributes:
        samples: The number of samples.
        seed: Sample k depends on the seed and k alone.
        sampler: A sampler's name, or `auto`.
        rounds: Rounds of the autoregressive sampler; None for its default.
        noise: Draw the pixels of samples where they would be means.
    """

    samples: int = 3
    seed: int = 0
    sampler: str = "auto"
    rounds: int | None = None
    noise: bool = False


@dataclass(frozen=True)
class OutputOptions:
    """The options of reading pictures and writing results.

    Attributes:
        output: A folder, a file, `-` for stdout, or None: beside the picture.
        emit: Names of outputs, separated by commas; None is the default.
        overwrite: Replace what exists.
        skip_existing: Leave what exists.
        keep: Write pictures in the format that they came in.
        strip: Leave out what a picture's file says of it.
        max_pixels: The most pixels of a picture or mask that is read.
    """

    output: Path | None = None
    emit: str | None = None
    overwrite: bool = False
    skip_existing: bool = False
    keep: bool = False
    strip: bool = False
    max_pixels: int = MAX_PIXELS
