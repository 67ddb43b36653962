"""What a figure is made from: the picture, what of it is observed, and the models."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.cli.console import Talk
from npfill.errors import UsageError
from npfill.files import folder

if TYPE_CHECKING:
    import numpy as np

    from npfill.pictures.picture import Picture

# The baselines that are compared where none is named.
_BASELINES = ("nearest", "linear", "gp")


@dataclass(frozen=True)
class Source:
    """Where the picture comes from: a file, test pictures and a number, or neither.

    Raises:
        UsageError: Options contradict each other.
    """

    image: Path | None
    data: Path | None
    index: int | None

    def __post_init__(self) -> None:
        if self.image is not None and self.data is not None:
            raise UsageError("IMG and --data both name a picture", "give one of them")
        if self.index is not None and self.data is None:
            raise UsageError("--index: there are no test pictures", "--data PATH")


def picture(source: Source, size: int, channels: int, talk: Talk) -> "Picture":
    """The picture that a figure is about; a test picture as a square of `size` pixels."""
    from npfill.pictures.picture import Picture

    if source.data is None:
        return read(source.image or folder("examples") / "digit.png", talk)
    from npfill.evaluate.figures import numbered_picture

    index = source.index or 0
    image = numbered_picture(source.data, index, size, channels)
    return Picture.of(image, f"{source.data}:{index}")


def read(path: Path, talk: Talk) -> "Picture":
    """A picture from a file; what the user should know of it is said."""
    from npfill.pictures.read import read_picture

    picture = read_picture(path)
    for note in picture.notes:
        talk.warn(f"{picture.name}: {note}")
    return picture


def hole(
    picture: "Picture", mask: Path | None, context: int, seed: int, talk: Talk
) -> "np.ndarray":
    """What is not observed, bool "height width": from a mask, or all but random pixels."""
    from npfill.evaluate.contexts import kind
    from npfill.pictures.hole import Hole, check, describe
    from npfill.pictures.masks import read_mask

    size = picture.size
    if mask is None:
        if context >= size[0] * size[1]:
            raise UsageError(
                f"--context {context}: {picture.name} has {size[0] * size[1]:,} pixels",
                "at least one is missing",
            )
        selected = Hole(~kind(f"random:{context}").observed(1, size, seed)[0, 0].numpy())
    else:
        found = read_mask(mask, size, picture_name=picture.name, threshold=None, fit=False)
        selected = check(found, str(mask))
    for note in selected.notes:
        talk.warn(f"{mask}: {note}")
    talk.say(describe(selected))
    return selected.selected


def labels(models: str | None) -> dict[str, str]:
    """The models to compare, and what to call them.

    Args:
        models: Names of models and baselines and paths to weights, separated by commas. None: all
            models for digits, and the baselines.

    Raises:
        ModelError: A name is unknown, or a file fails verification.
        InputError: A path leads to no file.
        UsageError: There is no name.
    """
    from npfill import baselines, zoo

    digits = [name for name, entry in zoo.entries().items() if entry.channels == 1]
    given = [*digits, *_BASELINES] if models is None else models.split(",")
    names = [name.strip() for name in given if name.strip()]
    if not names:
        raise UsageError("--models: no name", "npfill models lists the names")
    return {name: name if name in baselines.NAMES else zoo.find(name).name for name in names}


def counts(text: str) -> list[int]:
    """Numbers of pixels from text such as "10,100".

    Raises:
        UsageError: It is not that.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) > 0 for word in words):
        raise UsageError(f"--contexts {text}: not numbers of pixels", "--contexts 10,100")
    return [int(word) for word in words]


def samplers(text: str) -> list[str]:
    """Names of samplers from text such as "latent,independent"; each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",")))
